// An owner invites somebody by e-mail. The edge makes the token, writes the address's row, and shows the token once.
#pragma once

#include "command-service/decision.h"
#include "command-service/spaces/watch_space.h"
#include "command-service/values.h"

namespace bloomwatch {

/// Refused, in this order: no_such_space, owners_only, already_a_member (the address is that of a member's account), space_full,
/// too_many_people (and whoever has the address never was a member), invitation_open (for the same address), too_many_invitations.
struct InviteMember {
  WatchSpaceId watch_space = {};
  EmailAddress email = {};
  std::optional<SpaceRole> role = {};  ///< none: member
  Minted<InvitationId> invitation = {};
  Minted<ClaimKey> invitee = {};      ///< the claim of the address: held by the account that has it, if one has
  Minted<ClaimKey> token_claim = {};  ///< of the token, taken
  Minted<Time> expires_at = {};

  static constexpr bool creates = true;
  Uuid answer_id() const { return invitation->uuid; }
  Decision<MemberInvited> decide(const Actor& by, const WatchSpace& space, const Claims& claims) const;
};
BOOST_DESCRIBE_STRUCT(InviteMember, (), (watch_space, email, role, invitation, invitee, token_claim, expires_at))

}  // namespace bloomwatch
