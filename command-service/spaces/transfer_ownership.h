// An owner hands the space over: the other becomes an owner and oneself a member, in one step.
#pragma once

#include "command-service/decision.h"
#include "command-service/spaces/access.h"

namespace bloomwatch {

/// Refused, in this order: no_such_space, owners_only, no_such_member. Quiet where one hands it to oneself.
struct TransferOwnership {
  WatchSpaceId watch_space = {};
  ProfileId user_id = {};

  Decision<OwnershipTransferred> decide(const Actor& by, const WatchSpace& space) const {
    if (const auto refused = spaces::refuse_all_but_owners(by, space)) return *refused;
    if (!space.has(user_id)) return refuse(spaces::Refusal::no_such_member);
    if (user_id == by.profile) return nothing;
    return OwnershipTransferred{.from = by.profile, .to = user_id};
  }
};
BOOST_DESCRIBE_STRUCT(TransferOwnership, (), (watch_space, user_id))

}  // namespace bloomwatch
