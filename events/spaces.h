// The events of watch spaces: their making, their members, their invitations. Stream watch-space-<id>; partition key: the space.
// A space's name and theme are plain; an invitee's address is a secret beside the log, here only as a keyed hash.
#pragma once

#include <boost/describe.hpp>
#include <boost/mp11/list.hpp>
#include <optional>
#include <string>

#include "events/ids.h"
#include "runtime/time.h"

namespace bloomwatch {

enum class SpaceRole { owner, member };
BOOST_DESCRIBE_ENUM(SpaceRole, owner, member)

/// Whether a session that others record moves a member's progress at once, or only when they confirm.
enum class SessionConsent { automatic, ask };
BOOST_DESCRIBE_ENUM(SessionConsent, automatic, ask)

/// A space was made. Its first owner joins it in the same decision.
struct WatchSpaceCreated {
  std::string name;
  std::string time_zone;  ///< IANA name; days and recaps are the space's
  std::optional<std::string> theme = {};
};
BOOST_DESCRIBE_STRUCT(WatchSpaceCreated, (), (name, time_zone, theme))

struct WatchSpaceRenamed {
  std::string name;
};
BOOST_DESCRIBE_STRUCT(WatchSpaceRenamed, (), (name))

struct WatchSpaceTimeZoneChanged {
  std::string time_zone;
};
BOOST_DESCRIBE_STRUCT(WatchSpaceTimeZoneChanged, (), (time_zone))

struct WatchSpaceThemeChanged {
  std::optional<std::string> theme = {};
};
BOOST_DESCRIBE_STRUCT(WatchSpaceThemeChanged, (), (theme))

/// A profile became a member: by making the space (no invitation) or by accepting one. Their session consent starts, or starts again, as
/// automatic.
struct MemberJoined {
  ProfileId profile;
  SpaceRole role = SpaceRole::member;
  std::optional<InvitationId> invitation = {};
};
BOOST_DESCRIBE_STRUCT(MemberJoined, (), (profile, role, invitation))

/// Went of their own accord.
struct MemberLeft {
  static constexpr bool always_fits = true;
  ProfileId profile;
};
BOOST_DESCRIBE_STRUCT(MemberLeft, (), (profile))

/// Was removed by an owner.
struct MemberRemoved {
  static constexpr bool always_fits = true;
  ProfileId profile;
};
BOOST_DESCRIBE_STRUCT(MemberRemoved, (), (profile))

struct MemberRoleChanged {
  static constexpr bool always_fits = true;
  ProfileId profile;
  SpaceRole role = SpaceRole::member;
};
BOOST_DESCRIBE_STRUCT(MemberRoleChanged, (), (profile, role))

/// `to` became an owner and `from` a member, in one step.
struct OwnershipTransferred {
  static constexpr bool always_fits = true;
  ProfileId from;
  ProfileId to;
};
BOOST_DESCRIBE_STRUCT(OwnershipTransferred, (), (from, to))

struct SessionConsentChanged {
  ProfileId profile;
  SessionConsent consent = SessionConsent::automatic;

  bool always_fits() const { return consent == SessionConsent::ask; }
};
BOOST_DESCRIBE_STRUCT(SessionConsentChanged, (), (profile, consent))

/// Makes the address row `invitation` valid and takes the token's claim, which stays for ever: a used or revoked token is told apart from a
/// wrong one.
struct MemberInvited {
  InvitationId invitation;
  ClaimKey invitee;      ///< the keyed hash of the address: who accepts must have that address
  ClaimKey token_claim;  ///< the keyed hash of the token
  SpaceRole role = SpaceRole::member;
  Time expires_at = {};
};
BOOST_DESCRIBE_STRUCT(MemberInvited, (), (invitation, invitee, token_claim, role, expires_at))

/// By an owner, or because who sent it is no longer a member.
struct InvitationRevoked {
  static constexpr bool always_fits = true;
  InvitationId invitation;
};
BOOST_DESCRIBE_STRUCT(InvitationRevoked, (), (invitation))

/// Whether a member agrees to be shown on the space's recap cards. Nobody does at first, or when they come back.
struct RecapConsentChanged {
  ProfileId profile;
  bool consent = false;

  bool always_fits() const { return !consent; }
};
BOOST_DESCRIBE_STRUCT(RecapConsentChanged, (), (profile, consent))

using WatchSpaceEvents = boost::mp11::mp_list<WatchSpaceCreated, WatchSpaceRenamed, WatchSpaceTimeZoneChanged, WatchSpaceThemeChanged,
                                              MemberJoined, MemberLeft, MemberRemoved, MemberRoleChanged, OwnershipTransferred,
                                              SessionConsentChanged, MemberInvited, InvitationRevoked, RecapConsentChanged>;

}  // namespace bloomwatch
