// Live = rebuilt from zero = folded in memory, row for row, whatever the batches; and what a fold costs.
#include <random>

#include "projector/rebuild.h"
#include "tests/integration/projection/projection_fixture.h"

namespace bloomwatch::test {
namespace {

class AnyHistory : public ProjectionTest, public testing::WithParamInterface<int> {};

TEST_P(AnyHistory, gives_the_same_rows_live_rebuilt_and_in_memory) {
  const auto seed = static_cast<std::uint64_t>(GetParam());
  History history(seed);
  std::mt19937_64 random(seed);
  Follower follower = open_follower();
  for (int round = 0; round < 25; ++round) {
    append(history.next(static_cast<int>(1 + random() % 80)));
    while (random() % 4 != 0 && fold_some(follower, 1 + random() % 60)) {
    }
    if (random() % 5 == 0) follower.open(whole_log);  // as after a restart: nothing is held
  }
  fold_all(follower);
  expect_verified();
  for (const std::string& model : model_names()) {
    const auto live = rows_of(model);
    EXPECT_FALSE(live.empty());
    const auto report = projection::rebuild(url, model, {.batch_events_max = 1 + random() % 500});
    EXPECT_TRUE(report.switched);
    EXPECT_EQ(report.events, reader.head().position);
    EXPECT_EQ(rows_of(model), live) << model;
  }
  expect_verified({.events_per_pass = 100});
}

INSTANTIATE_TEST_SUITE_P(Seeds, AnyHistory, testing::Range(1, 13));

TEST_F(ProjectionTest, whoever_leaves_is_out_by_the_join_and_back_when_they_come_back) {
  History history(1);
  const ProfileId mira = history.register_user(), ken = history.register_user();
  const std::size_t space = history.create_space(mira);
  history.join(space, ken);
  for (int i = 0; i < 3; ++i) {
    const std::size_t anime = history.add_anime(space);
    history.rate(anime, mira, 90);
    history.rate(anime, ken, 80);
  }
  append(history.take());
  Follower follower = open_follower();
  fold_all(follower);
  const std::string compatible =
      "SELECT coalesce(sum(p.rated), 0)::bigint, coalesce(sum(p.gap_tenths), 0)::bigint FROM read_dashboard.pairs p "
      "JOIN read_spaces.members l ON l.watch_space = p.watch_space AND l.profile = p.low "
      "JOIN read_spaces.members h ON h.watch_space = p.watch_space AND h.profile = p.high";
  const auto gap = [&] {
    const pg::Result sums = connection.query(compatible);
    return std::pair(sums[0].get<std::int64_t>(0), sums[0].get<std::int64_t>(1));
  };
  EXPECT_EQ(gap(), (std::pair<std::int64_t, std::int64_t>(3, 30)));
  history.leave(space, ken);
  append(history.take());
  fold_all(follower);
  EXPECT_EQ(follower.touched("dashboard").written, 0U);
  EXPECT_EQ(gap(), (std::pair<std::int64_t, std::int64_t>(0, 0)));
  history.join(space, ken);
  append(history.take());
  fold_all(follower);
  EXPECT_EQ(gap(), (std::pair<std::int64_t, std::int64_t>(3, 30)));
}

/// Rows that one rating reads and writes in a space of that size, with nothing held in memory.
struct Cost {
  std::size_t loaded = 0;
  std::size_t written = 0;
  bool operator==(const Cost&) const = default;
};

TEST_F(ProjectionTest, a_fold_costs_no_more_in_a_space_with_more_anime_and_grows_with_raters_only) {
  History history(2);
  std::vector<ProfileId> people;
  for (int i = 0; i < 20; ++i) people.push_back(history.register_user());
  const std::size_t space = history.create_space(people[0]);
  for (std::size_t i = 1; i < people.size(); ++i) history.join(space, people[i]);
  const std::size_t anime = history.add_anime(space);
  Follower follower = open_follower();
  std::int16_t score = 50;
  const auto cost_of_rating = [&](ProfileId profile) {
    append(history.take());
    fold_all(follower);
    follower.open(whole_log);
    history.rate(anime, profile, score = static_cast<std::int16_t>(score + 10));
    append(history.take());
    fold_all(follower);
    Cost cost;
    for (const std::string& model : model_names()) {
      cost.loaded += follower.touched(model).loaded;
      cost.written += follower.touched(model).written;
    }
    return cost;
  };
  history.rate(anime, people[0], 50);
  history.rate(anime, people[1], 50);
  const Cost first = cost_of_rating(people[1]);
  for (int i = 0; i < 300; ++i) history.rate(history.add_anime(space), people[2], 50);
  EXPECT_EQ(cost_of_rating(people[1]), first);
  for (std::size_t i = 2; i < people.size(); ++i) history.rate(anime, people[i], 60);
  const Cost crowded = cost_of_rating(people[1]);
  EXPECT_EQ(crowded.loaded, first.loaded);
  EXPECT_LE(crowded.written, first.written + 3 * people.size());  // a gap and two sums for each other rater
  for (std::size_t i = 2; i < people.size(); ++i) history.leave(space, people[i]);
  EXPECT_EQ(cost_of_rating(people[1]), crowded);  // for when they come back; how many that may be is bounded by people_max
}

TEST_F(ProjectionTest, rows_are_kept_in_memory_between_batches) {
  History history(3);
  const ProfileId mira = history.register_user();
  const std::size_t anime = history.add_anime(history.create_space(mira));
  history.rate(anime, mira, 50);
  append(history.take());
  Follower follower = open_follower();
  fold_all(follower);
  history.rate(anime, mira, 60);
  append(history.take());
  fold_all(follower);
  EXPECT_EQ(follower.touched("dashboard").loaded, 0U);
  EXPECT_EQ(follower.touched("tracking").loaded, 0U);
  expect_verified();
}

TEST_F(ProjectionTest, a_batch_that_has_an_event_twice_is_not_folded) {
  History history(5);
  history.add_anime(history.create_space(history.register_user()));
  append(history.take());
  std::vector<RecordedEvent> events = reader.read(0, 1000);
  events.push_back(events.back());
  Follower follower = open_follower();
  EXPECT_THROW(follower.fold(events), std::logic_error);
  EXPECT_EQ(count("read_dashboard.spaces"), 0);
  fold_all(follower);
  EXPECT_EQ(count("read_dashboard.spaces WHERE shows = 1"), 1);
  expect_verified();
}

TEST_F(ProjectionTest, a_row_of_another_partition_is_never_overwritten) {
  History history(4);
  const ProfileId mira = history.register_user();
  const std::size_t anime = history.add_anime(history.create_space(mira));
  append(history.take());
  Follower follower = open_follower();
  fold_all(follower);
  connection.script("UPDATE read_dashboard.spaces SET partition = (partition + 1) % 16");
  history.rate(anime, mira, 60);
  history.add_anime(0);
  append(history.take());
  fold_all(follower);
  EXPECT_EQ(count("projection.parked WHERE model = 'dashboard'"), 1);
  EXPECT_EQ(count("projection.parked"), 1);
  EXPECT_EQ(count("read_dashboard.spaces WHERE shows = 1"), 1);
}

TEST_F(ProjectionTest, verify_finds_rows_that_are_wrong_missing_or_too_many) {
  History history(5);
  append(history.next(900));
  Follower follower = open_follower();
  fold_all(follower);
  expect_verified();
  connection.script(
      "UPDATE read_tracking.anime SET shared_episodes = shared_episodes + 1 WHERE anime = (SELECT min(anime::text)::uuid FROM "
      "read_tracking.anime);"
      "DELETE FROM read_spaces.spaces WHERE watch_space = (SELECT min(watch_space::text)::uuid FROM read_spaces.spaces);"
      "INSERT INTO read_dashboard.pairs SELECT gen_random_uuid(), low, high, 1, 5, partition FROM read_dashboard.pairs LIMIT 1;"
      "DELETE FROM read_analytics.moments WHERE position = (SELECT min(position) FROM read_analytics.moments);"
      "DELETE FROM read_catalog.listings WHERE listing = (SELECT min(listing::text)::uuid FROM read_catalog.listings);"
      "UPDATE read_history.changes SET person = actor WHERE person IS NULL;"
      "UPDATE read_recaps.changes SET position = position + 1;"
      "UPDATE read_people.accounts SET version = version + 1");
  for (const auto& verdict : projection::verify_models(url)) {
    EXPECT_FALSE(verdict.holds()) << verdict.model;
    EXPECT_FALSE(verdict.shown.empty()) << verdict.model;
  }
}

}  // namespace
}  // namespace bloomwatch::test
