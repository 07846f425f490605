// The fold of `dashboard`. A score changes its anime's row, per other rater of that anime one gap and one pair's sum, and the sums of two
// sets of raters where it is the first or the last of somebody's; nothing else, so its cost does not grow with the space.
#include "projector/dashboard/dashboard.h"

#include <cstdlib>
#include <iterator>

namespace bloomwatch {
namespace {

std::int16_t gap_between(std::int16_t one, std::int16_t other) { return static_cast<std::int16_t>(std::abs(one - other)); }

void count_status(SpaceSum& sum, TrackingStatus status, std::int64_t count) {
  if (status == TrackingStatus::watching) sum.watching += count;
  if (status == TrackingStatus::finished) sum.finished += count;
}

/// Where the row counts. Throws MissingRow for an anime that has left its space: what is said then cannot have been said.
WatchSpaceId space_of(const RatedAnimeRow& row) {
  if (!row.watch_space) throw projection::MissingRow("the event is about an anime that has left its space");
  return *row.watch_space;
}

/// The row of the event's anime, at the event's version.
RatedAnimeRow& changed(Dashboard& model, const Meta& meta) {
  RatedAnimeRow& row = model.anime.at(meta.key<AnimeId>());
  row.version = meta.version;
  return row;
}

/// Adds the gap between two raters to the sums and to the gaps, or takes it out of them.
void add_gap(Dashboard& model, const RatedAnimeRow& row, ProfileId one, ProfileId other) {
  const projection::Pair pair(one, other);
  const std::int16_t gap = gap_between(row.score_tenths.at(one), row.score_tenths.at(other));
  PairSum& sum = model.pairs[{space_of(row), pair.low, pair.high}];
  ++sum.rated;
  sum.gap_tenths += gap;
  model.gaps.put({row.anime, pair.low, pair.high, space_of(row), gap});
}
void take_out_gap(Dashboard& model, const RatedAnimeRow& row, ProfileId one, ProfileId other) {
  const projection::Pair pair(one, other);
  PairSum& sum = model.pairs[{space_of(row), pair.low, pair.high}];
  --sum.rated;
  sum.gap_tenths -= gap_between(row.score_tenths.at(one), row.score_tenths.at(other));
}

/// Takes what `profile` said so far out of the sums with all others.
void take_out(Dashboard& model, const RatedAnimeRow& row, ProfileId profile) {
  if (!row.score_tenths.contains(profile)) return;
  for (const auto& [other, theirs] : row.score_tenths)
    if (other != profile) take_out_gap(model, row, profile, other);
}

/// Counts the anime in its space (1), or no longer (−1).
void count_anime(Dashboard& model, const RatedAnimeRow& row, std::int64_t count) {
  SpaceSum& sum = model.spaces[space_of(row)];
  sum.shows += count;
  count_status(sum, row.shared_status, count);
  sum.episodes_together += count * row.shared_episodes;
}

/// Counts the anime among those that its raters have rated together (1), or no longer (−1).
void count_rated_together(Dashboard& model, const RatedAnimeRow& row, std::int64_t count) {
  if (row.score_tenths.size() < 2) return;
  projection::ProfileSet raters;
  for (const auto& [profile, tenths] : row.score_tenths) raters.profiles.push_back(profile);
  model.rated_together[{space_of(row), std::move(raters)}].anime += count;
}

/// Calls `visit` with each two raters, each two once.
void each_pair(const RatedAnimeRow& row, auto visit) {
  for (auto one = row.score_tenths.begin(); one != row.score_tenths.end(); ++one)
    for (auto other = std::next(one); other != row.score_tenths.end(); ++other) visit(one->first, other->first);
}

}  // namespace

void Dashboard::apply(const AnimeAdded& e, const Meta& meta) {
  RatedAnimeRow& row = anime[meta.key<AnimeId>()];
  row.watch_space = e.watch_space;
  row.shared_status = e.shared_status;
  row.version = meta.version;
  count_anime(*this, row, 1);
}

void Dashboard::apply(const SharedStatusChanged& e, const Meta& meta) {
  RatedAnimeRow& row = changed(*this, meta);
  SpaceSum& sum = spaces[space_of(row)];
  count_status(sum, row.shared_status, -1);
  count_status(sum, e.status, 1);
  row.shared_status = e.status;
}

void Dashboard::apply(const SharedProgressChanged& e, const Meta& meta) {
  RatedAnimeRow& row = changed(*this, meta);
  spaces[space_of(row)].episodes_together += e.episodes - row.shared_episodes;
  row.shared_episodes = e.episodes;
}

void Dashboard::apply(const AnimeRated& e, const Meta& meta) {
  RatedAnimeRow& row = changed(*this, meta);
  take_out(*this, row, e.profile);
  const bool is_first = !row.score_tenths.contains(e.profile);
  if (is_first) count_rated_together(*this, row, -1);
  row.score_tenths[e.profile] = e.score_tenths;
  row.raters = static_cast<std::int16_t>(row.score_tenths.size());
  if (is_first) count_rated_together(*this, row, 1);
  for (const auto& [other, theirs] : row.score_tenths)
    if (other != e.profile) add_gap(*this, row, e.profile, other);
}

void Dashboard::apply(const RatingCleared& e, const Meta& meta) {
  RatedAnimeRow& row = changed(*this, meta);
  if (!row.score_tenths.contains(e.profile)) return;
  take_out(*this, row, e.profile);
  count_rated_together(*this, row, -1);
  row.score_tenths.erase(e.profile);
  row.raters = static_cast<std::int16_t>(row.score_tenths.size());
  count_rated_together(*this, row, 1);
  for (const auto& [other, theirs] : row.score_tenths) {
    const projection::Pair pair(e.profile, other);
    gaps.remove({row.anime, pair.low, pair.high});
  }
}

void Dashboard::apply(const RatingNotesChanged&, const Meta& meta) { changed(*this, meta); }
void Dashboard::apply(const ParticipantStatusChanged&, const Meta& meta) { changed(*this, meta); }
void Dashboard::apply(const ParticipantProgressChanged&, const Meta& meta) { changed(*this, meta); }
void Dashboard::apply(const StartDateChanged&, const Meta& meta) { changed(*this, meta); }
void Dashboard::apply(const FinishDateChanged&, const Meta& meta) { changed(*this, meta); }
void Dashboard::apply(const TimesRewatchedChanged&, const Meta& meta) { changed(*this, meta); }

void Dashboard::apply(const AnimeRemoved&, const Meta& meta) {
  RatedAnimeRow& row = changed(*this, meta);
  each_pair(row, [&](ProfileId one, ProfileId other) {
    take_out_gap(*this, row, one, other);
    const projection::Pair pair(one, other);
    gaps.remove({row.anime, pair.low, pair.high});
  });
  count_rated_together(*this, row, -1);
  count_anime(*this, row, -1);
  row.watch_space.reset();
}

void Dashboard::apply(const AnimeRestored&, const Meta& meta) {
  RatedAnimeRow& row = changed(*this, meta);
  row.watch_space = WatchSpaceId(meta.partition_key.uuid);
  each_pair(row, [&](ProfileId one, ProfileId other) { add_gap(*this, row, one, other); });
  count_rated_together(*this, row, 1);
  count_anime(*this, row, 1);
}

}  // namespace bloomwatch
