// GET …/anime/{anime}/sessions: one index range, newest first.
#include "query-service/boxes.h"
#include "query-service/spaces/members.h"
#include "query-service/tracking/pages.h"

namespace bloomwatch {
namespace {

namespace column = tracking_column;

/// $1 space, $2 anime, $3 how many, and after a cursor $4 and $5 the date and the id of the last one shown.
std::string statement_text(bool after) {
  PageSql sql({Model::spaces, Model::tracking}, "$1", tracking_columns());
  sql.with("chosen AS MATERIALIZED (SELECT * FROM read_tracking.sessions WHERE anime = $2 AND watch_space = $1" +
           std::string(after ? " AND (session_date, session) < ($4::timestamptz, $5::uuid)" : "") +
           " ORDER BY session_date DESC, session DESC LIMIT $3)");
  add_members(sql, "at1");
  sql.rows(tracking_kind::anime, {{"id", "anime"}}, "FROM read_tracking.anime WHERE anime = $2 AND watch_space = $1");
  sql.rows(tracking_kind::session, session_values(), "FROM chosen AS s");
  sql.rows(row_kind::key, {{"id", "authors.account"}, {"bytes", "k.wrapped"}}, keys_of("SELECT notes AS box FROM chosen"));
  return sql.text();
}

const pg::Statement& statement_of(bool after) {
  static const pg::Statement from_start(statement_text(false));
  static const pg::Statement from_place(statement_text(true));
  return after ? from_place : from_start;
}

}  // namespace

std::expected<Question, Problem> WatchSessionListPage::ask(const Visit& visit) const {
  pg::Params params(watch_space, anime, items_max() + 1);
  if (!cursor) return Question{&statement_of(false), std::move(params)};
  const auto place = visit.cursors->open<WatchSessionPlace>(*cursor, visit.epoch, visit.list());
  if (!place) return std::unexpected(place.error());
  params.add(place->session_date).add(place->session);
  return Question{&statement_of(true), std::move(params)};
}

std::expected<Shown, Problem> WatchSessionListPage::show(const PageRows& rows, const Visit& visit, Keyring& keys) const {
  if (rows.of(tracking_kind::anime).empty()) return std::unexpected(no_such_anime());
  const std::vector<ProfileId> members = members_of(rows, column::at1);
  const PageRows::Range found = rows.of(tracking_kind::session);
  std::vector<WatchSessionAnswer> items;
  std::optional<std::string> next;
  for (const pg::Row row : found) {
    items.push_back(show_session(row, members, keys));
    if (static_cast<std::int64_t>(items.size()) < items_max()) continue;
    if (found.size() > items.size()) next = visit.next(*this, WatchSessionPlace{items.back().session_date, items.back().id});
    break;
  }
  return show_list(items, std::move(next));
}

}  // namespace bloomwatch
