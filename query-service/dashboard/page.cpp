// The dashboard's statement, and its rows as JSON. What folding can keep comes from `dashboard` (sums, pairs, gaps, scores), what is shown
// of an anime from `tracking`, who counts from `spaces`, names from `people`.
#include "query-service/dashboard/page.h"

#include <algorithm>
#include <map>
#include <random>
#include <stdexcept>

#include "query-service/boxes.h"
#include "query-service/dashboard/compatibility.h"
#include "query-service/spaces/members.h"
#include "query-service/tracking/rows.h"

namespace bloomwatch {
namespace {

namespace column = tracking_column;

namespace kind {
constexpr std::int16_t watching = row_kind::own + 10;
constexpr std::int16_t backlog = row_kind::own + 11;
constexpr std::int16_t pick = row_kind::own + 12;
constexpr std::int16_t session = row_kind::own + 13;
constexpr std::int16_t sums = row_kind::own + 14;      // number: episodes_together; n1: shows; n2: watching; n3: finished
constexpr std::int16_t pair = row_kind::own + 15;      // id, id2: the two; number: gap_tenths; n1: rated
constexpr std::int16_t gap = row_kind::own + 16;       // id: anime; text: title; j1: scores
constexpr std::int16_t shared = row_kind::own + 17;    // the same
constexpr std::int16_t together = row_kind::own + 18;  // number: anime rated by two or more, where more than two are members
}  // namespace kind

constexpr MemberColumns member_columns = {column::id2, column::t1, column::t2, column::at1};

// ------------------------------------------------------------------------------------------------------------------------- statement

/// The profiles of the members.
constexpr std::string_view ids = "(SELECT ids FROM present)::uuid[]";

std::string both_present() { return "low = ANY(" + std::string(ids) + ") AND high = ANY(" + std::string(ids) + ")"; }

/// Whether at least two of those who rated `d` are members: for two members whether both have, for more whether any pair has a gap.
std::string rated_by_two() {
  return "d.raters >= 2 AND CASE WHEN cardinality(" + std::string(ids) + ") = 2 THEN d.score_tenths ?& " + std::string(ids) +
         "::text[] ELSE EXISTS (SELECT FROM read_dashboard.gaps WHERE anime = d.anime AND " + both_present() + ") END";
}

/// What is shown of the anime of one kind of row.
std::string shown_as(std::int16_t row_kind, std::string_view which) {
  return "(SELECT " + std::to_string(row_kind) + "::smallint AS kind, a.* FROM read_tracking.anime AS a WHERE " + std::string(which) + ")";
}

std::string highlights(std::string_view status) {
  return "a.watch_space = $1 AND a.shared_status = '" + std::string(status) + "' ORDER BY a.updated_at DESC, a.anime DESC LIMIT " +
         std::to_string(highlights_max);
}

/// $2 is a random number from 0 to below 1.
std::string random_pick() {
  const std::string among = "read_tracking.anime WHERE watch_space = $1 AND shared_status = 'backlog'";
  return "a.anime = (SELECT anime FROM " + among +
         " ORDER BY updated_at DESC, anime DESC OFFSET (SELECT floor($2 * count(*))::bigint FROM (SELECT FROM " + among + " LIMIT " +
         std::to_string(random_pick_among_max) + ") AS few) LIMIT 1)";
}

/// As many of the widest gaps as hold the widest of highlights_max anime, however many pairs there are; then those anime.
std::string widest_gaps() {
  const std::string count = "cardinality(" + std::string(ids) + ")";
  const std::string max = std::to_string(highlights_max);
  return "FROM (SELECT anime, max(gap_tenths) AS gap FROM (SELECT anime, gap_tenths FROM read_dashboard.gaps WHERE watch_space = $1 AND"
         " gap_tenths > 0 AND " +
         both_present() + " ORDER BY gap_tenths DESC, anime LIMIT " + max + " * " + count + " * (" + count +
         " - 1) / 2) AS widest GROUP BY anime ORDER BY gap DESC, anime LIMIT " + max +
         ") AS g JOIN read_dashboard.anime AS d ON d.anime = g.anime JOIN read_tracking.anime AS a ON a.anime = g.anime"
         " ORDER BY g.gap DESC, g.anime";
}

std::string statement_text() {
  PageSql sql({Model::spaces, Model::people, Model::tracking, Model::dashboard}, "$1", tracking_columns());
  sql.with(
      "present AS MATERIALIZED (SELECT array_agg(profile) AS ids FROM read_spaces.members WHERE watch_space = $1),"
      " evenings AS MATERIALIZED (SELECT * FROM read_tracking.sessions WHERE watch_space = $1"
      " ORDER BY session_date DESC, session DESC LIMIT " +
      std::to_string(highlights_max) + "), shown AS MATERIALIZED (" + shown_as(kind::watching, highlights("watching")) + " UNION ALL " +
      shown_as(kind::backlog, highlights("backlog")) + " UNION ALL " + shown_as(kind::pick, random_pick()) + ")");
  add_members_with_names(sql, {"", "id2", "t1", "t2", "at1"});
  sql.rows(kind::sums,
           {{"number", "episodes_together"}, {"n1", "shows::integer"}, {"n2", "watching::integer"}, {"n3", "finished::integer"}},
           "FROM read_dashboard.spaces WHERE watch_space = $1");
  sql.rows("a.kind", anime_values(), "FROM shown AS a");
  PageSql::Values session = session_values();
  session.emplace_back("t3", "a.preferred_title");
  sql.rows(kind::session, session, "FROM evenings AS s JOIN read_tracking.anime AS a ON a.anime = s.anime");
  sql.rows(kind::pair, {{"id", "low"}, {"id2", "high"}, {"number", "gap_tenths"}, {"n1", "rated::integer"}},
           "FROM read_dashboard.pairs WHERE watch_space = $1 AND rated > 0 AND " + both_present());
  const PageSql::Values scores = {{"id", "d.anime"}, {"text", "a.preferred_title"}, {"j1", "d.score_tenths"}};
  sql.rows(kind::gap, scores, widest_gaps());
  sql.rows(kind::shared, scores,
           "FROM (SELECT * FROM read_dashboard.anime AS d WHERE d.watch_space = $1 AND " + rated_by_two() + " ORDER BY d.anime LIMIT " +
               std::to_string(shared_ratings_max) + ") AS d JOIN read_tracking.anime AS a ON a.anime = d.anime ORDER BY d.anime");
  sql.rows(kind::together, {{"number", "count(*)"}},
           "FROM read_dashboard.anime AS d WHERE cardinality(" + std::string(ids) + ") > 2 AND d.watch_space = $1 AND " + rated_by_two());
  // Whoever wrote a text that is shown, also those who have left.
  sql.rows(row_kind::key, {{"id", "k.account"}, {"bytes", "k.wrapped"}},
           keys_of("SELECT unnest(ARRAY[mood, vibe, pitch]) AS box FROM shown UNION ALL SELECT notes FROM evenings"));
  return sql.text();
}

// --------------------------------------------------------------------------------------------------------------------------- answers

struct Stats {
  std::int64_t total_shows = 0;
  std::int64_t currently_watching = 0;
  std::int64_t finished = 0;
  std::int64_t episodes_watched_together = 0;
};
BOOST_DESCRIBE_STRUCT(Stats, (), (total_shows, currently_watching, finished, episodes_watched_together))

struct WatchingAnswer : AnimeFields {
  std::optional<double> progress = {};  ///< 0–1; null if the count is unknown
};
BOOST_DESCRIBE_STRUCT(WatchingAnswer, (AnimeFields), (progress))

struct ScoreAnswer {
  ProfileId user_id;
  double score = 0;
};
BOOST_DESCRIBE_STRUCT(ScoreAnswer, (), (user_id, score))

struct GapAnswer {
  AnimeId anime_id;
  std::string_view preferred_title;
  double gap = 0;  ///< between the highest and the lowest of the members' scores
  std::vector<ScoreAnswer> scores;
};
BOOST_DESCRIBE_STRUCT(GapAnswer, (), (anime_id, preferred_title, gap, scores))

struct SharedRatingAnswer {
  AnimeId anime_id;
  std::string_view preferred_title;
  std::vector<ScoreAnswer> scores;
};
BOOST_DESCRIBE_STRUCT(SharedRatingAnswer, (), (anime_id, preferred_title, scores))

struct EveningAnswer : WatchSessionAnswer {
  AnimeId anime_id = {};
  std::string_view preferred_title = {};
};
BOOST_DESCRIBE_STRUCT(EveningAnswer, (WatchSessionAnswer), (anime_id, preferred_title))

struct DashboardAnswer {
  WatchSpaceId watch_space_id;
  Stats stats;
  Compatibility compatibility;
  std::vector<WatchingAnswer> currently_watching;
  std::vector<AnimeFields> backlog_highlights;
  std::vector<GapAnswer> rating_gap_highlights;
  std::vector<MemberAnswer> members;
  std::vector<EveningAnswer> recent_sessions;
  std::optional<AnimeFields> random_pick;
  std::vector<SharedRatingAnswer> shared_ratings;
};
BOOST_DESCRIBE_STRUCT(DashboardAnswer, (),
                      (watch_space_id, stats, compatibility, currently_watching, backlog_highlights, rating_gap_highlights, members,
                       recent_sessions, random_pick, shared_ratings))

std::vector<ProfileId> profiles_of(const std::vector<MemberAnswer>& members) {
  std::vector<ProfileId> profiles;
  for (const MemberAnswer& member : members) profiles.push_back(member.user_id);
  return profiles;
}

/// The scores of the present members, in their order.
std::vector<ScoreAnswer> scores_of(const pg::Row& row, const std::vector<ProfileId>& members) {
  const auto scores = json::read<std::map<ProfileId, std::int16_t>>(row.get<std::string_view>(column::j1));
  if (!scores) throw std::runtime_error("the scores of a row of read_dashboard.anime are unreadable");
  std::vector<ScoreAnswer> found;
  for (const ProfileId member : members)
    if (const auto score = scores->find(member); score != scores->end()) found.push_back({member, points(score->second)});
  return found;
}

double gap_of(const std::vector<ScoreAnswer>& scores) {
  const auto [low, high] = std::ranges::minmax_element(scores, {}, &ScoreAnswer::score);
  return low == scores.end() ? 0 : high->score - low->score;
}

std::optional<double> progress_of(const AnimeFields& anime) {
  if (!anime.episode_count || *anime.episode_count <= 0) return std::nullopt;
  return std::min(1.0, static_cast<double>(anime.shared_episodes_watched) / static_cast<double>(*anime.episode_count));
}

Compatibility show_compatibility(const PageRows& rows, const std::vector<ProfileId>& members) {
  std::vector<PairGaps> pairs;
  const auto place = [&](ProfileId profile) { return std::ranges::find(members, profile) - members.begin(); };
  for (const pg::Row row : rows.of(kind::pair)) {
    PairGaps pair{{row.get<ProfileId>(PageRows::id_column), row.get<ProfileId>(column::id2)},
                  row.get<std::int32_t>(column::n1),
                  row.get<std::int64_t>(PageRows::number_column)};
    if (place(pair.profiles[1]) < place(pair.profiles[0])) std::swap(pair.profiles[0], pair.profiles[1]);
    pairs.push_back(pair);
  }
  std::ranges::sort(pairs, {}, [&](const PairGaps& pair) { return std::pair(place(pair.profiles[0]), place(pair.profiles[1])); });
  std::int64_t together = pairs.empty() ? 0 : pairs.front().rated;
  if (members.size() > 2 && !rows.of(kind::together).empty())
    together = rows.of(kind::together).front().get<std::int64_t>(PageRows::number_column);
  return compatibility_of(pairs, together);
}

Stats show_stats(const PageRows& rows) {
  Stats stats;
  for (const pg::Row row : rows.of(kind::sums)) {
    stats.total_shows = row.get<std::int32_t>(column::n1);
    stats.currently_watching = row.get<std::int32_t>(column::n2);
    stats.finished = row.get<std::int32_t>(column::n3);
    stats.episodes_watched_together = row.get<std::int64_t>(PageRows::number_column);
  }
  return stats;
}

}  // namespace

std::expected<Question, Problem> DashboardPage::ask(const Visit&) const {
  static const pg::Statement statement(statement_text());
  static thread_local std::minstd_rand random{std::random_device{}()};
  return Question{&statement, pg::Params(watch_space, std::uniform_real_distribution(0.0, 1.0)(random))};
}

std::expected<Shown, Problem> DashboardPage::show(const PageRows& rows, const Visit&, Keyring& keys) const {
  DashboardAnswer answer;
  answer.watch_space_id = watch_space;
  answer.stats = show_stats(rows);
  answer.members = show_members(rows, member_columns, keys);
  const std::vector<ProfileId> members = profiles_of(answer.members);
  answer.compatibility = show_compatibility(rows, members);
  for (const pg::Row row : rows.of(kind::watching)) {
    auto& anime = answer.currently_watching.emplace_back();
    show_anime(row, watch_space, keys, anime);
    anime.progress = progress_of(anime);
  }
  for (const pg::Row row : rows.of(kind::backlog)) show_anime(row, watch_space, keys, answer.backlog_highlights.emplace_back());
  for (const pg::Row row : rows.of(kind::pick)) show_anime(row, watch_space, keys, answer.random_pick.emplace());
  for (const pg::Row row : rows.of(kind::gap)) {
    auto scores = scores_of(row, members);
    const double gap = gap_of(scores);
    answer.rating_gap_highlights.push_back(
        {row.get<AnimeId>(PageRows::id_column), row.get<std::string_view>(PageRows::text_column), gap, std::move(scores)});
  }
  for (const pg::Row row : rows.of(kind::session)) {
    auto& evening = answer.recent_sessions.emplace_back();
    static_cast<WatchSessionAnswer&>(evening) = show_session(row, members, keys);
    evening.anime_id = row.get<AnimeId>(column::id2);
    evening.preferred_title = row.get<std::string_view>(column::t3);
  }
  for (const pg::Row row : rows.of(kind::shared))
    answer.shared_ratings.push_back(
        {row.get<AnimeId>(PageRows::id_column), row.get<std::string_view>(PageRows::text_column), scores_of(row, members)});
  return Shown{json::to_string(answer)};
}

}  // namespace bloomwatch
