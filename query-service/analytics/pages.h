// The pages of a space's analytics; members only. Who has left is in no figure of a member, in no gap and
// in no compatibility; the evenings that they were at stay evenings of the space.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>

#include "query-service/pages.h"

namespace bloomwatch {

/// GET …/analytics/compatibility: what the dashboard says, on its own.
struct CompatibilityPage : PageQuery {
  static constexpr std::string_view pattern = "/api/watch-spaces/{watchSpace}/analytics/compatibility";
  static constexpr http::Access access = http::Access::member;
  static constexpr std::array models = {Model::spaces, Model::dashboard};

  WatchSpaceId watch_space;

  std::expected<Question, Problem> ask(const Visit& visit) const;
  std::expected<Shown, Problem> show(const PageRows& rows, const Visit& visit, Keyring& keys) const;
};
BOOST_DESCRIBE_STRUCT(CompatibilityPage, (PageQuery), (watch_space))

// ------------------------------------------------------------------------------------------------------------------------ rating gaps

/// By how far the highest and the lowest score of the present members are apart; equal ones by the anime's id.
enum class GapOrder { biggest, most_aligned };
BOOST_DESCRIBE_ENUM(GapOrder, biggest, most_aligned)

/// Pairs of scores that one page looks at: in a large group an anime has many. A page that found less goes on where it stopped.
inline constexpr int gaps_examined_max = 2000;

/// After the gap between those two: a page may stop among the pairs of an anime.
struct GapPlace {
  GapOrder order = GapOrder::biggest;
  std::int16_t gap_tenths = 0;
  AnimeId anime;
  ProfileId low;
  ProfileId high;
};
BOOST_DESCRIBE_STRUCT(GapPlace, (), (order, gap_tenths, anime, low, high))

/// GET …/analytics/rating-gaps: every anime that two present members have rated, the biggest gap first or the smallest.
struct RatingGapsPage : ListQuery {
  static constexpr std::string_view pattern = "/api/watch-spaces/{watchSpace}/analytics/rating-gaps";
  static constexpr http::Access access = http::Access::member;
  static constexpr std::array models = {Model::spaces, Model::tracking, Model::dashboard};

  WatchSpaceId watch_space;
  std::optional<GapOrder> order = {};

  std::expected<Question, Problem> ask(const Visit& visit);
  std::expected<Shown, Problem> show(const PageRows& rows, const Visit& visit, Keyring& keys) const;
};
BOOST_DESCRIBE_STRUCT(RatingGapsPage, (ListQuery), (watch_space, order))

/// GET …/analytics/rating-distribution: how often which score was given, by each member and by all together.
struct RatingDistributionPage : PageQuery {
  static constexpr std::string_view pattern = "/api/watch-spaces/{watchSpace}/analytics/rating-distribution";
  static constexpr http::Access access = http::Access::member;
  static constexpr std::array models = {Model::spaces, Model::analytics};

  WatchSpaceId watch_space;

  std::expected<Question, Problem> ask(const Visit& visit) const;
  std::expected<Shown, Problem> show(const PageRows& rows, const Visit& visit, Keyring& keys) const;
};
BOOST_DESCRIBE_STRUCT(RatingDistributionPage, (PageQuery), (watch_space))

// ----------------------------------------------------------------------------------------------------------------------- shared stats

/// Months of a page: a year by default.
using MonthLimit = Limit<60, 12>;

/// Streaks are looked for in the last so many days that had a session: ten years of every evening.
inline constexpr int streak_days_max = 3660;

struct MonthPlace {
  std::int32_t month = 0;
};
BOOST_DESCRIBE_STRUCT(MonthPlace, (), (month))

/// GET …/analytics/shared-stats: what the space has watched. `limit` and `cursor` page its months, newest first; months without a session
/// are left out. A session's day, and so its month, is its date in its own time zone; what today is, is the space's.
struct SharedStatsPage : PageQuery {
  static constexpr std::string_view pattern = "/api/watch-spaces/{watchSpace}/analytics/shared-stats";
  static constexpr http::Access access = http::Access::member;
  static constexpr std::array models = {Model::spaces, Model::analytics};

  WatchSpaceId watch_space;
  std::optional<MonthLimit> limit = {};
  std::optional<std::string> cursor = {};

  std::expected<Question, Problem> ask(const Visit& visit) const;
  std::expected<Shown, Problem> show(const PageRows& rows, const Visit& visit, Keyring& keys) const;
};
BOOST_DESCRIBE_STRUCT(SharedStatsPage, (PageQuery), (watch_space, limit, cursor))

// ------------------------------------------------------------------------------------------------------------------------ random pick

/// Any text that makes a pick come out the same again.
struct PickSeed {
  static constexpr std::size_t bytes_max = 64;
  std::string text;

  using Wire = std::string;
  static std::expected<PickSeed, std::string> from(Wire wire);
  const Wire& wire() const { return text; }
};
/// Words to look for in a title's mood.
struct PickMood {
  static constexpr std::size_t bytes_max = 200;
  std::string text;

  using Wire = std::string;
  static std::expected<PickMood, std::string> from(Wire wire);
  const Wire& wire() const { return text; }
};
struct EpisodesMax {
  std::int64_t value = 1;

  using Wire = std::int64_t;
  static std::expected<EpisodesMax, std::string> from(Wire wire);
  Wire wire() const { return value; }
};

/// GET …/analytics/random-pick: something from the backlog. The same `seed` picks the same from the same backlog; what leaves it changes
/// nothing unless it was the pick, and what comes may become it. `maxEpisodes` leaves out titles whose episode count is not known; `mood`
/// looks for its words in what members wrote, A–Z as a–z.
struct RandomPickPage : PageQuery {
  static constexpr std::string_view pattern = "/api/watch-spaces/{watchSpace}/analytics/random-pick";
  static constexpr http::Access access = http::Access::member;
  static constexpr std::array models = {Model::spaces, Model::tracking};

  WatchSpaceId watch_space;
  std::optional<PickSeed> seed = {};
  std::optional<PickMood> mood = {};
  std::optional<EpisodesMax> max_episodes = {};

  std::expected<Question, Problem> ask(const Visit& visit);
  std::expected<Shown, Problem> show(const PageRows& rows, const Visit& visit, Keyring& keys) const;
};
BOOST_DESCRIBE_STRUCT(RandomPickPage, (PageQuery), (watch_space, seed, mood, max_episodes))

// --------------------------------------------------------------------------------------------------------------------------- timeline

struct TimelinePlace {
  Time at;
  Position position = 0;
};
BOOST_DESCRIBE_STRUCT(TimelinePlace, (), (at, position))

/// GET …/analytics/timeline: what the space did, newest first: sessions by their date, everything else by when it was recorded.
struct TimelinePage : ListQuery {
  static constexpr std::string_view pattern = "/api/watch-spaces/{watchSpace}/analytics/timeline";
  static constexpr http::Access access = http::Access::member;
  static constexpr std::array models = {Model::spaces, Model::tracking, Model::analytics};

  WatchSpaceId watch_space;

  std::expected<Question, Problem> ask(const Visit& visit) const;
  std::expected<Shown, Problem> show(const PageRows& rows, const Visit& visit, Keyring& keys) const;
};
BOOST_DESCRIBE_STRUCT(TimelinePage, (ListQuery), (watch_space))

}  // namespace bloomwatch
