// An owner takes an invitation back.
#pragma once

#include "command-service/decision.h"
#include "command-service/spaces/access.h"

namespace bloomwatch {

/// Refused, in this order: no_such_space, owners_only, no_such_invitation, invitation_accepted. Quiet where it was revoked or has expired.
struct RevokeInvitation {
  WatchSpaceId watch_space = {};
  InvitationId invitation = {};

  Uuid answer_id() const { return invitation.uuid; }
  Decision<InvitationRevoked> decide(const Actor& by, const WatchSpace& space) const {
    using spaces::Refusal;
    if (const auto refused = spaces::refuse_all_but_owners(by, space)) return *refused;
    const auto found = space.invitations.find(invitation);
    if (found == space.invitations.end()) return refuse(Refusal::no_such_invitation);
    if (found->second.accepted_by) return refuse(Refusal::invitation_accepted);
    if (!found->second.is_open(by.now)) return nothing;
    return InvitationRevoked{.invitation = invitation};
  }
};
BOOST_DESCRIBE_STRUCT(RevokeInvitation, (), (watch_space, invitation))

}  // namespace bloomwatch
