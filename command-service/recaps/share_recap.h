// Somebody makes a link to the card of a recap: of their own, or of a space that they are a member of. The edge makes the token, and shows
// it once.
#pragma once

#include "command-service/accounts/user.h"
#include "command-service/decision.h"
#include "command-service/recaps/recap_share.h"
#include "command-service/spaces/watch_space.h"
#include "events/recap_period.h"
#include "runtime/json.h"

namespace bloomwatch {

/// Refused: period_not_begun, by the person's time zone.
struct ShareMyRecap {
  RecapPeriod period = {};
  Minted<RecapShareId> share = {};
  Minted<ClaimKey> token_claim = {};  ///< of the token, taken

  static constexpr bool creates = true;
  Decision<RecapShared> decide(const Actor& by, const RecapShare& link, By<User> user) const;
};
BOOST_DESCRIBE_STRUCT(ShareMyRecap, (), (period, share, token_claim))

/// Refused, in this order: no_such_space, period_not_begun, by the space's time zone.
struct ShareSpaceRecap {
  WatchSpaceId watch_space = {};
  RecapPeriod period = {};
  Minted<RecapShareId> share = {};
  Minted<ClaimKey> token_claim = {};

  static constexpr bool creates = true;
  Decision<RecapShared> decide(const Actor& by, const RecapShare& link, const WatchSpace& space) const;
};
BOOST_DESCRIBE_STRUCT(ShareSpaceRecap, (), (watch_space, period, share, token_claim))

}  // namespace bloomwatch
