// The events of looking at what others did: an admin's look into an audit leaves a trace. Stream audit-query-<id>; partition key: the
// account of who looked.
#pragma once

#include <boost/describe.hpp>
#include <boost/mp11/list.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "events/ids.h"
#include "events/personal.h"
#include "runtime/time.h"

namespace bloomwatch {

/// What was asked for, before it was shown. Filters that were not given are absent; all of them absent is everything.
struct AuditQueried {
  static constexpr int schema_version = 2;
  std::optional<ProfileId> person = {};
  std::optional<WatchSpaceId> watch_space = {};
  std::optional<AnimeId> anime = {};
  std::vector<std::string> types = {};    ///< of events
  std::optional<std::string> field = {};  ///< as history names it
  std::optional<Time> from = {};
  std::optional<Time> until = {};
  std::optional<Personal> reason = {};  ///< why, in the admin's words
};
BOOST_DESCRIBE_STRUCT(AuditQueried, (), (person, watch_space, anime, types, field, from, until, reason))

/// In version 1 the reason was not sealed: it may name whom the admin did not write for, so it is not passed on.
std::string upcast(const AuditQueried&, std::string data, int from);
std::string_view upcast_sql(const AuditQueried&);

using AuditQueryEvents = boost::mp11::mp_list<AuditQueried>;

}  // namespace bloomwatch
