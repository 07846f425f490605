// The read model `dashboard`: what must be kept by folding so that a space's dashboard is a few keyed reads: scores, gaps between members,
// sums. Names, titles and who is a member now are joined by the page, so a departure or a rename changes nothing here.
// Partition key of all its events: the space. Tables: migrations/0014_read_dashboard.sql.
#pragma once

#include <boost/describe.hpp>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "events/envelope.h"
#include "events/tracking.h"
#include "projector/rows.h"

namespace bloomwatch {

/// What the sums and gaps of one anime follow from, and what a page of a small space counts by itself. At most people_max scores, those of
/// former members too.
struct RatedAnimeRow {
  using Key = AnimeId;
  AnimeId anime;
  std::optional<WatchSpaceId> watch_space = {};  ///< none: removed, and in no sum
  TrackingStatus shared_status = TrackingStatus::backlog;
  std::int32_t shared_episodes = 0;
  std::int16_t raters = 0;  ///< how many scores there are
  std::map<ProfileId, std::int16_t> score_tenths;
  /// Of the anime's stream at the last event that is folded here: any about a participant's own side, or about what is shared of it here.
  Version version = 0;

  bool operator==(const RatedAnimeRow&) const = default;
};
BOOST_DESCRIBE_STRUCT(RatedAnimeRow, (), (anime, watch_space, shared_status, shared_episodes, raters, score_tenths, version))

/// Two profiles over all anime of a space that both have rated.
struct PairSum {
  using Key = std::tuple<WatchSpaceId, ProfileId, ProfileId>;
  WatchSpaceId watch_space;
  ProfileId low;  ///< the lower id of the two
  ProfileId high;
  std::int64_t rated = 0;       ///< how many
  std::int64_t gap_tenths = 0;  ///< sum of the absolute differences

  bool operator==(const PairSum&) const = default;
};
BOOST_DESCRIBE_STRUCT(PairSum, (), (watch_space, low, high, rated, gap_tenths))

/// How many anime of a space exactly these have rated, two or more. So pages of groups count what any two of the present members have rated
/// without looking at each anime: there are as many rows as sets of raters.
struct RatedTogetherSum {
  using Key = std::tuple<WatchSpaceId, projection::ProfileSet>;
  WatchSpaceId watch_space;
  projection::ProfileSet raters;
  std::int64_t anime = 0;

  bool operator==(const RatedTogetherSum&) const = default;
};
BOOST_DESCRIBE_STRUCT(RatedTogetherSum, (), (watch_space, raters, anime))

/// Postgres's expression for the band of gaps that a gap is in (migration 0038).
inline std::string gap_band(std::string_view gap_tenths) { return '(' + std::string(gap_tenths) + " / 25)::smallint"; }

/// How far apart two profiles are about one anime.
struct GapRow {
  using Key = std::tuple<AnimeId, ProfileId, ProfileId>;
  AnimeId anime;
  ProfileId low;
  ProfileId high;
  WatchSpaceId watch_space;
  std::int16_t gap_tenths = 0;

  /// What Postgres derives from a row (migration 0038), for statements over rows that are in no table.
  static std::string derived_columns() { return gap_band("gap_tenths") + " AS band"; }

  bool operator==(const GapRow&) const = default;
};
BOOST_DESCRIBE_STRUCT(GapRow, (), (anime, low, high, watch_space, gap_tenths))

struct SpaceSum {
  using Key = WatchSpaceId;
  WatchSpaceId watch_space;
  std::int64_t shows = 0;
  std::int64_t watching = 0;
  std::int64_t finished = 0;
  std::int64_t episodes_together = 0;  ///< sum of shared progress

  bool operator==(const SpaceSum&) const = default;
};
BOOST_DESCRIBE_STRUCT(SpaceSum, (), (watch_space, shows, watching, finished, episodes_together))

struct Dashboard {
  static constexpr std::string_view name = "dashboard";
  static constexpr int version = 3;  ///< raise it when a fold changes

  projection::Rows<RatedAnimeRow> anime;
  projection::Sums<PairSum> pairs;
  projection::Sums<RatedTogetherSum> rated_together;
  projection::Puts<GapRow> gaps;
  projection::Sums<SpaceSum> spaces;

  void apply(const AnimeAdded& e, const Meta& meta);
  void apply(const SharedStatusChanged& e, const Meta& meta);
  void apply(const SharedProgressChanged& e, const Meta& meta);
  void apply(const AnimeRated& e, const Meta& meta);
  void apply(const RatingCleared& e, const Meta& meta);
  void apply(const RatingNotesChanged& e, const Meta& meta);
  void apply(const ParticipantStatusChanged& e, const Meta& meta);
  void apply(const ParticipantProgressChanged& e, const Meta& meta);
  void apply(const StartDateChanged& e, const Meta& meta);
  void apply(const FinishDateChanged& e, const Meta& meta);
  void apply(const TimesRewatchedChanged& e, const Meta& meta);
  void apply(const AnimeRemoved& e, const Meta& meta);
  void apply(const AnimeRestored& e, const Meta& meta);
};
BOOST_DESCRIBE_STRUCT(Dashboard, (), (anime, pairs, rated_together, gaps, spaces))

}  // namespace bloomwatch
