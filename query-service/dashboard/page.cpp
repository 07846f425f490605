// The dashboard's statements, and their rows as JSON. The thorough one takes what folding keeps from `dashboard` (sums, pairs, gaps,
// scores) and costs the same for a space of any size, but for sorting a band of its gaps; the lean one reads a small space's anime and
// their scores whole, and the same numbers are counted here. A test compares the two.
#include "query-service/dashboard/page.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdlib>
#include <limits>
#include <random>
#include <utility>

#include "query-service/boxes.h"
#include "query-service/dashboard/taste.h"
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
constexpr std::int16_t together = row_kind::own + 18;  // bytes: a set of raters; number: its anime; where more than two are members
}  // namespace kind

constexpr MemberColumns member_columns = {column::id2, column::t1, column::t2, column::at1};

// ------------------------------------------------------------------------------------------------------------------------- statement

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

/// As many of the widest gaps as hold the widest of highlights_max anime, however many pairs there are; then those anime. In the order of
/// rating-gaps, which shows them all (query-service/analytics/taste.cpp).
std::string widest_gaps() {
  const std::string count = "cardinality(" + std::string(present_ids) + ")";
  const std::string max = std::to_string(highlights_max);
  return "FROM (SELECT anime, max(gap_tenths) AS gap FROM (SELECT anime, gap_tenths FROM read_dashboard.gaps WHERE watch_space = $1 AND"
         " gap_tenths > 0 AND " +
         both_present() + " ORDER BY band DESC, gap_tenths DESC, anime DESC LIMIT " + max + " * " + count + " * (" + count +
         " - 1) / 2) AS widest GROUP BY anime ORDER BY gap DESC, anime DESC LIMIT " + max +
         ") AS g LEFT JOIN read_dashboard.anime AS d ON d.anime = g.anime LEFT JOIN read_tracking.anime AS a ON a.anime = g.anime"
         " ORDER BY g.gap DESC, g.anime DESC";
}

PageSql dashboard_sql() { return {{Model::spaces, Model::people, Model::tracking, Model::dashboard}, "$1", tracking_columns()}; }

void add_members_with_names(PageSql& sql) { add_members_with_names(sql, {"", "id2", "t1", "t2", "at1"}); }

std::string lean_text() {
  PageSql sql = dashboard_sql();
  add_members_with_names(sql);
  PageSql::Values anime = anime_values("GREATEST(a.version, d.version)");
  anime.emplace_back("j1", "d.score_tenths");
  // Of a large space none, and the sum may be of a moment before: so one more than there may be.
  const std::string small = "COALESCE((SELECT shows FROM read_dashboard.spaces WHERE watch_space = $1), 0) <= ";
  sql.rows(tracking_kind::anime, anime,
           "FROM (SELECT * FROM read_tracking.anime WHERE watch_space = $1 AND " + small + std::to_string(small_space_anime_max) +
               " ORDER BY updated_at DESC, anime DESC LIMIT " + std::to_string(small_space_anime_max + 1) +
               ") AS a LEFT JOIN read_dashboard.anime AS d ON d.anime = a.anime");
  sql.rows(kind::session, session_values(),
           "FROM read_tracking.sessions AS s WHERE s.watch_space = $1 ORDER BY s.session_date DESC, s.session DESC LIMIT " +
               std::to_string(highlights_max));
  return sql.text();
}

