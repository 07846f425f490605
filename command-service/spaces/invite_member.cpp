// The decision about an invitation.
#include "command-service/spaces/invite_member.h"

#include "command-service/accounts/user.h"
#include "command-service/spaces/access.h"

namespace bloomwatch {

using spaces::Refusal;

namespace {

/// Who holds an e-mail's claim. An account's first profile has the account's id.
std::optional<ProfileId> profile_of(const std::optional<ClaimHolder>& holder) {
  if (!holder || holder->category != User::category) return std::nullopt;
  return ProfileId(holder->id);
}

}  // namespace

Decision<MemberInvited> InviteMember::decide(const Actor& by, const WatchSpace& space, const Claims& claims) const {
  if (const auto refused = spaces::refuse_all_but_owners(by, space)) return *refused;
  const auto profile = profile_of(claims.holder(*invitee));
  if (profile && space.has(*profile)) return refuse(Refusal::already_a_member);
  if (space.is_full()) return refuse(Refusal::space_full);
  if (space.is_closed_to(profile)) return refuse(Refusal::too_many_people);
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
