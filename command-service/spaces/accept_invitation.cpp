// The decision about an acceptance.
#include "command-service/spaces/accept_invitation.h"

#include <algorithm>

#include "command-service/spaces/refusals.h"

namespace bloomwatch {

using spaces::Refusal;

Decision<MemberJoined> AcceptInvitation::decide(const Actor& by, Claimed<&AcceptInvitation::token, WatchSpace> space, By<User> user) const {
  const auto found = std::ranges::find_if(space->invitations, [&](const auto& entry) { return entry.second.token_claim == *token; });
  if (!space.held || found == space->invitations.end()) return refuse(Refusal::no_such_invitation);
  const auto& [id, invitation] = *found;
  if (!user->exists() || invitation.invitee != user->email_claim) return refuse(Refusal::invitation_for_another);
  const bool is_member = space->has(by.profile);
  if (invitation.accepted_by) {
    if (is_member && invitation.accepted_by == by.profile) return nothing;
    return refuse(Refusal::invitation_accepted);
  }
  if (invitation.revoked || space->is_void(invitation)) return refuse(Refusal::invitation_revoked);
  if (is_member) return refuse(Refusal::already_a_member);
  if (!invitation.is_open(by.now)) return refuse(Refusal::invitation_expired);
  if (space->is_full()) return refuse(Refusal::space_full);
  if (space->is_closed_to(by.profile)) return refuse(Refusal::too_many_people);
  return MemberJoined{.profile = by.profile, .role = invitation.role, .invitation = id};
}

}  // namespace bloomwatch
