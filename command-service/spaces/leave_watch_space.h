// A member goes of their own accord. The open invitations that they sent are revoked in the same decision.
#pragma once

#include "command-service/decision.h"
#include "command-service/spaces/access.h"

namespace bloomwatch {

/// Refused, in this order: no_such_space, last_owner.
struct LeaveWatchSpace {
  WatchSpaceId watch_space = {};

  Decision<MemberLeft, InvitationRevoked> decide(const Actor& by, const WatchSpace& space) const {
    if (const auto refused = spaces::refuse_strangers(by, space)) return *refused;
    if (space.is_last_owner(by.profile)) return refuse(spaces::Refusal::last_owner);
    Decision<MemberLeft, InvitationRevoked> decision(MemberLeft{.profile = by.profile});
    for (const InvitationId id : space.open_invitations_of(by.profile, by.now)) decision.add(InvitationRevoked{.invitation = id});
    return decision;
  }
};
BOOST_DESCRIBE_STRUCT(LeaveWatchSpace, (), (watch_space))

}  // namespace bloomwatch
