// The branches that find a recap: keyed ranges of days, months and periods, and a few rows of the titles that come out of them.
#include "projector/analytics/analytics.h"
#include "query-service/catalog/rows.h"
#include "query-service/recaps/recap.h"
#include "query-service/recaps/recap_rows.h"
#include "query-service/spaces/members.h"

namespace bloomwatch {
namespace {

// $1 whose, $2 and $3 first and last month, $4 first day, $5 the day after the last, $6 the period's number, $7 whether it ends just about
// now, so that it matters where.
std::string number(int value) { return std::to_string(value); }

/// The first, the last and the fullest of `days`, and the sessions of these days in the spaces that `spaces` finds for one.
std::string marked_days() {
  return "marks AS MATERIALIZED (SELECT 0 AS which, min(day) AS day FROM days UNION ALL SELECT 1, max(day) FROM days UNION ALL"
         " (SELECT 2, day FROM days ORDER BY episodes DESC, day LIMIT 1))";
}

void add_days(PageSql& sql) {
  sql.rows(recap_kind::day, {{"n1", "day"}, {"b1", "sessions"}, {"b2", "episodes"}, {"b3", "minutes"}, {"b4", "untimed"}},
           "FROM days ORDER BY day");
}

/// Of more than evenings_of_day_max of a day and space the first, and of the last day the last.
void add_evenings(PageSql& sql, std::string_view spaces, std::string_view where) {
  const auto add = [&](std::string_view of_marks, std::string_view order) {
    sql.rows(recap_kind::evening,
             {{"number", "m.which::bigint"},
              {"id", "e.anime"},
              {"id2", "e.title"},
              {"id3", "e.session"},
              {"at1", "e.session_date"},
              {"n1", "e.day"},
              {"b1", "e.episodes::bigint"},
              {"text", "a.preferred_title"}},
             "FROM marks AS m CROSS JOIN LATERAL (" + std::string(spaces) +
                 ") AS s CROSS JOIN LATERAL (SELECT * FROM read_recaps.evenings WHERE watch_space = s.watch_space AND day = m.day" +
                 std::string(where) + " ORDER BY " + std::string(order) + " LIMIT " + number(evenings_of_day_max) +
                 ") AS e LEFT JOIN read_tracking.anime AS a ON a.anime = e.anime WHERE m.day IS NOT NULL AND " + std::string(of_marks));
  };
  add("m.which <> 1", "session_date, session");
  add("m.which = 1", "session_date DESC, session DESC");
}

/// The most watched titles of rows of `table` whose first column is $1; `number` is how many there are at all.
void add_titles(PageSql& sql, std::string_view table, std::string_view whose) {
  sql.rows(
      recap_kind::title,
      {{"id", "t.anime"}, {"id2", "t.title"}, {"b1", "t.episodes"}, {"number", "t.count"}, {"text", "a.preferred_title"}},
      "FROM (SELECT title, anime, episodes, count(*) OVER () AS count FROM (SELECT title, (array_agg(anime ORDER BY anime))[1] AS anime,"
      " sum(episodes)::bigint AS episodes FROM read_recaps." +
          std::string(table) + " WHERE " + std::string(whose) +
          " = $1 AND month BETWEEN $2 AND $3 AND episodes > 0 GROUP BY title) AS grouped ORDER BY episodes DESC, title LIMIT " +
          number(recap_titles_max) + ") AS t LEFT JOIN read_tracking.anime AS a ON a.anime = t.anime");
}

/// The genres of the most watched titles of rows of `table` whose first column is $1, as the catalogue has them.
void add_genres(PageSql& sql, std::string_view table, std::string_view whose) {
  sql.rows(
      recap_kind::genre, {{"text", "g.genre"}, {"b1", "g.episodes"}, {"number", "g.titles"}},
      "FROM (SELECT e.genre, sum(t.episodes)::bigint AS episodes, count(*) AS titles FROM (SELECT title, sum(episodes) AS episodes FROM"
      " read_recaps." +
          std::string(table) + " WHERE " + std::string(whose) +
          " = $1 AND month BETWEEN $2 AND $3 AND episodes > 0 GROUP BY title ORDER BY sum(episodes) DESC, title LIMIT " +
          number(genre_titles_max) + ") AS t CROSS JOIN LATERAL (SELECT " + living_title("t.title") +
          " AS title OFFSET 0) AS l CROSS JOIN LATERAL (SELECT genres FROM read_catalog.titles WHERE title = l.title OFFSET 0) AS c CROSS"
          " JOIN LATERAL jsonb_array_elements_text(c.genres) AS e (genre) GROUP BY e.genre ORDER BY sum(t.episodes) DESC, e.genre LIMIT " +
          number(recap_titles_max) + ") AS g");
}

}  // namespace

void add_my_genres(PageSql& sql) { add_genres(sql, "member_titles", "profile"); }
void add_space_genres(PageSql& sql) { add_genres(sql, "titles", "watch_space"); }

PageSql::Columns recap_columns() {
  return {{"id2", "uuid"},  {"id3", "uuid"},  {"at1", "timestamptz"}, {"n1", "integer"}, {"n2", "integer"}, {"b1", "bigint"},
          {"b2", "bigint"}, {"b3", "bigint"}, {"b4", "bigint"},       {"t1", "text"},    {"t2", "text"},    {"j1", "jsonb"}};
}

pg::Params recap_params(const Uuid& whose, const RecapPeriod& period, Time now) {
  constexpr std::chrono::hours farthest_zone{26};  // of any, from UTC, and then some
  const auto end = Time(std::chrono::days(day_number(period.end_day())));
  return pg::Params(whose, period.first_month(), period.last_month(), day_number(period.first_day()), day_number(period.end_day()),
                    period.number(), std::chrono::abs(now - end) < farthest_zone);
}

void add_my_recap(PageSql& sql, const std::string& clauses) {
  sql.with(
      "mine AS MATERIALIZED (SELECT watch_space FROM read_spaces.members WHERE profile = $1),"
      " days AS MATERIALIZED (SELECT day, sum(sessions)::bigint AS sessions, sum(episodes)::bigint AS episodes, sum(minutes)::bigint AS"
      " minutes, sum(untimed)::bigint AS untimed FROM read_recaps.member_days WHERE profile = $1 AND day >= $4 AND day < $5 AND sessions > "
      "0"
      " GROUP BY day), " +
      marked_days() + (clauses.empty() ? "" : ", " + clauses));
  sql.rows(recap_kind::owner,
           {{"id", "p.profile"}, {"text", "p.display_name"}, {"t1", "p.time_zone"}, {"bytes", "k.wrapped"}, {"id2", "p.account"}},
           "FROM read_people.profiles AS p LEFT JOIN secrets.keys AS k ON k.account = p.account WHERE p.profile = $1");
  sql.rows(recap_kind::zone, {{"text", "s.time_zone"}},
           "FROM mine AS m LEFT JOIN read_spaces.spaces AS s ON s.watch_space = m.watch_space WHERE $7");
  add_days(sql);
  add_titles(sql, "member_titles", "profile");
  add_evenings(sql, "SELECT watch_space FROM read_recaps.member_days WHERE profile = $1 AND day = m.day AND sessions > 0 OFFSET 0",
               " AND present ? $1::text");
  sql.rows(recap_kind::rated_count, {{"number", "count(*)"}, {"b1", "COALESCE(sum(score_tenths), 0)::bigint"}},
           "FROM read_recaps.own_scores WHERE profile = $1 AND period = $6");
  sql.rows(recap_kind::best, {{"id", "o.anime"}, {"id2", "o.title"}, {"n1", "o.score_tenths::integer"}, {"text", "a.preferred_title"}},
           "FROM (SELECT * FROM read_recaps.own_scores WHERE profile = $1 AND period = $6 ORDER BY score_tenths DESC, anime DESC LIMIT " +
               number(rated_examined_max) +
               ") AS o LEFT JOIN read_tracking.anime AS a ON a.anime = o.anime WHERE a.watch_space IS NOT NULL");
  // In each of one's spaces, the titles that one has a score of among those with the widest gaps; the widest of all of them; of these the
  // widest of one's own. None is wider than that of all scores of its title.
  sql.rows(
      recap_kind::widest,
      {{"id", "w.anime"}, {"id2", "w.title"}, {"id3", "w.other"}, {"n1", "w.mine"}, {"n2", "w.theirs"}, {"text", "w.preferred_title"}},
      "FROM (SELECT r.anime, r.title, a.preferred_title, g.other, (r.score_tenths ->> $1::text)::integer AS mine, g.theirs FROM (SELECT"
      " m.watch_space, e.* FROM mine AS m CROSS JOIN LATERAL (SELECT * FROM (SELECT anime, title, spread_tenths, score_tenths FROM"
      " read_recaps.rated WHERE watch_space = m.watch_space AND period = $6 AND spread_tenths > 0 ORDER BY spread_tenths DESC, anime DESC"
      " LIMIT " +
          number(own_gaps_examined_max) + ") AS examined WHERE score_tenths ? $1::text LIMIT " + number(rated_examined_max) +
          ") AS e ORDER BY e.spread_tenths DESC, e.anime DESC LIMIT " + number(rated_examined_max) +
          ") AS r CROSS JOIN LATERAL (SELECT s.key::uuid AS other, s.value::integer AS theirs FROM jsonb_each_text(r.score_tenths) AS s"
          " WHERE s.key <> $1::text AND EXISTS (SELECT FROM read_spaces.members WHERE watch_space = r.watch_space AND profile ="
          " s.key::uuid OFFSET 0) ORDER BY abs(s.value::integer - (r.score_tenths ->> $1::text)::integer) DESC, s.key LIMIT 1) AS g LEFT "
          "JOIN read_tracking.anime AS a ON a.anime = r.anime WHERE a.watch_space"
          " IS NOT NULL) AS w WHERE w.mine <> w.theirs ORDER BY abs(w.mine - w.theirs) DESC, w.anime DESC LIMIT 1");
  sql.rows(recap_kind::taste,
           {{"id2", "t.profile"},
            {"number", "t.gap"},
            {"b1", "t.rated"},
            {"id3", "p.account"},
            {"text", "p.display_name"},
            {"bytes", "k.wrapped"}},
           "FROM (SELECT o.profile, sum(s.gap_tenths)::bigint AS gap, sum(s.rated)::bigint AS rated FROM mine AS m CROSS JOIN LATERAL"
           " (SELECT profile FROM read_spaces.members WHERE watch_space = m.watch_space AND profile <> $1 OFFSET 0) AS o CROSS JOIN LATERAL"
           " (SELECT gap_tenths, rated FROM read_recaps.taste WHERE watch_space = m.watch_space AND low = LEAST($1, o.profile) AND high ="
           " GREATEST($1, o.profile) AND month <= $3 OFFSET 0) AS s GROUP BY o.profile HAVING sum(s.rated) > 0 ORDER BY sum(s.gap_tenths) /"
           " sum(s.rated), sum(s.rated) DESC, o.profile LIMIT " +
               number(recap_titles_max) +
               ") AS t LEFT JOIN read_people.profiles AS p ON p.profile = t.profile LEFT JOIN secrets.keys AS k ON k.account = p.account");
}

void add_space_recap(PageSql& sql, const std::string& clauses) {
  const std::string months = " = $1 AND month BETWEEN $2 AND $3";
  const std::string sums =
      "sum(sessions)::bigint AS sessions, sum(episodes)::bigint AS episodes, sum(minutes)::bigint AS minutes, sum(untimed)::bigint AS "
      "untimed";
  const PageSql::Values totals = {{"b1", "t.sessions"}, {"b2", "t.episodes"}, {"b3", "t.minutes"}, {"b4", "t.untimed"}};
  PageSql::Values of_member = totals;
  of_member.emplace_back("id", "t.profile");
  sql.with(std::string(present_members) +
           ", days AS MATERIALIZED (SELECT day, 0::bigint AS sessions, episodes, 0::bigint AS minutes, 0::bigint AS untimed FROM"
           " read_recaps.days WHERE watch_space = $1 AND day >= $4 AND day < $5 AND episodes > 0), " +
           marked_days() + (clauses.empty() ? "" : ", " + clauses));
  add_members_with_names(sql, {"", "id2", "t1", "t2", "at1"});
  sql.rows(recap_kind::owner, {{"id", "watch_space"}, {"text", "name"}, {"t1", "time_zone"}},
           "FROM read_spaces.spaces WHERE watch_space = $1");
  sql.rows(recap_kind::total, totals,
           "FROM (SELECT " + sums + " FROM read_analytics.months WHERE watch_space" + months + ") AS t WHERE t.sessions IS NOT NULL");
  sql.rows(recap_kind::member_total, of_member,
           "FROM (SELECT profile, " + sums + " FROM read_analytics.member_months WHERE watch_space" + months + " AND profile = ANY(" +
               std::string(present_ids) + ") GROUP BY profile) AS t");
  add_days(sql);
  add_titles(sql, "titles", "watch_space");
  add_evenings(sql, "SELECT $1 AS watch_space", "");
  // Of those who have rated it in the period, one at least is a member now.
  const std::string still_rated = "EXISTS (SELECT FROM read_recaps.own_scores AS o WHERE o.profile = ANY(" + std::string(present_ids) +
                                  ") AND o.period = $6 AND o.anime = r.anime OFFSET 0)";
  sql.rows(recap_kind::rated_count, {{"number", "count(*)"}},
           "FROM read_recaps.rated AS r WHERE r.watch_space = $1 AND r.period = $6 AND " + still_rated);
  for (const auto& [kind, order] : {std::pair(recap_kind::best, "mean_thousandths"), std::pair(recap_kind::widest, "spread_tenths")})
    sql.rows(kind, {{"id", "r.anime"}, {"id2", "r.title"}, {"j1", "r.score_tenths"}, {"text", "a.preferred_title"}},
             "FROM (SELECT * FROM read_recaps.rated WHERE watch_space = $1 AND period = $6 ORDER BY " + std::string(order) +
                 " DESC, anime DESC LIMIT " + number(rated_examined_max) +
                 ") AS r LEFT JOIN read_tracking.anime AS a ON a.anime = r.anime WHERE a.watch_space IS NOT NULL AND " + still_rated);
  sql.rows(
      recap_kind::taste, {{"id", "t.low"}, {"id2", "t.high"}, {"number", "t.gap"}, {"b1", "t.rated"}},
      "FROM (SELECT low, high, sum(gap_tenths)::bigint AS gap, sum(rated)::bigint AS rated FROM read_recaps.taste WHERE watch_space = $1"
      " AND month <= $3 AND " +
          both_present() + " GROUP BY low, high) AS t WHERE t.rated > 0");
}

}  // namespace bloomwatch
