// GET …/analytics/timeline: one index range of moments, with the titles and the evenings that they are about.
#include <map>

#include "query-service/analytics/pages.h"
#include "query-service/boxes.h"
#include "query-service/spaces/members.h"
#include "query-service/tracking/rows.h"

namespace bloomwatch {
namespace {

namespace column = tracking_column;

namespace kind {
constexpr std::int16_t moment = row_kind::own + 10;  // id: anime; number: position; text: kind; id2: session; id3: profile; at1; t3: title
}  // namespace kind

struct TitleAnswer {
  AnimeId id;
  std::string_view preferred_title;
};
BOOST_DESCRIBE_STRUCT(TitleAnswer, (), (id, preferred_title))

struct MomentAnswer {
  std::string_view kind;  ///< space-created, member-joined, member-left, anime-added, anime-finished, session
  Time at;
  Position position = 0;             ///< of the event that says it, as in the history
  std::optional<ProfileId> user_id;  ///< who did it; of joining and leaving, who came or went
  std::optional<TitleAnswer> anime;
  std::optional<WatchSessionAnswer> session;
};
BOOST_DESCRIBE_STRUCT(MomentAnswer, (), (kind, at, position, user_id, anime, session))

/// $1 space, $2 how many, and after a cursor $3 and $4 the time and the position of the last one shown.
std::string timeline_statement(bool after) {
  PageSql sql({Model::spaces, Model::tracking, Model::analytics}, "$1", tracking_columns());
  sql.with("chosen AS MATERIALIZED (SELECT * FROM read_analytics.moments WHERE watch_space = $1" +
           std::string(after ? " AND (at, position) < ($3::timestamptz, $4::bigint)" : "") +
           " ORDER BY at DESC, position DESC LIMIT $2), evenings AS MATERIALIZED (SELECT s.* FROM chosen AS c LEFT JOIN"
           " read_tracking.sessions AS s ON s.session = c.session WHERE c.session IS NOT NULL)");
  add_members(sql, "at1");
  sql.rows(kind::moment,
           {{"id", "c.anime"},
            {"number", "c.position"},
            {"text", "c.kind"},
            {"id2", "c.session"},
            {"id3", "c.profile"},
            {"at1", "c.at"},
            {"t3", "a.preferred_title"}},
           "FROM chosen AS c LEFT JOIN read_tracking.anime AS a ON a.anime = c.anime");
  sql.rows(tracking_kind::session, session_values(), "FROM evenings AS s WHERE s.session IS NOT NULL");
  sql.rows(row_kind::key, {{"id", "authors.account"}, {"bytes", "k.wrapped"}}, keys_of("SELECT notes AS box FROM evenings"));
  return sql.text();
}

const pg::Statement& statement_of(bool after) {
  static const pg::Statement from_start(timeline_statement(false));
  static const pg::Statement from_place(timeline_statement(true));
  return after ? from_place : from_start;
}

MomentAnswer show_moment(const pg::Row& row) {
  MomentAnswer moment;
  moment.kind = row.get<std::string_view>(PageRows::text_column);
  moment.at = row.get<Time>(column::at1);
  moment.position = row.get<Position>(PageRows::number_column);
  moment.user_id = row.get<std::optional<ProfileId>>(column::id3);
  if (const auto anime = row.get<std::optional<AnimeId>>(PageRows::id_column))
    moment.anime = TitleAnswer{*anime, row.get<std::optional<std::string_view>>(column::t3).value_or(std::string_view())};
  return moment;
}

}  // namespace

std::expected<Question, Problem> TimelinePage::ask(const Visit& visit) const {
  pg::Params params(watch_space, items_max() + 1);
  if (!cursor) return Question{&statement_of(false), std::move(params)};
  const auto place = visit.cursors->open<TimelinePlace>(*cursor, visit.epoch, visit.path);
  if (!place) return std::unexpected(place.error());
  params.add(place->at).add(place->position);
  return Question{&statement_of(true), std::move(params)};
}

std::expected<Shown, Problem> TimelinePage::show(const PageRows& rows, const Visit& visit, Keyring& keys) const {
  const std::vector<ProfileId> members = members_of(rows, column::at1);
  std::map<WatchSessionId, pg::Row> evenings;
  for (const pg::Row row : rows.of(tracking_kind::session)) evenings.emplace(row.get<WatchSessionId>(PageRows::id_column), row);
  const PageRows::Range found = rows.of(kind::moment);
  std::vector<MomentAnswer> items;
  std::optional<std::string> next;
  for (const pg::Row row : found) {
    items.push_back(show_moment(row));
    if (const auto session = row.get<std::optional<WatchSessionId>>(column::id2))
      if (const auto evening = evenings.find(*session); evening != evenings.end())
        items.back().session = show_session(evening->second, members, keys);
    if (static_cast<std::int64_t>(items.size()) < items_max()) continue;
    if (found.size() > items.size()) next = visit.next(*this, TimelinePlace{items.back().at, items.back().position});
    break;
  }
  return show_list(items, std::move(next));
}

}  // namespace bloomwatch
