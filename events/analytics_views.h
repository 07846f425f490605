// The views of schema `analytics`: one typed SQL view an event type for the data team, and the role that may read them and nothing else.
// Made by `bloomwatch migrate` and by every service that starts, after the migrations; nothing is done where nothing has changed.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace bloomwatch {

/// Who reads the views: a role that nobody logs in as. People's own roles are members of it (ops/analytics/README.md).
inline constexpr std::string_view analyst_role = "bloomwatch_analyst";

struct AnalyticsReport {
  std::vector<std::string> made;     ///< views that were made or replaced
  std::vector<std::string> dropped;  ///< views of events that are no more
  std::vector<std::string> stale;    ///< views that could not be replaced: `<name>: <why>`; they show what they showed before
  std::string no_role;               ///< why there is no role; empty if there is one

  bool changed() const { return !made.empty() || !dropped.empty(); }
};

/// Brings the views up to date, and says in the process's log what it did and what it could not. Safe when several processes do it at
/// once. A missing right to make the role, a view of somebody's that stands on one of ours, and a query that holds a view for longer than
/// 5 s are reported and do not stop anybody. Throws pg::Error when Postgres cannot be reached or refuses the rest.
AnalyticsReport make_analytics_views(const std::string& database_url, std::string_view role = analyst_role);

}  // namespace bloomwatch
