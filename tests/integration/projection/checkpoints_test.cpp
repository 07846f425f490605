// Checkpoints of the whole log and by partition, and the way from one to the other: exactly once, whenever the feed changes and whatever
// is interrupted. Partitions are read from the log here, each as far as the test likes, which is what a Kafka feed may do.
#include "projector/checkpoints.h"

#include <algorithm>
#include <numeric>
#include <random>

#include "projector/parked.h"
#include "projector/rebuild.h"
#include "tests/integration/projection/projection_fixture.h"

namespace bloomwatch::test {
namespace {

using projection::Checkpoints;
using Partitions = std::vector<std::int16_t>;

Partitions partitions(std::int16_t from, std::int16_t to) {
  Partitions some(static_cast<std::size_t>(to - from));
  std::iota(some.begin(), some.end(), from);
  return some;
}
const Partitions all = partitions(0, partition_count);

class CheckpointTest : public ProjectionTest {
 protected:
  Follower follower_of(const Partitions& some) {
    Follower follower(url, Slot::live, projection::all_models());
    follower.open(some);
    return follower;
  }

  /// Of each partition that the follower reads the next events, at most `limit`; not in the order of the log.
  bool fold_partitions(Follower& follower, std::size_t limit = 1000) {
    const Cursor cursor = follower.cursor();
    std::map<std::int16_t, std::size_t> taken;
    std::vector<RecordedEvent> events;
    for (RecordedEvent& event : reader.read(0, 1'000'000)) {
      const auto found = cursor.positions.find(event.meta.partition);
      if (found == cursor.positions.end() || event.meta.position <= found->second) continue;
      if (taken[event.meta.partition]++ < limit) events.push_back(std::move(event));
    }
    std::ranges::sort(events, {}, [](const RecordedEvent& event) { return std::pair(-event.meta.partition, event.meta.position); });
    follower.fold(events);
    return !events.empty();
  }

