// Somebody follows the link of an invitation and becomes a member. The token leads to the space by its claim.
#pragma once

#include "command-service/accounts/user.h"
#include "command-service/decision.h"
#include "command-service/spaces/watch_space.h"
#include "runtime/json.h"

namespace bloomwatch {

/// Refused, in this order: no_such_invitation, invitation_for_another (the address is not the account's), invitation_accepted (and they
/// are no member any more), invitation_revoked (or void), already_a_member (by another invitation), invitation_expired, space_full,
/// too_many_people (and they never were a member). Quiet to who became a member by this very invitation. The answer's id is the space's.
struct AcceptInvitation {
  Minted<ClaimKey> token = {};  ///< of the token in the path

  Decision<MemberJoined> decide(const Actor& by, Claimed<&AcceptInvitation::token, WatchSpace> space, By<User> user) const;
};
BOOST_DESCRIBE_STRUCT(AcceptInvitation, (), (token))

}  // namespace bloomwatch
