// The decision about an invitation.
#include "command-service/spaces/invite_member.h"

#include "command-service/accounts/user.h"
#include "command-service/spaces/access.h"

namespace bloomwatch {

using spaces::Refusal;

namespace {

/// Whether the holder of an e-mail's claim is in the space. An account's first profile has the account's id.
bool is_member(const std::optional<ClaimHolder>& holder, const WatchSpace& space) {
  return holder && holder->category == User::category && space.has(ProfileId(holder->id));
}

}  // namespace

Decision<MemberInvited> InviteMember::decide(const Actor& by, const WatchSpace& space, const Claims& claims) const {
  if (const auto refused = spaces::refuse_all_but_owners(by, space)) return *refused;
  if (is_member(claims.holder(*invitee), space)) return refuse(Refusal::already_a_member);
  if (space.members.size() >= members_max) return refuse(Refusal::space_full);
  if (space.is_invited(*invitee, by.now)) return refuse(Refusal::invitation_open);
  if (space.open_invitations(by.now) >= open_invitations_max) return refuse(Refusal::too_many_invitations);
  Decision<MemberInvited> decision(MemberInvited{.invitation = *invitation,
                                                 .invitee = *invitee,
                                                 .token_claim = *token_claim,
                                                 .role = role.value_or(SpaceRole::member),
                                                 .expires_at = *expires_at});
  decision.take(*token_claim);
  return decision;
}

}  // namespace bloomwatch
