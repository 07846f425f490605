// Each page is one statement; recap_sql.cpp finds what recaps show.
#include "query-service/recaps/pages.h"

#include "query-service/recaps/recap.h"
#include "query-service/recaps/recap_rows.h"

namespace bloomwatch {
namespace {

namespace kind {
constexpr std::int16_t share = row_kind::own;  // id: share; id2: space; at1: when; t1: period; n1: 1 if it leads somewhere
}  // namespace kind

namespace column = recap_column;

struct RecapShareAnswer {
  RecapShareId id;
  std::string_view period;
  std::optional<WatchSpaceId> watch_space_id;  ///< null: of oneself
  Time created_at;
  bool leads = true;
};
BOOST_DESCRIBE_STRUCT(RecapShareAnswer, (), (id, period, watch_space_id, created_at, leads))

std::string my_text() {
  PageSql sql({Model::people, Model::spaces, Model::tracking, Model::recaps, Model::catalog}, "$1", recap_columns());
  add_my_recap(sql);
  add_my_genres(sql);
  return sql.text();
}

std::string space_text() {
  PageSql sql({Model::people, Model::spaces, Model::tracking, Model::analytics, Model::recaps, Model::catalog}, "$1", recap_columns());
  add_space_recap(sql);
  add_space_genres(sql);
  return sql.text();
}

/// $1 who, $2 how many, $3 after which.
std::string shares_text(bool after) {
  PageSql sql({Model::spaces, Model::recaps}, "$1", recap_columns());
  sql.rows(kind::share,
           {{"id", "s.share"},
            {"id2", "s.watch_space"},
            {"at1", "s.shared_at"},
            {"t1", "s.period"},
            {"n1", "(s.watch_space IS NULL OR COALESCE(m.joined_at <= s.shared_at, false))::integer"}},
           "FROM read_recaps.shares AS s LEFT JOIN read_spaces.members AS m ON m.watch_space = s.watch_space AND m.profile = s.shared_by"
           " WHERE s.shared_by = $1" +
               std::string(after ? " AND s.share < $3" : "") + " ORDER BY s.share DESC LIMIT $2");
  return sql.text();
}

const pg::Statement& shares_statement(bool after) {
  static const pg::Statement from_start(shares_text(false));
  static const pg::Statement from_place(shares_text(true));
  return after ? from_place : from_start;
}

}  // namespace

std::expected<Question, Problem> MyRecapPage::ask(const Visit& visit) const {
  static const pg::Statement statement(my_text());
  return Question{&statement, recap_params(visit.by.profile.uuid, period, visit.now)};
}

std::expected<Shown, Problem> MyRecapPage::show(const PageRows& rows, const Visit& visit, Keyring& keys) const {
  const auto recap = read_my_recap(rows, period, visit.now, keys);
  if (!recap) return std::unexpected(problems::read_model_behind());  // whoever holds a token has registered
  return Shown{json::to_string(*recap)};
}

std::expected<Question, Problem> SpaceRecapPage::ask(const Visit& visit) const {
  static const pg::Statement statement(space_text());
  return Question{&statement, recap_params(watch_space.uuid, period, visit.now)};
}

std::expected<Shown, Problem> SpaceRecapPage::show(const PageRows& rows, const Visit& visit, Keyring& keys) const {
  const auto recap = read_space_recap(rows, period, visit.now, keys, RecapMembers::present);
  if (!recap) return std::unexpected(no_such_space());
  return Shown{json::to_string(*recap)};
}

std::expected<Question, Problem> RecapShareListPage::ask(const Visit& visit) const {
  pg::Params params(visit.by.profile, items_max() + 1);
  if (!cursor) return Question{&shares_statement(false), std::move(params)};
  const auto place = visit.cursors->open<RecapSharePlace>(*cursor, visit.epoch, visit.path);
  if (!place) return std::unexpected(place.error());
  params.add(place->share);
  return Question{&shares_statement(true), std::move(params)};
}

std::expected<Shown, Problem> RecapShareListPage::show(const PageRows& rows, const Visit& visit, Keyring&) const {
  const PageRows::Range found = rows.of(kind::share);
  std::vector<RecapShareAnswer> items;
  std::optional<std::string> next;
  for (const pg::Row row : found) {
    items.push_back({row.get<RecapShareId>(PageRows::id_column), row.get<std::string_view>(column::t1),
                     row.get<std::optional<WatchSpaceId>>(column::id2), row.get<Time>(column::at1),
                     row.get<std::int32_t>(column::n1) != 0});
    if (static_cast<std::int64_t>(items.size()) < items_max()) continue;
    if (found.size() > items.size()) next = visit.next(*this, RecapSharePlace{items.back().id});
    break;
  }
  return show_list(items, std::move(next));
}

}  // namespace bloomwatch
