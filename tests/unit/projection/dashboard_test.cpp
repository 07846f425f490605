// The fold of the dashboard: sums, gaps and pairs from lists of events.
#include "projector/dashboard/dashboard.h"

#include <gmock/gmock.h>

#include "query-service/dashboard/compatibility.h"
#include "tests/unit/projection/folding.h"

namespace bloomwatch::test {
namespace {

using DashboardFold = Folding<Dashboard>;

PairSum pair_of(const DashboardFold& fold, ProfileId low, ProfileId high) {
  const PairSum* sum = fold.model.pairs.peek({space(), low, high});
  return sum == nullptr ? PairSum{} : *sum;
}

TEST(Dashboard, finds_90_when_three_anime_differ_by_one_each) {
  DashboardFold fold;
  fold.added(1).added(2).added(3);
  fold.rated(1, person(1), 90).rated(1, person(2), 80);
  fold.rated(2, person(1), 70).rated(2, person(2), 80);
  fold.rated(3, person(2), 100).rated(3, person(1), 90);
  const PairSum pair = pair_of(fold, person(1), person(2));
  EXPECT_EQ(pair.rated, 3);
  EXPECT_EQ(pair.gap_tenths, 30);
  const PairGaps gaps[] = {{{person(1), person(2)}, pair.rated, pair.gap_tenths}};
  EXPECT_EQ(compatibility_of(gaps, 3).score, 90);
}

TEST(Dashboard, replaces_a_score_and_what_followed_from_it) {
  DashboardFold fold;
  fold.added(1).rated(1, person(1), 90).rated(1, person(2), 50).rated(1, person(1), 60);
  EXPECT_EQ(pair_of(fold, person(1), person(2)).rated, 1);
  EXPECT_EQ(pair_of(fold, person(1), person(2)).gap_tenths, 10);
  EXPECT_EQ(fold.model.gaps.peek({anime(1), person(1), person(2)})->gap_tenths, 10);
  EXPECT_EQ(fold.model.anime.peek(anime(1))->raters, 2);
}

TEST(Dashboard, forgets_gaps_with_a_cleared_score) {
  DashboardFold fold;
  fold.added(1).rated(1, person(1), 90).rated(1, person(2), 50).rated(1, person(3), 70);
  fold.in_anime(1, RatingCleared{person(2), title(1)});
  EXPECT_EQ(pair_of(fold, person(1), person(2)).rated, 0);
  EXPECT_EQ(pair_of(fold, person(1), person(2)).gap_tenths, 0);
  EXPECT_EQ(pair_of(fold, person(1), person(3)).gap_tenths, 20);
  EXPECT_EQ(fold.model.gaps.peek({anime(1), person(1), person(2)}), nullptr);
  EXPECT_NE(fold.model.gaps.peek({anime(1), person(1), person(3)}), nullptr);
  EXPECT_THAT(fold.model.anime.peek(anime(1))->score_tenths, testing::SizeIs(2));
}

std::int64_t rated_together(const DashboardFold& fold, const std::vector<ProfileId>& raters) {
  const RatedTogetherSum* sum = fold.model.rated_together.peek({space(), {raters}});
  return sum == nullptr ? 0 : sum->anime;
}

TEST(Dashboard, counts_anime_by_the_set_of_those_who_rated_them) {
  DashboardFold fold;
  fold.added(1).added(2).added(3);
  fold.rated(1, person(2), 90).rated(1, person(1), 50).rated(2, person(1), 70).rated(2, person(2), 70).rated(3, person(3), 10);
  EXPECT_EQ(rated_together(fold, {person(1), person(2)}), 2);
  EXPECT_EQ(fold.model.rated_together.held(), 1U);  // no set of one
  fold.rated(1, person(3), 40).rated(1, person(3), 45);
  EXPECT_EQ(rated_together(fold, {person(1), person(2)}), 1);
  EXPECT_EQ(rated_together(fold, {person(1), person(2), person(3)}), 1);
  fold.in_anime(1, RatingCleared{person(1), title(1)});
  EXPECT_EQ(rated_together(fold, {person(1), person(2), person(3)}), 0);
  EXPECT_EQ(rated_together(fold, {person(2), person(3)}), 1);
  fold.in_anime(1, RatingCleared{person(1), title(1)}).in_anime(2, AnimeRemoved{title(2), {}});
  EXPECT_EQ(rated_together(fold, {person(2), person(3)}), 1);
  EXPECT_EQ(rated_together(fold, {person(1), person(2)}), 0);
  fold.in_anime(2, AnimeRestored{title(2), {}});
  EXPECT_EQ(rated_together(fold, {person(1), person(2)}), 1);
}

TEST(Dashboard, clearing_what_was_never_rated_changes_nothing) {
  DashboardFold fold;
  fold.added(1).rated(1, person(1), 90).in_anime(1, RatingCleared{person(2), title(1)});
  EXPECT_EQ(fold.model.anime.peek(anime(1))->raters, 1);
  EXPECT_EQ(fold.model.pairs.held(), 0U);
}

TEST(Dashboard, knows_the_version_of_an_anime_after_everything_that_one_participant_says_of_it) {
  DashboardFold fold;
  fold.added(1).added(2).rated(1, person(1), 90);
  const auto version = [&] { return fold.model.anime.peek(anime(1))->version; };
  EXPECT_EQ(version(), 2);
  fold.in_anime(1, ParticipantStatusChanged{.profile = person(1), .title = title(1)});
  EXPECT_EQ(version(), 3);
  fold.in_anime(1, ParticipantProgressChanged{.profile = person(1), .title = title(1), .episodes = 2});
  EXPECT_EQ(version(), 4);
  fold.in_anime(1, StartDateChanged{.profile = person(1), .title = title(1)});
  EXPECT_EQ(version(), 5);
  fold.in_anime(1, FinishDateChanged{.profile = person(1), .title = title(1)});
  EXPECT_EQ(version(), 6);
  fold.in_anime(1, TimesRewatchedChanged{.profile = person(1), .title = title(1), .times = 1});
  EXPECT_EQ(version(), 7);
  fold.in_anime(1, RatingNotesChanged{.profile = person(1), .title = title(1)});
  EXPECT_EQ(version(), 8);
  fold.in_anime(1, RatingCleared{person(1), title(1)});
  EXPECT_EQ(version(), 9);
  EXPECT_EQ(fold.model.anime.peek(anime(2))->version, 1);
}

TEST(Dashboard, counts_shows_by_status_and_episodes_together) {
  DashboardFold fold;
  fold.added(1, TrackingStatus::watching).added(2).added(3, TrackingStatus::finished);
  fold.in_anime(1, SharedProgressChanged{.episodes = 5}).in_anime(1, SharedProgressChanged{.episodes = 3});
  fold.in_anime(2, SharedStatusChanged{.status = TrackingStatus::watching})
      .in_anime(1, SharedStatusChanged{.status = TrackingStatus::finished});
  const SpaceSum& sum = *fold.model.spaces.peek(space());
  EXPECT_EQ(sum.shows, 3);
  EXPECT_EQ(sum.watching, 1);
  EXPECT_EQ(sum.finished, 2);
  EXPECT_EQ(sum.episodes_together, 3);
}

TEST(Dashboard, keeps_spaces_apart) {
  DashboardFold fold;
  fold.added(1).added(2, TrackingStatus::backlog, space(2));
  fold.rated(1, person(1), 90).rated(2, person(2), 50, space(2));
  EXPECT_EQ(fold.model.pairs.held(), 0U);
  EXPECT_EQ(fold.model.spaces.peek(space(1))->shows, 1);
  EXPECT_EQ(fold.model.spaces.peek(space(2))->shows, 1);
}

TEST(Dashboard, takes_a_removed_anime_out_of_every_sum_and_puts_it_back) {
  DashboardFold fold;
  fold.added(1, TrackingStatus::watching).in_anime(1, SharedProgressChanged{.episodes = 5});
  fold.rated(1, person(1), 90).rated(1, person(2), 50).rated(1, person(3), 70);
  const SpaceSum sums = *fold.model.spaces.peek(space());
  const PairSum pair = pair_of(fold, person(1), person(2));
  RatedAnimeRow row = *fold.model.anime.peek(anime(1));
  fold.in_anime(1, AnimeRemoved{title(1), {}});
  EXPECT_EQ(*fold.model.spaces.peek(space()), SpaceSum{space()});
  EXPECT_EQ(pair_of(fold, person(1), person(2)).rated, 0);
  EXPECT_EQ(pair_of(fold, person(1), person(2)).gap_tenths, 0);
  EXPECT_EQ(fold.model.gaps.peek({anime(1), person(1), person(2)}), nullptr);
  EXPECT_EQ(fold.model.anime.peek(anime(1))->watch_space, std::nullopt);
  fold.in_anime(1, AnimeRestored{title(1), {}});
  EXPECT_EQ(*fold.model.spaces.peek(space()), sums);
  EXPECT_EQ(pair_of(fold, person(1), person(2)), pair);
  EXPECT_EQ(fold.model.gaps.peek({anime(1), person(1), person(2)})->gap_tenths, 40);
  row.version += 2;
  EXPECT_EQ(*fold.model.anime.peek(anime(1)), row);
}

TEST(Dashboard, cannot_fold_a_rating_of_an_anime_that_was_never_added) {
  DashboardFold fold;
  EXPECT_THROW(fold.rated(9, person(1), 90), projection::MissingRow);
}

}  // namespace
}  // namespace bloomwatch::test
