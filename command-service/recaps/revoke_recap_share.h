// Somebody takes a link to a recap's card back.
#pragma once

#include "command-service/decision.h"
#include "command-service/recaps/recap_share.h"
#include "command-service/recaps/refusals.h"

namespace bloomwatch {

/// Refused: no_such_recap_share, also for somebody else's. Quiet where it was revoked before.
struct RevokeRecapShare {
  RecapShareId share = {};

  Decision<RecapShareRevoked> decide(const Actor& by, const RecapShare& link) const {
    if (link.shared_by != by.profile) return refuse(recaps::Refusal::no_such_recap_share);
    if (link.revoked) return nothing;
    return RecapShareRevoked{};
  }
};
BOOST_DESCRIBE_STRUCT(RevokeRecapShare, (), (share))

}  // namespace bloomwatch
