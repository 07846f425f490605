// A watch space as the next decision needs to know it: who is in it, who is invited. Deciders of tracking read it too.
// Bounded by people_max and by the length of the stream, which every invitation lengthens.
#pragma once

#include <boost/describe.hpp>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "command-service/heap_bytes.h"
#include "events/envelope.h"
#include "events/spaces.h"

namespace bloomwatch {

/// Members of one space at a time. Pages rest on this bound.
inline constexpr std::size_t members_max = 50;
/// Everybody who is or was a member of one space. The ratings of those who left stay, for when they come back, and each costs a fold what a
/// member's does: folds rest on this bound. Twice members_max, so that everyone may be replaced once.
inline constexpr std::size_t people_max = 2 * members_max;
/// Invitations of one space that can be accepted at a time.
inline constexpr std::size_t open_invitations_max = 50;

/// What the past of one watch space means for the next decision. Stream watch-space-<id>.
struct WatchSpace {
  using Key = WatchSpaceId;
  using Partition = WatchSpaceId;
  using Events = WatchSpaceEvents;
  static constexpr std::string_view category = "watch-space";
  static constexpr std::int32_t snapshot_shape = 1;

  struct Member {
    SpaceRole role = SpaceRole::member;
    SessionConsent consent = SessionConsent::automatic;
    bool recap_consent = false;
  };
  struct Invitation {
    ClaimKey invitee = {};
    ClaimKey token_claim = {};
    SpaceRole role = SpaceRole::member;
    ProfileId sender = {};
    Time expires_at = {};
    bool revoked = false;
    std::optional<ProfileId> accepted_by = {};

    bool is_open(Time now) const { return !revoked && !accepted_by && now < expires_at; }
  };

  bool exists = false;
  std::string name;
  std::string time_zone;
  std::optional<std::string> theme;
  std::map<ProfileId, Member> members;
  std::set<ProfileId> former_members;
  std::map<InvitationId, Invitation> invitations;

  bool has(ProfileId profile) const { return members.contains(profile); }
  /// Whether members_max leaves no place.
  bool is_full() const { return members.size() >= members_max; }
  /// Whether people_max keeps someone out: those who were members before may always come back. Nobody: who is not known to have been one.
  bool is_closed_to(const std::optional<ProfileId>& profile) const {
    return members.size() + former_members.size() >= people_max && !(profile && former_members.contains(*profile));
  }
  bool is_owner(ProfileId profile) const;
  /// Whether the space would have no owner without them.
  bool is_last_owner(ProfileId profile) const;
  /// Whether it would make an owner and was sent by who is none any more: as if it were revoked, for as long as that is so. Else those who
  /// lost the space could take it back.
  bool is_void(const Invitation& invitation) const;
  std::size_t open_invitations(Time now) const;
  bool is_invited(ClaimKey invitee, Time now) const;
  /// Those that a departure revokes.
  std::vector<InvitationId> open_invitations_of(ProfileId sender, Time now) const;

  std::size_t heap_bytes() const {
    return name.capacity() + time_zone.capacity() + (theme ? theme->capacity() : 0) + nodes_bytes(members) + nodes_bytes(former_members) +
           nodes_bytes(invitations);
  }

  void evolve(const WatchSpaceCreated& e);
  void evolve(const WatchSpaceRenamed& e) { name = e.name; }
  void evolve(const WatchSpaceTimeZoneChanged& e) { time_zone = e.time_zone; }
  void evolve(const WatchSpaceThemeChanged& e) { theme = e.theme; }
  void evolve(const MemberJoined& e);
  void evolve(const MemberLeft& e) { depart(e.profile); }
  void evolve(const MemberRemoved& e) { depart(e.profile); }
  void evolve(const MemberRoleChanged& e) { members[e.profile].role = e.role; }
  void evolve(const OwnershipTransferred& e);
  void evolve(const SessionConsentChanged& e) { members[e.profile].consent = e.consent; }
  void evolve(const MemberInvited& e, const Meta& meta);
  void evolve(const RecapConsentChanged& e) { members[e.profile].recap_consent = e.consent; }
  void evolve(const InvitationRevoked& e) { invitations[e.invitation].revoked = true; }

 private:
  void depart(ProfileId profile) {
    members.erase(profile);
    former_members.insert(profile);
  }
};
BOOST_DESCRIBE_STRUCT(WatchSpace::Member, (), (role, consent, recap_consent))
BOOST_DESCRIBE_STRUCT(WatchSpace::Invitation, (), (invitee, token_claim, role, sender, expires_at, revoked, accepted_by))
BOOST_DESCRIBE_STRUCT(WatchSpace, (), (exists, name, time_zone, theme, members, former_members, invitations))

}  // namespace bloomwatch
