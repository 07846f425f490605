// How a watch space's past becomes what deciders ask for.
#include "command-service/spaces/watch_space.h"

#include <algorithm>

namespace bloomwatch {

bool WatchSpace::is_owner(ProfileId profile) const {
  const auto found = members.find(profile);
  return found != members.end() && found->second.role == SpaceRole::owner;
}

bool WatchSpace::is_last_owner(ProfileId profile) const {
  return is_owner(profile) && std::ranges::count_if(members, [](const auto& entry) { return entry.second.role == SpaceRole::owner; }) == 1;
}

bool WatchSpace::is_void(const Invitation& invitation) const { return invitation.role == SpaceRole::owner && !is_owner(invitation.sender); }

std::size_t WatchSpace::open_invitations(Time now) const {
  const auto is_open = [&](const auto& entry) { return entry.second.is_open(now) && !is_void(entry.second); };
  return static_cast<std::size_t>(std::ranges::count_if(invitations, is_open));
}

bool WatchSpace::is_invited(ClaimKey invitee, Time now) const {
  return std::ranges::any_of(invitations, [&](const auto& entry) {
    return entry.second.invitee == invitee && entry.second.is_open(now) && !is_void(entry.second);
  });
}

std::vector<InvitationId> WatchSpace::open_invitations_of(ProfileId sender, Time now) const {
  std::vector<InvitationId> open;
  for (const auto& [id, invitation] : invitations)
    if (invitation.sender == sender && invitation.is_open(now)) open.push_back(id);
  return open;
}

void WatchSpace::evolve(const WatchSpaceCreated& e) {
  exists = true;
  name = e.name;
  time_zone = e.time_zone;
  theme = e.theme;
}

void WatchSpace::evolve(const MemberJoined& e) {
  members[e.profile] = {.role = e.role, .consent = SessionConsent::automatic};
  former_members.erase(e.profile);
  if (e.invitation) invitations[*e.invitation].accepted_by = e.profile;
}

void WatchSpace::evolve(const OwnershipTransferred& e) {
  members[e.from].role = SpaceRole::member;
  members[e.to].role = SpaceRole::owner;
}

void WatchSpace::evolve(const MemberInvited& e, const Meta& meta) {
  invitations[e.invitation] = {.invitee = e.invitee,
                               .token_claim = e.token_claim,
                               .role = e.role,
                               .sender = meta.by.profile.value_or(ProfileId()),
                               .expires_at = e.expires_at};
}

}  // namespace bloomwatch