std::string thorough_text() {
  PageSql sql = dashboard_sql();
  sql.with(std::string(present_members) +
           ", evenings AS MATERIALIZED (SELECT * FROM read_tracking.sessions WHERE watch_space = $1"
           " ORDER BY session_date DESC, session DESC LIMIT " +
           std::to_string(highlights_max) + "), shown AS MATERIALIZED (" + shown_as(kind::watching, highlights("watching")) +
           " UNION ALL " + shown_as(kind::backlog, highlights("backlog")) + " UNION ALL " + shown_as(kind::pick, random_pick()) + ")");
  add_members_with_names(sql);
  sql.rows(kind::sums,
           {{"number", "episodes_together"}, {"n1", "shows::integer"}, {"n2", "watching::integer"}, {"n3", "finished::integer"}},
           "FROM read_dashboard.spaces WHERE watch_space = $1");
  sql.rows("a.kind", anime_values(), "FROM shown AS a");
  PageSql::Values session = session_values();
  session.emplace_back("t3", "a.preferred_title");
  sql.rows(kind::session, session,
           "FROM evenings AS s LEFT JOIN read_tracking.anime AS a ON a.anime = s.anime ORDER BY s.session_date DESC, s.session DESC");
  add_pairs(sql, kind::pair);
  const PageSql::Values scores = {{"id", "d.anime"}, {"text", "a.preferred_title"}, {"j1", "d.score_tenths"}};
  sql.rows(kind::gap, scores, widest_gaps());
  sql.rows(kind::shared, scores,
           "FROM (SELECT * FROM read_dashboard.anime AS d WHERE d.watch_space = $1 AND " + rated_by_two() + " ORDER BY d.anime LIMIT " +
               std::to_string(shared_ratings_max) + ") AS d LEFT JOIN read_tracking.anime AS a ON a.anime = d.anime ORDER BY d.anime");
  add_rated_together(sql, kind::together);
  // Whoever wrote a text that is shown, also those who have left.
  sql.rows(row_kind::key, {{"id", "authors.account"}, {"bytes", "k.wrapped"}},
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

/// From 0 to below 1: the same for all members of a space within an hour, so that they see the same pick, and who has the page already is
/// told so.
double pick_fraction(WatchSpaceId space, Time now) {
  const auto hour = std::chrono::floor<std::chrono::hours>(now).time_since_epoch().count();
  std::vector<std::uint32_t> words(space.uuid.bytes.begin(), space.uuid.bytes.end());
  words.push_back(static_cast<std::uint32_t>(hour));
  std::seed_seq seed(words.begin(), words.end());
  std::minstd_rand random(seed);
  return std::uniform_real_distribution(0.0, 1.0)(random);
}

double gap_of(const std::vector<ScoreAnswer>& scores) {
  const auto [low, high] = std::ranges::minmax_element(scores, {}, &ScoreAnswer::score);
  return low == scores.end() ? 0 : std::round((high->score - low->score) * 10.0) / 10.0;
}

std::optional<double> progress_of(const AnimeFields& anime) {
  if (!anime.episode_count || *anime.episode_count <= 0) return std::nullopt;
  return std::min(1.0, static_cast<double>(anime.shared_episodes_watched) / static_cast<double>(*anime.episode_count));
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

void show_evening(const pg::Row& row, const std::vector<ProfileId>& members, const Keyring& keys, DashboardAnswer& answer) {
  auto& evening = answer.recent_sessions.emplace_back();
  static_cast<WatchSessionAnswer&>(evening) = show_session(row, members, keys);
  evening.anime_id = row.get<AnimeId>(column::id2);
}

void show_thoroughly(const PageRows& rows, WatchSpaceId space, const std::vector<ProfileId>& members, const Keyring& keys,
                     DashboardAnswer& answer) {
  const MemberScores given(members);
  answer.stats = show_stats(rows);
  answer.compatibility = compatibility_of(rows.of(kind::pair), rows.of(kind::together), {.id2 = column::id2, .n1 = column::n1}, members);
  for (const pg::Row row : rows.of(kind::watching)) show_anime(row, space, keys, answer.currently_watching.emplace_back());
  for (const pg::Row row : rows.of(kind::backlog)) show_anime(row, space, keys, answer.backlog_highlights.emplace_back());
  for (const pg::Row row : rows.of(kind::pick)) show_anime(row, space, keys, answer.random_pick.emplace());
  for (const pg::Row row : rows.of(kind::gap)) {
    auto scores = given.shown(row, column::j1);
    const double gap = gap_of(scores);
    answer.rating_gap_highlights.push_back(
        {row.get<AnimeId>(PageRows::id_column), row.get<std::string_view>(PageRows::text_column), gap, std::move(scores)});
  }
  for (const pg::Row row : rows.of(kind::session)) {
    show_evening(row, members, keys, answer);
    answer.recent_sessions.back().preferred_title = row.get<std::string_view>(column::t3);
  }
  for (const pg::Row row : rows.of(kind::shared))
    answer.shared_ratings.push_back(
        {row.get<AnimeId>(PageRows::id_column), row.get<std::string_view>(PageRows::text_column), given.shown(row, column::j1)});
}

/// An anime of a small space with its scores.
struct SmallAnime {
  pg::Row row;
  AnimeId id;
  std::string_view title;
  std::string_view status;
  MemberTenths tenths;
  std::ptrdiff_t raters = 0;
};

/// In the order of the rows, the last changed first.
std::vector<SmallAnime> small_space(const PageRows& rows, const MemberScores& given) {
  std::vector<SmallAnime> found;
  found.reserve(rows.of(tracking_kind::anime).size());
  for (const pg::Row row : rows.of(tracking_kind::anime)) {
    MemberTenths tenths = given.tenths(row.get<std::optional<std::string_view>>(column::j1).value_or("{}"));
    const auto raters = std::ranges::count_if(tenths, [](const auto& score) { return score.has_value(); });
    found.push_back({row, row.get<AnimeId>(PageRows::id_column), row.get<std::string_view>(PageRows::text_column),
                     row.get<std::string_view>(column::t8), std::move(tenths), raters});
  }
  return found;
}

std::vector<PairGaps> pairs_of(const std::vector<SmallAnime>& anime, const std::vector<ProfileId>& members) {
  std::vector<PairGaps> pairs;
  for (std::size_t one = 0; one < members.size(); ++one) {
    for (std::size_t other = one + 1; other < members.size(); ++other) {
      PairGaps pair{{members[one], members[other]}};
      for (const SmallAnime& each : anime) {
        if (!each.tenths[one] || !each.tenths[other]) continue;
        ++pair.rated;
        pair.gap_tenths += std::abs(*each.tenths[one] - *each.tenths[other]);
      }
      if (pair.rated > 0) pairs.push_back(pair);
    }
  }
  return pairs;
}

std::int32_t gap_tenths_of(const SmallAnime& anime) {
  std::int16_t low = std::numeric_limits<std::int16_t>::max();
  std::int16_t high = 0;
  for (const auto& tenths : anime.tenths) {
    if (!tenths) continue;
    low = std::min(low, *tenths);
    high = std::max(high, *tenths);
  }
  return anime.raters < 2 ? 0 : high - low;
}

void show_ratings(std::vector<const SmallAnime*> rated, const MemberScores& given, DashboardAnswer& answer) {
  std::ranges::sort(rated, {}, &SmallAnime::id);
  for (const SmallAnime* anime : rated) {
    if (answer.shared_ratings.size() == shared_ratings_max) break;
    answer.shared_ratings.push_back({anime->id, anime->title, given.shown(anime->tenths)});
  }
  std::ranges::sort(rated, std::greater(), [](const SmallAnime* anime) { return std::pair(gap_tenths_of(*anime), anime->id); });
  for (const SmallAnime* anime : rated) {
    const std::int32_t gap = gap_tenths_of(*anime);
    if (gap == 0 || answer.rating_gap_highlights.size() == highlights_max) break;
    answer.rating_gap_highlights.push_back({anime->id, anime->title, points(gap), given.shown(anime->tenths)});
  }
}

/// Whether all titles were found: an evening's anime is in its space.
bool show_small_space(const PageRows& rows, WatchSpaceId space, const std::vector<ProfileId>& members, double fraction, const Keyring& keys,
                      DashboardAnswer& answer) {
  const MemberScores given(members);
  const std::vector<SmallAnime> anime = small_space(rows, given);
  std::vector<const SmallAnime*> backlog, rated;
  answer.stats.total_shows = static_cast<std::int64_t>(anime.size());
  for (const SmallAnime& each : anime) {
    if (each.raters >= 2) rated.push_back(&each);
    if (each.status == "watching") ++answer.stats.currently_watching;
    if (each.status == "finished") ++answer.stats.finished;
    answer.stats.episodes_watched_together += each.row.get<std::int32_t>(column::n4);
    if (each.status == "backlog") backlog.push_back(&each);
    if (each.status == "watching" && answer.currently_watching.size() < highlights_max)
      show_anime(each.row, space, keys, answer.currently_watching.emplace_back());
  }
  for (const SmallAnime* each : backlog) {
    if (answer.backlog_highlights.size() == highlights_max) break;
    show_anime(each->row, space, keys, answer.backlog_highlights.emplace_back());
  }
  if (!backlog.empty())
    show_anime(backlog[static_cast<std::size_t>(fraction * static_cast<double>(backlog.size()))]->row, space, keys,
               answer.random_pick.emplace());
  answer.compatibility = compatibility_of(pairs_of(anime, members), static_cast<std::int64_t>(rated.size()));
  show_ratings(std::move(rated), given, answer);
  for (const pg::Row row : rows.of(kind::session)) {
    show_evening(row, members, keys, answer);
    const auto found = std::ranges::find(anime, answer.recent_sessions.back().anime_id, &SmallAnime::id);
    if (found == anime.end()) return false;
    answer.recent_sessions.back().preferred_title = found->title;
  }
  return true;
}

}  // namespace

std::expected<Question, Problem> DashboardPage::ask(const Visit& visit) {
  static const pg::Statement lean_statement(lean_text());
  static const pg::Statement thorough_statement(thorough_text());
  // Rows of then have no index to join them by: asking for all of them and counting here costs more.
  if (visit.as_of) thorough = true;
  if (!thorough) return Question{&lean_statement, pg::Params(watch_space)};
  return Question{&thorough_statement, pg::Params(watch_space, pick_fraction(watch_space, visit.now))};
}

std::expected<Shown, Problem> DashboardPage::show(const PageRows& rows, const Visit& visit, Keyring& keys) {
  const std::size_t found = rows.of(tracking_kind::anime).size();
  if (!thorough && (found == 0 || found > small_space_anime_max)) {  // none: the space is empty, or large
    thorough = true;
    return Shown::again();
  }
  DashboardAnswer answer;
  answer.watch_space_id = watch_space;
  answer.members = show_members(rows, member_columns, keys);
  const std::vector<ProfileId> members = profiles_of(answer.members);
  if (thorough) {
    show_thoroughly(rows, watch_space, members, keys, answer);
  } else if (!show_small_space(rows, watch_space, members, pick_fraction(watch_space, visit.now), keys, answer) || keys.missed()) {
    thorough = true;
    return Shown::again();
  }
  for (WatchingAnswer& anime : answer.currently_watching) anime.progress = progress_of(anime);
  return Shown{json::to_string(answer)};
}

}  // namespace bloomwatch