  Checkpoints checkpoints(const std::string& model = "tracking") { return read_checkpoints(connection, model, Slot::live); }
};

TEST_F(CheckpointTest, one_row_becomes_16_at_the_same_position_and_nothing_is_folded_again) {
  History history(1);
  append(history.next(300));
  Follower whole = open_follower();
  fold_some(whole, 200);
  const Position position = whole.position("tracking");
  Follower shared = follower_of(all);
  EXPECT_EQ(checkpoints().rows.size(), 16U);
  EXPECT_EQ(checkpoints().least(), position);
  EXPECT_EQ(checkpoints().greatest(), position);
  EXPECT_THROW(fold_some(whole, 10), projection::StaleCheckpoint);
  while (fold_partitions(shared, 7)) {
  }
  expect_verified();
}

TEST_F(CheckpointTest, partitions_that_are_apart_are_read_to_one_position_and_become_one_row) {
  History history(2);
  append(history.next(400));
  Follower low = follower_of(partitions(0, 8));
  Follower high = follower_of(partitions(8, 16));
  fold_partitions(low, 3);
  while (fold_partitions(high)) {
  }
  ASSERT_LT(checkpoints().least(), checkpoints().greatest());
  expect_rows_right();
  Follower whole = open_follower();
  EXPECT_EQ(whole.cursor().positions.size(), 1U);
  EXPECT_EQ(whole.cursor().at(Cursor::whole_log), checkpoints().least());
  fold_all(whole, 50);
  for (const std::string& model : model_names()) {
    EXPECT_EQ(checkpoints(model).rows.size(), 1U);
    EXPECT_FALSE(checkpoints(model).by_partition());
  }
  expect_verified();
  EXPECT_THROW(fold_partitions(high) || (append(history.next(200)), fold_partitions(high)), projection::StaleCheckpoint);
}

TEST_F(CheckpointTest, a_stretch_of_the_log_that_was_folded_by_every_partition_is_passed_over) {
  History history(3);
  append(history.next(300));
  Follower shared = follower_of(all);
  while (fold_partitions(shared)) {
  }
  // A partition that had no events is still at the start.
  connection.script("DELETE FROM projection.checkpoints WHERE partition = 3");
  for (const std::string& model : model_names())
    connection.query(
        "INSERT INTO projection.checkpoints (model, slot, partition, version, position) SELECT model, slot, 3, version, "
        "(SELECT coalesce(max(position), 0) FROM log.events WHERE partition = 3) FROM projection.checkpoints "
        "WHERE model = $1 AND partition = 4",
        pg::Params(model));
  Follower whole = open_follower();
  fold_all(whole, 5);
  EXPECT_FALSE(checkpoints().by_partition());
  expect_verified();
}

class AnyChange : public CheckpointTest, public testing::WithParamInterface<int> {};

TEST_P(AnyChange, of_the_feed_at_any_moment_loses_and_doubles_nothing) {
  const auto seed = static_cast<std::uint64_t>(GetParam());
  History history(seed);
  std::mt19937_64 random(seed);
  for (int round = 0; round < 20; ++round) {
    append(history.next(static_cast<int>(1 + random() % 60)));
    // Each round is a process that came, did something and was killed.
    if (random() % 2 == 0) {
      Follower whole = open_follower();
      while (random() % 4 != 0 && fold_some(whole, 1 + random() % 40)) {
      }
    } else {
      const auto cut = static_cast<std::int16_t>(random() % 17);
      Follower low = follower_of(partitions(0, cut));
      Follower high = follower_of(partitions(cut, partition_count));
      while (random() % 4 != 0) fold_partitions(random() % 2 == 0 ? low : high, 1 + random() % 5);
    }
  }
  expect_rows_right();
  if (seed % 2 == 0) {
    Follower whole = open_follower();
    fold_all(whole);
    EXPECT_FALSE(checkpoints().by_partition());
  } else {
    Follower shared = follower_of(all);
    while (fold_partitions(shared)) {
    }
  }
  expect_verified();
}

INSTANTIATE_TEST_SUITE_P(Seeds, AnyChange, testing::Range(1, 9));

TEST_F(CheckpointTest, a_change_of_form_that_is_undone_leaves_the_old_form) {
  History history(4);
  append(history.next(100));
  Follower whole = open_follower();
  fold_some(whole, 50);
  const auto tracking = projection::model_named("tracking", Slot::live);
  const std::string epoch = reader.epoch();
  {
    // As if the process died just before the commit: a connection that is gone has changed nothing.
    pg::Connection dying(pg::Options{.url = url});
    dying.script(
        "CREATE FUNCTION pg_temp.fail() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'died'; END $$;"
        "CREATE CONSTRAINT TRIGGER dies AFTER INSERT ON projection.checkpoints DEFERRABLE INITIALLY DEFERRED "
        "FOR EACH ROW EXECUTE FUNCTION pg_temp.fail()");
    EXPECT_THROW(make_checkpoints(dying, *tracking, Slot::live, epoch, projection::CheckpointForm::by_partition), pg::Error);
    dying.script("DROP TRIGGER dies ON projection.checkpoints");
  }
  EXPECT_EQ(checkpoints().rows.size(), 1U);
  fold_all(whole);
  expect_verified();
}

TEST_F(CheckpointTest, two_processes_share_the_partitions_and_whoever_lost_one_writes_nothing_in_it) {
  History history(5);
  append(history.next(300));
  Follower one = follower_of(partitions(0, 8));
  Follower other = follower_of(partitions(8, 16));
  fold_partitions(one, 5);
  fold_partitions(other, 5);
  expect_rows_right();
  // A rebalance that the first one has not heard of.
  other.open(partitions(4, 16));
  while (fold_partitions(other, 5)) {
  }
  EXPECT_THROW(fold_partitions(one, 5), projection::StaleCheckpoint);
  one.open(partitions(0, 4));
  while (fold_partitions(one, 5)) {
  }
  expect_verified();
}

TEST_F(CheckpointTest, of_no_partitions_is_nothing_to_read) {
  Follower idle = follower_of({});
  EXPECT_TRUE(idle.cursor().positions.empty());
  EXPECT_TRUE(idle.followed().empty());
  EXPECT_TRUE(checkpoints().rows.empty());
}

TEST_F(CheckpointTest, a_parked_key_is_retried_and_discarded_up_to_the_checkpoint_of_its_partition) {
  auto [history, mira, space, anime] = PoisonedSpace(6);
  append(history.take());
  Follower follower = follower_of(all);
  while (fold_partitions(follower)) {
  }
  ASSERT_EQ(count("projection.parked WHERE model IN ('tracking', 'dashboard')"), 2);
  // The key goes on in the log, and others too; only the others are folded.
  const PartitionKey key(history.spaces()[space].id.uuid);
  history.rate(anime, mira, 40);
  append(history.take());
  for (int i = 0; i < 200; ++i) history.create_space(mira);
  append(history.take());
  Partitions others = all;
  std::erase(others, partition_of(key));
  Follower rest = follower_of(others);
  while (fold_partitions(rest)) {
  }
  EXPECT_TRUE(projection::retry_parked(url, "dashboard", key).parked.has_value());
  const auto gone = projection::discard_parked(url, "dashboard", key, "made by hand");
  EXPECT_FALSE(gone.parked.has_value());
  EXPECT_EQ(gone.events, 1);  // the rating of 90; that of 40 is not its partition's yet
  EXPECT_EQ(count("read_dashboard.anime WHERE score_tenths::text LIKE '%90%'"), 1);
  expect_rows_right();
  EXPECT_THROW(fold_partitions(follower), projection::StaleCheckpoint);
  follower.open(all);
  while (fold_partitions(follower)) {
  }
  EXPECT_EQ(count("read_dashboard.anime WHERE score_tenths::text LIKE '%40%'"), 1);
  expect_verified();
}

TEST_F(CheckpointTest, a_rebuild_beside_partitions_that_are_apart_takes_all_of_them_to_one_position) {
  History history(7);
  append(history.next(400));
  Follower low = follower_of(partitions(0, 8));
  Follower high = follower_of(partitions(8, 16));
  fold_partitions(low, 3);
  while (fold_partitions(high)) {
  }
  const Checkpoints before = checkpoints("dashboard");
  const auto report = projection::rebuild(url, "dashboard", {.batch_events_max = 50});
  EXPECT_TRUE(report.switched);
  const Checkpoints after = checkpoints("dashboard");
  EXPECT_EQ(after.rows.size(), 16U);
  EXPECT_EQ(after.least(), before.greatest());
  EXPECT_EQ(after.greatest(), before.greatest());
  expect_rows_right();
  EXPECT_THROW(fold_partitions(low), projection::StaleCheckpoint);
  low.open(partitions(0, 8));
  high.open(partitions(8, 16));
  while (fold_partitions(low) || fold_partitions(high)) {
  }
  expect_verified();
}

TEST_F(CheckpointTest, a_partition_without_events_does_not_hide_that_the_rows_are_of_an_older_version) {
  History history(8);
  append(history.next(100));
  Follower follower = follower_of(all);
  while (fold_partitions(follower)) {
  }
  connection.script(
      "UPDATE projection.checkpoints SET version = 0 WHERE model = 'dashboard';"
      "UPDATE projection.checkpoints SET position = 0 WHERE model = 'dashboard' AND partition = 5");
  follower.open(all);
  EXPECT_EQ(follower.outdated(), std::vector<std::string>{"dashboard"});
  EXPECT_EQ(follower.position("dashboard"), -1);
}

TEST_F(CheckpointTest, by_partition_begin_anew_with_a_new_epoch) {
  History history(9);
  append(history.next(200));
  Follower follower = follower_of(all);
  while (fold_partitions(follower)) {
  }
  connection.script("UPDATE read_tracking.anime SET shared_episodes = 999");
  begin_epoch(connection);
  Follower one = follower_of(partitions(0, 8));
  Follower other = follower_of(partitions(8, 16));
  EXPECT_EQ(checkpoints().greatest(), 0);
  while (fold_partitions(one) || fold_partitions(other)) {
  }
  expect_verified();
}

}  // namespace
}  // namespace bloomwatch::test
