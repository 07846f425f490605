// Every walk through history is the same statement around another index.
#include "query-service/history/statements.h"

#include <array>
#include <memory>
#include <string>
#include <vector>

#include "projector/history/history.h"
#include "query-service/history/items.h"
#include "query-service/page_rows.h"
#include "query-service/pages.h"
#include "query-service/spaces/members.h"

namespace bloomwatch {
namespace {

PageSql::Columns columns() {
  return {{"id2", "uuid"},
          {"anime", "uuid"},
          {"actor", "uuid"},
          {"person", "uuid"},
          {"command", "uuid"},
          {"at1", "timestamptz"},
          {"at2", "timestamptz"},
          {"at3", "timestamptz"},
          {"undoes", "bigint"},
          {"version", "integer"},
          {"before_version", "integer"},
          {"data", "text"},
          {"before_type", "text"},
          {"before_data", "text"},
          {"origin", "text"},
          {"provider", "text"},
          {"reference", "text"},
          {"types", "jsonb"},
          {"title_id", "uuid"}};
}

bool is_of_a_space(HistoryWalk walk) { return walk == HistoryWalk::space || walk == HistoryWalk::anime; }
bool is_for_admins(HistoryWalk walk) { return walk >= HistoryWalk::any_space; }

/// The conditions under which indexes are walked: several, where what is found in each is merged.
std::vector<std::string> conditions(HistoryWalk walk) {
  switch (walk) {
    case HistoryWalk::space:
    case HistoryWalk::any_space:
      return {"watch_space = $4"};
    case HistoryWalk::anime:
      return {"anime = $4 AND watch_space = $1"};
    case HistoryWalk::any_anime:
      return {"anime = $4"};
    case HistoryWalk::own:
    case HistoryWalk::any_person:
      return {"actor = $4 AND part = 0", "person = $4 AND person IS DISTINCT FROM actor"};
    case HistoryWalk::everything:
      break;
  }
  return {"part = 0"};
}

/// Whom a change is about: its own person, and those of its parts.
constexpr std::string_view about_person =
    "($6::uuid IS NULL OR c.actor = $6 OR c.person = $6 OR EXISTS (SELECT FROM read_history.changes AS x WHERE x.position = c.position AND"
    " x.part > 0 AND x.person = $6 OFFSET 0))";

/// Down to where a filtered walk stops for this page: below it nothing was looked at.
std::string floor_clause(HistoryWalk walk) {
  std::string floors;
  for (const std::string& condition : conditions(walk)) {
    if (!floors.empty()) floors += " UNION ALL ";
    floors += "(SELECT position FROM read_history.changes WHERE " + condition +
              " AND position < (SELECT before FROM bounds) AND position > (SELECT after FROM bounds) ORDER BY position DESC OFFSET " +
              std::to_string(changes_examined_max - 1) + " LIMIT 1)";
  }
  return "bounds AS MATERIALIZED (SELECT LEAST($3::bigint, projection.position_before($8::timestamptz) + 1) AS before,"
         " COALESCE(projection.position_before($7::timestamptz), 0) AS after),"
         " floors AS MATERIALIZED (SELECT max(position) AS position FROM (" +
         floors + ") AS f), ";
}

std::string walk_of(const std::string& condition, bool filtered) {
  std::string sql = "(SELECT c.* FROM read_history.changes AS c WHERE " + condition;
  if (!filtered) return sql + " AND position < $3 ORDER BY position DESC LIMIT $2)";
  sql +=
      " AND position < (SELECT before FROM bounds) AND position > (SELECT after FROM bounds)"
      " AND position >= (SELECT COALESCE(position, 0) FROM floors) AND (cardinality($5::text[]) = 0 OR c.type = ANY($5)) AND ";
  return sql + std::string(about_person) + " AND ($9::uuid IS NULL OR c.watch_space = $9) ORDER BY position DESC LIMIT $2)";
}

/// The changes that are shown.
std::string chosen_by(HistoryWalk walk, bool filtered) {
  const std::vector<std::string> walks = conditions(walk);
  if (walks.size() == 1) return walk_of(walks.front(), filtered);
  std::string found;
  for (const std::string& condition : walks) found += (found.empty() ? "" : " UNION ALL ") + walk_of(condition, filtered);
  // What is found as a part is shown as the whole.
  return "(SELECT c.* FROM (SELECT position FROM (" + found +
         ") AS all_found ORDER BY position DESC LIMIT $2) AS p CROSS JOIN LATERAL (SELECT * FROM read_history.changes WHERE position = "
         "p.position AND part = 0 OFFSET 0) AS c)";
}

/// With what was there before each: mostly a whole event, found at once; where it is a part of one, that is looked up.
std::string told_clause(HistoryWalk walk, bool filtered) {
  return "told AS MATERIALIZED (SELECT c.position, c.type, c.actor, c.person, c.at, c.watch_space, c.anime, c.title, c.event, c.undoes,"
         " c.command, c.origin, c.provider, c.reference, c.schema_version, c.sealed_by, c.data, COALESCE(b.type, p.type) AS before_type,"
         " COALESCE(b.schema_version, p.schema_version) AS before_version, COALESCE(b.data, p.data) AS before_data, COALESCE(b.sealed_by,"
         " p.sealed_by) AS before_sealed_by FROM " +
         chosen_by(walk, filtered) +
         " AS c LEFT JOIN LATERAL (SELECT position, part, type, schema_version, data, sealed_by FROM read_history.changes WHERE sets ="
         " c.looks_at AND position < c.position ORDER BY position DESC LIMIT 1) AS p ON true LEFT JOIN read_history.changes AS b ON"
         " b.position = CASE WHEN p.part > 0 THEN p.position END AND b.part = 0)";
}

/// Who is named on the page, and whose keys open what is told. By changes in a space that one is no member of now nobody is named but
/// oneself: a name is today's, and may be one that a former member never saw.
std::string named_clauses(HistoryWalk walk) {
  std::string several;
  for (const std::string_view type : types_about_several) several += (several.empty() ? "'" : ", '") + std::string(type) + '\'';
  constexpr std::string_view of_own_spaces =
      " WHERE t.watch_space IS NULL OR EXISTS (SELECT FROM read_spaces.members AS m WHERE m.watch_space = t.watch_space AND m.profile = $4"
      " OFFSET 0)";
  const bool own = walk == HistoryWalk::own;
  return ", naming AS MATERIALIZED (SELECT t.position, t.type, t.actor, t.person FROM told AS t" + std::string(own ? of_own_spaces : "") +
         "), named AS MATERIALIZED (SELECT DISTINCT profile FROM (SELECT actor AS profile FROM naming UNION ALL SELECT person FROM naming"
         " UNION ALL SELECT x.person FROM naming AS t CROSS JOIN LATERAL (SELECT person FROM read_history.changes WHERE position ="
         " t.position AND part > 0 OFFSET 0) AS x WHERE t.type IN (" +
         several + ")" + (own ? " UNION ALL SELECT $4" : "") +
         ") AS n WHERE profile IS NOT NULL)"
         ", sealers AS MATERIALIZED (SELECT DISTINCT account FROM (SELECT sealed_by AS account FROM told UNION ALL SELECT before_sealed_by"
         " FROM told) AS s WHERE account IS NOT NULL)";
}

/// What takes back what is told, and what takes that back, and so on.
std::string undos_clause() {
  const auto undone_in = [](const std::string& changes) {
    return "SELECT u.event, u.position, c.position AS undone FROM " + changes +
           " AS c CROSS JOIN LATERAL (SELECT event, position FROM read_history.changes WHERE undoes = c.event OFFSET 0) AS u";
  };
  return ", undos AS MATERIALIZED (WITH RECURSIVE found AS (" + undone_in("told") + " UNION " + undone_in("found") +
         ") SELECT position, undone FROM found LIMIT " + std::to_string(undos_examined_max) + ")";
}

void add_changes(PageSql& sql) {
  sql.rows(history_kind::change,
           {{"number", "t.position"},
            {"text", "t.type"},
            {"id2", "t.watch_space"},
            {"anime", "t.anime"},
            {"actor", "t.actor"},
            {"person", "t.person"},
            {"command", "t.command"},
            {"at1", "t.at"},
            {"undoes", "u.position"},
            {"version", "t.schema_version::integer"},
            {"before_version", "t.before_version::integer"},
            {"data", "t.data"},
            {"before_type", "t.before_type"},
            {"before_data", "t.before_data"},
            {"origin", "t.origin"},
            {"provider", "t.provider"},
            {"reference", "t.reference"},
            {"title_id", "t.title"}},
           "FROM told AS t LEFT JOIN read_history.changes AS u ON u.event = t.undoes");
  sql.rows(history_kind::undo, {{"number", "position"}, {"undoes", "undone"}}, "FROM undos ORDER BY position DESC");
}

/// What is named on the page, each once: spaces, their anime, titles of the catalogue. Who is no member now, or not yet, is told no name of
/// the space.
void add_names(PageSql& sql, HistoryWalk walk) {
  const auto each = [&](std::string_view what, std::string_view name, std::string_view from) {
    const std::string id = "d." + std::string(what);
    sql.rows(
        history_kind::name, {{"id", id}, {"text", std::string(name)}},
        "FROM (SELECT DISTINCT " + std::string(what) + " FROM told WHERE " + std::string(what) + " IS NOT NULL) AS d" + std::string(from));
  };
  constexpr std::string_view spaces = " LEFT JOIN read_spaces.spaces AS s ON s.watch_space = d.watch_space";
  constexpr std::string_view own_spaces =
      " LEFT JOIN read_spaces.members AS m ON m.watch_space = d.watch_space AND m.profile = $4 LEFT JOIN read_spaces.spaces AS s ON"
      " s.watch_space = m.watch_space";
  each("watch_space", "s.name", walk == HistoryWalk::own ? own_spaces : spaces);
  each("anime", "a.preferred_title", " LEFT JOIN read_tracking.anime AS a ON a.anime = d.anime");
  each("title", "c.name", " LEFT JOIN read_catalog.titles AS c ON c.title = d.title");
}

std::string statement_text(HistoryWalk walk, bool filtered) {
  PageSql sql({Model::history, Model::spaces, Model::people, Model::tracking, Model::catalog}, "$1", columns());
  sql.with((filtered ? floor_clause(walk) : "") + told_clause(walk, filtered) + named_clauses(walk) + undos_clause());
  if (is_of_a_space(walk)) add_members(sql, "at1");
  if (is_for_admins(walk)) add_admin(sql);
  add_changes(sql);
  add_names(sql, walk);
  sql.rows(history_kind::person, {{"id", "n.profile"}, {"text", "p.display_name"}, {"bytes", "k.wrapped"}, {"id2", "k.account"}},
           "FROM named AS n LEFT JOIN read_people.profiles AS p ON p.profile = n.profile LEFT JOIN secrets.keys AS k ON k.account ="
           " p.account");
  sql.rows(row_kind::key, {{"id", "k.account"}, {"bytes", "k.wrapped"}},
           "FROM sealers AS s LEFT JOIN secrets.keys AS k ON k.account = s.account WHERE k.account IS NOT NULL");
  if (filtered) sql.rows(history_kind::floor, {{"number", "position"}}, "FROM floors WHERE position IS NOT NULL");
  if (walk == HistoryWalk::anime)
    sql.rows(history_kind::anime, {{"id", "anime"}}, "FROM read_history.changes WHERE anime = $4 AND watch_space = $1 LIMIT 1");
  return sql.text();
}

}  // namespace

const pg::Statement& history_statement(HistoryWalk walk, bool filtered) {
  constexpr std::size_t walks = static_cast<std::size_t>(HistoryWalk::everything) + 1;
  static const auto statements = [] {
    std::array<std::unique_ptr<pg::Statement>, 2 * walks> made;
    for (std::size_t i = 0; i < made.size(); ++i)
      made[i] = std::make_unique<pg::Statement>(statement_text(static_cast<HistoryWalk>(i / 2), i % 2 == 1));
    return made;
  }();
  return *statements.at(static_cast<std::size_t>(walk) * 2 + (filtered ? 1 : 0));
}

const pg::Statement& audit_query_statement() {
  static const pg::Statement statement([] {
    PageSql sql({Model::history, Model::spaces, Model::people, Model::tracking, Model::catalog}, "$1", columns());
    add_admin(sql);
    sql.rows(history_kind::query,
             {{"id", "watch_space"},
              {"id2", "admin"},
              {"anime", "anime"},
              {"person", "person"},
              {"at1", "asked_at"},
              {"at2", "since"},
              {"at3", "until"},
              {"before_type", "field"},
              {"types", "types"}},
             "FROM read_history.queries WHERE query = $2");
    return sql.text();
  }());
  return statement;
}

}  // namespace bloomwatch
