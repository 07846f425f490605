// GET …/analytics/shared-stats: sums that the fold keeps, a few months of them, and the days that streaks are made of.
#include <fmt/format.h>

#include <limits>
#include <map>
#include <stdexcept>

#include "events/recap_period.h"
#include "projector/analytics/analytics.h"
#include "query-service/analytics/figures.h"
#include "query-service/analytics/pages.h"
#include "query-service/dashboard/taste.h"
#include "query-service/spaces/members.h"

namespace bloomwatch {
namespace {

namespace kind {
constexpr std::int16_t zone = row_kind::own;              // text: time zone
constexpr std::int16_t space = row_kind::own + 1;         // b1 …: SpaceNumbers in order
constexpr std::int16_t evenings = row_kind::own + 2;      // b1 …: sessions, episodes, minutes, untimed
constexpr std::int16_t member = row_kind::own + 3;        // id: profile; the same
constexpr std::int16_t month = row_kind::own + 4;         // number: month; the same
constexpr std::int16_t member_month = row_kind::own + 5;  // number, id; the same
constexpr std::int16_t days = row_kind::own + 6;          // j1: day numbers
}  // namespace kind

namespace stats_column {
constexpr int at1 = PageRows::own_column;  // member: joined_at
constexpr int b1 = at1 + 1;
constexpr int j1 = b1 + 9;
}  // namespace stats_column

PageSql::Columns stats_columns() {
  return {{"at1", "timestamptz"}, {"b1", "bigint"}, {"b2", "bigint"}, {"b3", "bigint"}, {"b4", "bigint"}, {"b5", "bigint"},
          {"b6", "bigint"},       {"b7", "bigint"}, {"b8", "bigint"}, {"b9", "bigint"}, {"j1", "jsonb"}};
}

PageSql::Values sums(const std::string& of, PageSql::Values values) {
  values.insert(values.end(), {{"b1", of + ".sessions"}, {"b2", of + ".episodes"}, {"b3", of + ".minutes"}, {"b4", of + ".untimed"}});
  return values;
}

/// $1 space, $2 how many months, $3 before which one.
std::string stats_statement() {
  const std::string present(present_ids);
  PageSql sql({Model::spaces, Model::analytics}, "$1", stats_columns());
  sql.with(std::string(present_members) +
           ", chosen AS MATERIALIZED (SELECT * FROM read_analytics.months WHERE watch_space = $1 AND month > 0 AND month < $3::integer"
           " AND sessions > 0 ORDER BY month DESC LIMIT $2)");
  add_members(sql, "at1");
  sql.rows(kind::zone, {{"text", "time_zone"}}, "FROM read_spaces.spaces WHERE watch_space = $1");
  sql.rows(kind::space,
           {{"b1", "backlog"},
            {"b2", "watching"},
            {"b3", "finished"},
            {"b4", "paused"},
            {"b5", "dropped"},
            {"b6", "episodes"},
            {"b7", "minutes"},
            {"b8", "untimed"},
            {"b9", "untimed_titles"}},
           "FROM read_analytics.spaces WHERE watch_space = $1");
  sql.rows(kind::evenings, sums("e", {}), "FROM read_analytics.months AS e WHERE e.watch_space = $1 AND e.month = 0");
  sql.rows(kind::member, sums("e", {{"id", "e.profile"}}),
           "FROM read_analytics.member_months AS e WHERE e.watch_space = $1 AND e.month = 0 AND e.profile = ANY(" + present + ")");
  sql.rows(kind::month, sums("e", {{"number", "e.month::bigint"}}), "FROM chosen AS e");
  sql.rows(kind::member_month, sums("e", {{"number", "c.month::bigint"}, {"id", "e.profile"}}),
           "FROM chosen AS c LEFT JOIN read_analytics.member_months AS e ON e.watch_space = $1 AND e.month = c.month AND e.profile = ANY(" +
               present + ")");
  sql.rows(kind::days, {{"j1", "COALESCE(jsonb_agg(d.day), '[]'::jsonb)"}},
           "FROM (SELECT day FROM read_analytics.days WHERE watch_space = $1 AND sessions > 0 ORDER BY day DESC LIMIT " +
               std::to_string(streak_days_max) + ") AS d");
  return sql.text();
}

// --------------------------------------------------------------------------------------------------------------------------- answers

/// Evenings summed up.
struct Watched {
  std::int64_t sessions = 0;
  std::int64_t episodes = 0;
  WatchTime time = watch_time(0, 0, 0);
};
BOOST_DESCRIBE_STRUCT(Watched, (), (sessions, episodes, time))

struct MemberWatched : Watched {
  ProfileId user_id = {};
};
BOOST_DESCRIBE_STRUCT(MemberWatched, (Watched), (user_id))

struct MonthWatched : Watched {
  std::string month = {};                   ///< 2026-11
  std::vector<MemberWatched> members = {};  ///< all present ones, in the order of their joining
};
BOOST_DESCRIBE_STRUCT(MonthWatched, (Watched), (month, members))

struct DatedStreak : Streak {
  std::optional<std::string> last_day = {};  ///< 2026-11-21
};
BOOST_DESCRIBE_STRUCT(DatedStreak, (Streak), (last_day))

struct SharedStatsAnswer {
  WatchSpaceId watch_space_id;
  std::string_view time_zone;
  std::int64_t episodes_watched_together = 0;  ///< sum of shared progress
  std::int64_t episodes_in_sessions = 0;       ///< rewatches count each time
  std::int64_t sessions = 0;
  Completion completion;
  WatchTime time_together;                    ///< of the shared progress
  std::int64_t titles_of_unknown_length = 0;  ///< those that have episodes in `time_together.episodesUntimed`
  WatchTime time_in_sessions;
  DatedStreak streak;
  std::vector<MemberWatched> members;
  std::vector<MonthWatched> months;
  std::optional<std::string> next;
};
BOOST_DESCRIBE_STRUCT(SharedStatsAnswer, (),
                      (watch_space_id, time_zone, episodes_watched_together, episodes_in_sessions, sessions, completion, time_together,
                       titles_of_unknown_length, time_in_sessions, streak, members, months, next))

std::int64_t b(const pg::Row& row, int number) { return row.get<std::int64_t>(stats_column::b1 + number - 1); }

void take(const pg::Row& row, Watched& into) {
  into.sessions = b(row, 1);
  into.episodes = b(row, 2);
  into.time = watch_time(b(row, 2), b(row, 3), b(row, 4));
}

/// All members, with the figures of those who have some.
std::vector<MemberWatched> all_of(const std::vector<ProfileId>& members, const std::map<ProfileId, pg::Row>& rows) {
  std::vector<MemberWatched> all;
  for (const ProfileId member : members) {
    all.emplace_back().user_id = member;
    if (const auto row = rows.find(member); row != rows.end()) take(row->second, all.back());
  }
  return all;
}

void show_space(const PageRows& rows, SharedStatsAnswer& answer) {
  Completion counts;
  std::int64_t minutes = 0;
  std::int64_t untimed = 0;
  for (const pg::Row row : rows.of(kind::space)) {
    counts.backlog = b(row, 1);
    counts.watching = b(row, 2);
    counts.finished = b(row, 3);
    counts.paused = b(row, 4);
    counts.dropped = b(row, 5);
    answer.episodes_watched_together = b(row, 6);
    minutes = b(row, 7);
    untimed = b(row, 8);
    answer.titles_of_unknown_length = b(row, 9);
  }
  answer.completion = completion_of(counts);
  answer.time_together = watch_time(answer.episodes_watched_together, minutes, untimed);
}

void show_evenings(const PageRows& rows, SharedStatsAnswer& answer) {
  Watched evenings;
  for (const pg::Row row : rows.of(kind::evenings)) take(row, evenings);
  answer.sessions = evenings.sessions;
  answer.episodes_in_sessions = evenings.episodes;
  answer.time_in_sessions = evenings.time;
}

DatedStreak show_streak(const PageRows& rows, std::string_view zone, Time now) {
  auto days = json::read<std::vector<std::int32_t>>(rows.of(kind::days).front().get<std::string_view>(stats_column::j1));
  if (!days) throw std::runtime_error("the days of read_analytics.days are unreadable");
  DatedStreak streak;
  static_cast<Streak&>(streak) = streak_of(*days, day_number(date_in(zone, now)));
  if (!days->empty()) streak.last_day = date_text(date_of_day(days->front()));
  return streak;
}

void show_months(const PageRows& rows, const std::vector<ProfileId>& members, std::size_t months_max, SharedStatsAnswer& answer) {
  std::map<std::int64_t, std::map<ProfileId, pg::Row>> of_members;
  for (const pg::Row row : rows.of(kind::member_month))
    if (!row.null(PageRows::id_column))
      of_members[row.get<std::int64_t>(PageRows::number_column)].emplace(row.get<ProfileId>(PageRows::id_column), row);
  for (const pg::Row row : rows.of(kind::month)) {
    if (answer.months.size() == months_max) break;
    MonthWatched& month = answer.months.emplace_back();
    take(row, month);
    const auto number = row.get<std::int64_t>(PageRows::number_column);
    month.month = fmt::format("{:04}-{:02}", number / 100, number % 100);
    month.members = all_of(members, of_members[number]);
  }
}

}  // namespace

std::expected<Question, Problem> SharedStatsPage::ask(const Visit& visit) const {
  static const pg::Statement statement(stats_statement());
  std::int32_t before = std::numeric_limits<std::int32_t>::max();
  if (cursor) {
    const auto place = visit.cursors->open<MonthPlace>(*cursor, visit.epoch, visit.path);
    if (!place) return std::unexpected(place.error());
    before = place->month;
  }
  return Question{&statement, pg::Params(watch_space, limit.value_or(MonthLimit{}).value + 1, before)};
}

std::expected<Shown, Problem> SharedStatsPage::show(const PageRows& rows, const Visit& visit, Keyring&) const {
  const auto months_max = static_cast<std::size_t>(limit.value_or(MonthLimit{}).value);
  const std::vector<ProfileId> members = members_of(rows, stats_column::at1);
  SharedStatsAnswer answer;
  answer.watch_space_id = watch_space;
  answer.time_zone = "UTC";
  for (const pg::Row row : rows.of(kind::zone)) answer.time_zone = row.get<std::string_view>(PageRows::text_column);
  show_space(rows, answer);
  show_evenings(rows, answer);
  answer.streak = show_streak(rows, answer.time_zone, visit.now);
  std::map<ProfileId, pg::Row> of_members;
  for (const pg::Row row : rows.of(kind::member)) of_members.emplace(row.get<ProfileId>(PageRows::id_column), row);
  answer.members = all_of(members, of_members);
  show_months(rows, members, months_max, answer);
  const PageRows::Range months = rows.of(kind::month);
  if (months.size() > months_max) {
    const pg::Row last = *std::ranges::next(months.begin(), static_cast<std::ptrdiff_t>(months_max - 1));
    const MonthPlace place{static_cast<std::int32_t>(last.get<std::int64_t>(PageRows::number_column))};
    answer.next = visit.path + "?limit=" + std::to_string(months_max) + "&cursor=" + visit.cursors->make(visit.epoch, visit.path, place);
  }
  Shown shown{json::to_string(answer)};
  shown.next = answer.next;
  return shown;
}

}  // namespace bloomwatch
