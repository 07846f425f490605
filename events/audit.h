// The events of looking at what others did: an admin's look into an audit leaves a trace. Stream audit-query-<id>; partition key: the
// account of who looked.
#pragma once

#include <boost/describe.hpp>
#include <boost/mp11/list.hpp>
#include <optional>
#include <string>
#include <vector>

#include "events/ids.h"
#include "runtime/time.h"

namespace bloomwatch {

/// What was asked for, before it was shown. Filters that were not given are absent; all of them absent is everything.
struct AuditQueried {
  std::optional<ProfileId> person = {};
  std::optional<WatchSpaceId> watch_space = {};
  std::optional<AnimeId> anime = {};
  std::vector<std::string> types = {};    ///< of events
  std::optional<std::string> field = {};  ///< as history names it
  std::optional<Time> from = {};
  std::optional<Time> until = {};
  std::string reason;  ///< why, in the admin's words
};
BOOST_DESCRIBE_STRUCT(AuditQueried, (), (person, watch_space, anime, types, field, from, until, reason))

using AuditQueryEvents = boost::mp11::mp_list<AuditQueried>;

}  // namespace bloomwatch
