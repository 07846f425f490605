// Makes the views: compares what is there (each view's comment names its definition by a hash) with what the events' structs ask for, and
// replaces what differs, each view in a transaction of its own and all of them under one advisory lock.
#include "events/analytics_views.h"

#include <fmt/core.h>

#include <map>
#include <optional>

#include "events/analytics_columns.h"
#include "runtime/ascii.h"
#include "runtime/logging.h"
#include "runtime/postgres.h"

namespace bloomwatch {
namespace {

constexpr std::string_view comment_start = "Made by BloomWatch from its events. Definition ";
constexpr std::string_view take_lock = "SELECT pg_advisory_lock(7243393)";  // held until the connection closes
constexpr std::string_view wait_for_analysts = "SET lock_timeout = '5s'";   // a view is replaced only while nobody reads it
constexpr std::string_view insufficient_privilege = "42501";
constexpr std::string_view duplicate_object = "42710";
constexpr std::string_view unique_violation = "23505";
constexpr std::string_view invalid_table_definition = "42P16";  // CREATE OR REPLACE may add columns at the end only
constexpr std::string_view dependent_objects = "2BP01";
constexpr std::string_view lock_not_available = "55P03";

struct View {
  std::string statement;  // CREATE OR REPLACE VIEW …
  std::string comment;
};
using Views = std::map<std::string, View>;

struct Standing {
  std::string comment;
  bool readable = false;  // by the role
};

std::string select_list(const std::vector<AnalyticsColumn>& columns) {
  std::string list;
  for (const AnalyticsColumn& column : columns)
    list += fmt::format("{}  {} AS \"{}\"", list.empty() ? "" : ",\n", column.expression, column.name);
  return list;
}

/// All events without their data, in the same columns: what the views have in common.
std::string create_events_view() {
  return fmt::format(
      "CREATE OR REPLACE VIEW analytics.events WITH (security_barrier = true) AS SELECT\n{},\n  e.type::text AS \"type\"\n"
      "FROM log.events e WHERE e.position > 0",
      select_list(analytics_envelope()));
}

/// A name for a definition that changes with it.
std::string comment_of(const std::string& statement) { return std::string(comment_start) + Uuid::v5(Uuid{}, statement).to_string(); }

Views wanted_views() {
  Views views;
  const auto add = [&views](std::string name, std::string statement) {
    std::string comment = comment_of(statement);
    views.emplace(std::move(name), View{std::move(statement), std::move(comment)});
  };
  add("events", create_events_view());
  boost::mp11::mp_for_each<boost::mp11::mp_transform<std::type_identity, AllEvents>>(
      [&]<class E>(std::type_identity<E>) { add(analytics_view_name(type_name<E>()), create_view_statement<E>()); });
  return views;
}

/// The views in the schema that are ours; others' are let alone.
std::map<std::string, Standing> standing_views(pg::Connection& connection, std::string_view role) {
  static const std::string select =
      "SELECT c.relname::text, coalesce(obj_description(c.oid, 'pg_class'), ''), "
      "coalesce(has_table_privilege(r.oid, c.oid, 'SELECT'), false) "
      "FROM pg_class c LEFT JOIN pg_roles r ON r.rolname = $1 WHERE c.relnamespace = 'analytics'::regnamespace AND c.relkind = 'v'";
  std::map<std::string, Standing> standing;
  for (const pg::Row row : connection.query(select, pg::Params(role))) {
    const auto comment = row.get<std::string>(1);
    if (comment.starts_with(comment_start)) standing.emplace(row.get<std::string>(0), Standing{comment, row.get<bool>(2)});
  }
  return standing;
}

bool role_exists(pg::Connection& connection, std::string_view role) {
  return !connection.query("SELECT 1 FROM pg_roles WHERE rolname = $1", pg::Params(role)).empty();
}

bool up_to_date(pg::Connection& connection, const Views& wanted, std::string_view role) {
  const auto standing = standing_views(connection, role);
  if (standing.size() != wanted.size() || !role_exists(connection, role)) return false;
  for (const auto& [name, view] : wanted) {
    const auto found = standing.find(name);
    if (found == standing.end() || found->second.comment != view.comment || !found->second.readable) return false;
  }
  return true;
}

/// Why there is no role; empty if there is one now. Roles are the cluster's: another database's process may be making it as well.
std::string make_role(pg::Connection& connection, std::string_view role) {
  if (role_exists(connection, role)) return {};
  try {
    connection.script(
        fmt::format("CREATE ROLE {0} NOLOGIN; ALTER ROLE {0} SET statement_timeout = '60s'; "
                    "ALTER ROLE {0} SET default_transaction_read_only = on; "
                    "ALTER ROLE {0} SET idle_in_transaction_session_timeout = '60s'",
                    role));
  } catch (const pg::Error& error) {
    if (error.sqlstate() == insufficient_privilege) return error.what();
    if (error.sqlstate() != duplicate_object && error.sqlstate() != unique_violation) throw;
  }
  return {};
}

std::string literal(std::string_view text) { return "'" + std::string(text) + "'"; }  // names and comments of ours: no quotes in them

/// Runs what changes a view. Why it could not be done, if an analyst's view or query is in the way.
std::optional<std::string> change(pg::Connection& connection, const std::string& script) {
  try {
    connection.script(script);
    return std::nullopt;
  } catch (const pg::Error& error) {
    if (error.sqlstate() != dependent_objects && error.sqlstate() != lock_not_available) throw;
    return error.what();
  }
}

std::optional<std::string> replace(pg::Connection& connection, const std::string& name, const View& view, const std::string& grant) {
  const std::string make =
      fmt::format("{}; COMMENT ON VIEW analytics.\"{}\" IS {}; {}", view.statement, name, literal(view.comment), grant);
  try {
    return change(connection, make);
  } catch (const pg::Error& error) {
    if (error.sqlstate() != invalid_table_definition) throw;
    return change(connection, fmt::format("DROP VIEW analytics.\"{}\"; {}", name, make));
  }
}

AnalyticsReport bring_up_to_date(pg::Connection& connection, const Views& wanted, std::string_view role) {
  AnalyticsReport report;
  report.no_role = make_role(connection, role);
  const bool has_role = report.no_role.empty();
  if (has_role) connection.script(fmt::format("GRANT USAGE ON SCHEMA analytics TO {}", role));
  const auto standing = standing_views(connection, role);
  for (const auto& [name, view] : wanted) {
    const auto found = standing.find(name);
    if (found != standing.end() && found->second.comment == view.comment && (found->second.readable || !has_role)) continue;
    const std::string grant = has_role ? fmt::format("GRANT SELECT ON analytics.\"{}\" TO {}", name, role) : "";
    if (const auto why = replace(connection, name, view, grant)) {
      report.stale.push_back(name + ": " + *why);
    } else {
      report.made.push_back(name);
    }
  }
  for (const auto& [name, standing_view] : standing) {
    if (wanted.contains(name)) continue;
    if (const auto why = change(connection, fmt::format("DROP VIEW analytics.\"{}\"", name))) {
      report.stale.push_back(name + ": " + *why);
    } else {
      report.dropped.push_back(name);
    }
  }
  return report;
}

void tell(const AnalyticsReport& report, std::string_view role) {
  if (report.changed()) log::info("analytics", "views made", {{"made", report.made.size()}, {"dropped", report.dropped.size()}});
  for (const std::string& view : report.stale) log::warning("analytics", "a view could not be replaced", {{"view", view}});
  if (!report.no_role.empty())
    log::info("analytics", "analysts have no role: this database's user may not make one", {{"role", role}, {"error", report.no_role}});
}

}  // namespace

std::string analytics_view_name(std::string_view type) {
  std::string name;
  for (const char c : type) {
    const bool upper = c >= 'A' && c <= 'Z';
    if (upper && !name.empty()) name += '_';
    name += ascii::lower(c);
  }
  return name;
}

const std::vector<AnalyticsColumn>& analytics_envelope() {
  static const std::vector<AnalyticsColumn> columns = {{"position", "bigint", "e.position"},
                                                       {"recorded_at", "timestamptz", "e.recorded_at"},
                                                       {"stream", "text", "e.category || '-' || e.stream_id"},
                                                       {"stream_id", "uuid", "e.stream_id"},
                                                       {"version", "bigint", "e.version"},
                                                       {"schema_version", "smallint", "e.schema_version"},
                                                       {"event_id", "uuid", "e.event_id"},
                                                       {"partition_key", "uuid", "e.partition_key"},
                                                       {"partition", "smallint", "e.partition"},
                                                       {"by_account", "uuid", "e.account"},
                                                       {"by_profile", "uuid", "e.profile"},
                                                       {"origin", "text", "e.origin::text"},
                                                       {"provider", "text", "e.provider::text"},
                                                       {"reference", "text", "e.reference::text"},
                                                       {"command_id", "uuid", "e.command_id"},
                                                       {"correlation_id", "uuid", "e.correlation_id"},
                                                       {"causation_id", "uuid", "e.causation_id"},
                                                       {"undoes", "uuid", "e.undoes"}};
  return columns;
}

// A security barrier: what an analyst asks is looked at after the type, so that a condition or a cast never meets another event's data.
std::string create_view_statement(std::string_view type, const std::vector<AnalyticsColumn>& columns, const std::string& present_data) {
  return fmt::format(
      "CREATE OR REPLACE VIEW analytics.\"{}\" WITH (security_barrier = true) AS SELECT\n{}{}{}\n"
      "FROM log.events e, LATERAL (SELECT {} AS data) d WHERE e.position > 0 AND e.type = {}",
      analytics_view_name(type), select_list(analytics_envelope()), columns.empty() ? "" : ",\n", select_list(columns), present_data,
      literal(type));
}

AnalyticsReport make_analytics_views(const std::string& database_url, std::string_view role) {
  pg::Connection connection(
      {.url = database_url, .application_name = "bloomwatch analytics", .settings = {{"client_min_messages", "warning"}}});
  const Views wanted = wanted_views();
  if (up_to_date(connection, wanted, role)) return {};
  connection.script(std::string(take_lock));
  connection.script(std::string(wait_for_analysts));
  AnalyticsReport report = bring_up_to_date(connection, wanted, role);
  tell(report, role);
  return report;
}

}  // namespace bloomwatch
