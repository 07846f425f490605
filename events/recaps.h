// The events of shared recap cards. Stream recap-share-<id>; partition key: the account of who shared it. A link's token is never here,
// only its keyed hash; what the card shows is folded anew whenever it is looked at.
#pragma once

#include <boost/describe.hpp>
#include <boost/mp11/list.hpp>
#include <optional>
#include <string>

#include "events/ids.h"

namespace bloomwatch {

/// A recap can be seen by whoever has the link: of `profile`, or of `watch_space` (one of them). Takes `token_claim`, for ever.
struct RecapShared {
  std::optional<ProfileId> profile = {};
  std::optional<WatchSpaceId> watch_space = {};
  std::string period;  ///< `2026` or `2026-11`
  ClaimKey token_claim;
};
BOOST_DESCRIBE_STRUCT(RecapShared, (), (profile, watch_space, period, token_claim))

/// The link leads nowhere from now on.
struct RecapShareRevoked {};
BOOST_DESCRIBE_STRUCT(RecapShareRevoked, (), ())

using RecapShareEvents = boost::mp11::mp_list<RecapShared, RecapShareRevoked>;

}  // namespace bloomwatch
