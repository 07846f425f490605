// The read model `spaces`: watch spaces, their present members, their invitations. Every page of a space asks it who may see it.
// Partition key of all its events: the space. Tables: migrations/0012_read_spaces.sql.
#pragma once

#include <boost/describe.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "events/envelope.h"
#include "events/spaces.h"
#include "projector/rows.h"

namespace bloomwatch {

struct SpaceRow {
  using Key = WatchSpaceId;
  WatchSpaceId watch_space;
  std::string name;
  std::string time_zone;
  std::optional<std::string> theme = {};
  ProfileId created_by;
  Time created_at = {};
  Time updated_at = {};  ///< of the last event of the space, its members' and invitations' included
  Version version = 0;

  bool operator==(const SpaceRow&) const = default;
};
BOOST_DESCRIBE_STRUCT(SpaceRow, (), (watch_space, name, time_zone, theme, created_by, created_at, updated_at, version))

/// A present member: the row goes when they go.
struct MemberRow {
  using Key = std::tuple<WatchSpaceId, ProfileId>;
  WatchSpaceId watch_space;
  ProfileId profile;
  SpaceRole role = SpaceRole::member;
  SessionConsent session_consent = SessionConsent::automatic;
  bool recap_consent = false;  ///< may be shown on the space's recap cards
  Time joined_at = {};         ///< the last time, if they came back

  bool operator==(const MemberRow&) const = default;
};
BOOST_DESCRIBE_STRUCT(MemberRow, (), (watch_space, profile, role, session_consent, recap_consent, joined_at))

/// Accepted if `accepted_at` is there, else revoked if `revoked_at` is, else expired after `expires_at`, else pending.
struct InvitationRow {
  using Key = InvitationId;
  InvitationId invitation;
  WatchSpaceId watch_space;
  SpaceRole role = SpaceRole::member;
  ClaimKey invitee;  ///< keyed hash of the address, which is in secrets.invitation_addresses
  ProfileId invited_by;
  Time created_at = {};
  Time expires_at = {};
  std::optional<ProfileId> accepted_by = {};
  std::optional<Time> accepted_at = {};
  std::optional<Time> revoked_at = {};

  bool operator==(const InvitationRow&) const = default;
};
BOOST_DESCRIBE_STRUCT(InvitationRow, (),
                      (invitation, watch_space, role, invitee, invited_by, created_at, expires_at, accepted_by, accepted_at, revoked_at))

struct Spaces {
  static constexpr std::string_view name = "spaces";
  static constexpr int version = 1;  ///< raise it when a fold changes

  projection::Rows<SpaceRow> spaces;
  projection::Rows<MemberRow> members;
  projection::Rows<InvitationRow> invitations;

  void apply(const WatchSpaceCreated& e, const Meta& meta);
  void apply(const WatchSpaceRenamed& e, const Meta& meta);
  void apply(const WatchSpaceTimeZoneChanged& e, const Meta& meta);
  void apply(const WatchSpaceThemeChanged& e, const Meta& meta);
  void apply(const MemberJoined& e, const Meta& meta);
  void apply(const MemberLeft& e, const Meta& meta);
  void apply(const MemberRemoved& e, const Meta& meta);
  void apply(const MemberRoleChanged& e, const Meta& meta);
  void apply(const OwnershipTransferred& e, const Meta& meta);
  void apply(const SessionConsentChanged& e, const Meta& meta);
  void apply(const RecapConsentChanged& e, const Meta& meta);
  void apply(const MemberInvited& e, const Meta& meta);
  void apply(const InvitationRevoked& e, const Meta& meta);
};
BOOST_DESCRIBE_STRUCT(Spaces, (), (spaces, members, invitations))

}  // namespace bloomwatch
