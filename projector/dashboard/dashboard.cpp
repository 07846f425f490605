// The fold of `dashboard`. A score changes its anime's row, and per other rater of that anime one gap and one pair's sum; nothing else, so
// its cost does not grow with the space.
#include "projector/dashboard/dashboard.h"

#include <cstdlib>

namespace bloomwatch {
namespace {

std::int16_t gap_between(std::int16_t one, std::int16_t other) { return static_cast<std::int16_t>(std::abs(one - other)); }

void count_status(SpaceSum& sum, TrackingStatus status, int count) {
  if (status == TrackingStatus::watching) sum.watching += count;
  if (status == TrackingStatus::finished) sum.finished += count;
}

/// Takes what `profile` said so far out of the sums with all others.
void take_out(Dashboard& model, RatedAnimeRow& row, ProfileId profile) {
  const auto mine = row.score_tenths.find(profile);
  if (mine == row.score_tenths.end()) return;
  for (const auto& [other, theirs] : row.score_tenths) {
    if (other == profile) continue;
    const projection::Pair pair(profile, other);
    PairSum& sum = model.pairs[{row.watch_space, pair.low, pair.high}];
    --sum.rated;
    sum.gap_tenths -= gap_between(mine->second, theirs);
  }
}

}  // namespace

void Dashboard::apply(const AnimeAdded& e, const Meta& meta) {
  RatedAnimeRow& row = anime[meta.key<AnimeId>()];
  row.watch_space = e.watch_space;
  row.shared_status = e.shared_status;
  SpaceSum& sum = spaces[e.watch_space];
  ++sum.shows;
  count_status(sum, e.shared_status, 1);
}

void Dashboard::apply(const SharedStatusChanged& e, const Meta& meta) {
  RatedAnimeRow& row = anime.at(meta.key<AnimeId>());
  SpaceSum& sum = spaces[row.watch_space];
  count_status(sum, row.shared_status, -1);
  count_status(sum, e.status, 1);
  row.shared_status = e.status;
}

void Dashboard::apply(const SharedProgressChanged& e, const Meta& meta) {
  RatedAnimeRow& row = anime.at(meta.key<AnimeId>());
  spaces[row.watch_space].episodes_together += e.episodes - row.shared_episodes;
  row.shared_episodes = e.episodes;
}

void Dashboard::apply(const AnimeRated& e, const Meta& meta) {
  RatedAnimeRow& row = anime.at(meta.key<AnimeId>());
  take_out(*this, row, e.profile);
  row.score_tenths[e.profile] = e.score_tenths;
  row.raters = static_cast<std::int16_t>(row.score_tenths.size());
  for (const auto& [other, theirs] : row.score_tenths) {
    if (other == e.profile) continue;
    const projection::Pair pair(e.profile, other);
    const std::int16_t gap = gap_between(e.score_tenths, theirs);
    PairSum& sum = pairs[{row.watch_space, pair.low, pair.high}];
    ++sum.rated;
    sum.gap_tenths += gap;
    gaps.put({row.anime, pair.low, pair.high, row.watch_space, gap});
  }
}

void Dashboard::apply(const RatingCleared& e, const Meta& meta) {
  RatedAnimeRow& row = anime.at(meta.key<AnimeId>());
  take_out(*this, row, e.profile);
  if (row.score_tenths.erase(e.profile) == 0) return;
  row.raters = static_cast<std::int16_t>(row.score_tenths.size());
  for (const auto& [other, theirs] : row.score_tenths) {
    const projection::Pair pair(e.profile, other);
    gaps.remove({row.anime, pair.low, pair.high});
  }
}

}  // namespace bloomwatch
