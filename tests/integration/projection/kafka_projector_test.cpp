// Projectors on real Kafka: several share the partitions, come, go and change their feed, and every model is the fold of the log.
#include <algorithm>
#include <random>
#include <thread>

#include "projector/projector.h"
#include "projector/rebuild.h"
#include "runtime/metrics.h"
#include "tests/integration/log/published_log.h"
#include "tests/integration/projection/projection_fixture.h"

namespace bloomwatch::test {
namespace {

using namespace std::chrono_literals;

class KafkaProjectorTest : public ProjectionTest {
 protected:
  KafkaProjectorTest() : ProjectionTest(fresh_log()) {}

  KafkaFeedOptions kafka() { return {{kafka_bootstrap(), {}, "projector test"}, url, group, &metrics}; }
  std::unique_ptr<projection::Projector> projector() {
    projection::ProjectorOptions options{.database_url = url, .hub = hub, .metrics = &metrics};
    options.make_feed = [its = kafka()] { return kafka_feed(its); };
    auto made = std::make_unique<projection::Projector>(std::move(options));
    made->start();
    return made;
  }
  void append_and_publish(History& history, int commands) {
    append(history.next(commands));
    publisher.publish();
  }

  /// Whether every model has folded every partition's last event.
  bool all_folded() {
    const auto models = static_cast<std::int64_t>(projection::all_models().size());
    return count("projection.checkpoints WHERE slot = 'live'") == models * partition_count &&
           count(
               "(SELECT partition, max(position) AS last FROM log.events WHERE position > 0 GROUP BY 1) AS l "
               "JOIN projection.checkpoints c USING (partition) WHERE c.slot = 'live' AND c.position < l.last") == 0;
  }
  void expect_all_folded() {
    for (const auto end = std::chrono::steady_clock::now() + 2min; !all_folded() && std::chrono::steady_clock::now() < end;)
      std::this_thread::sleep_for(20ms);
    EXPECT_TRUE(all_folded());
    expect_verified();
  }

  Hub hub;
  Metrics metrics;
  std::string group = fresh_kafka_name("projectors");
  Publisher publisher{url};
};

TEST_F(KafkaProjectorTest, folds_the_topic_and_is_ready_once_it_has_its_share) {
  History history(1);
  append_and_publish(history, 300);
  const auto one = projector();
  expect_all_folded();
  EXPECT_TRUE(one->ready());
  append_and_publish(history, 100);
  expect_all_folded();
  EXPECT_EQ(metrics.counter("bloomwatch_kafka_feed_from_log_total", "").Value(), 0) << "the events came from Kafka";
}

TEST_F(KafkaProjectorTest, one_two_and_four_share_the_partitions_and_fold_everything_once) {
  History history(2);
  std::vector<std::unique_ptr<projection::Projector>> projectors;
  for (const std::size_t count : {1U, 2U, 4U, 1U, 3U}) {
    while (projectors.size() < count) projectors.push_back(projector());
    while (projectors.size() > count) projectors.pop_back();
    for (int round = 0; round < 5; ++round) {
      append_and_publish(history, 40);
      std::this_thread::sleep_for(50ms);
    }
  }
  expect_all_folded();
  // One that is stuck in a batch of partitions that are not its own any more can only be stale; nothing is ever folded twice.
  projectors.clear();
  expect_verified();
}

TEST_F(KafkaProjectorTest, the_feed_changes_to_and_fro_under_load) {
  History history(3);
  for (int round = 0; round < 3; ++round) {
    {
      const auto kafka_one = projector();
      for (int i = 0; i < 4; ++i) append_and_publish(history, 40);
      if (round > 0) expect_all_folded();
    }
    projection::Projector postgres_one({.database_url = url, .hub = hub});
    postgres_one.start();
    append_and_publish(history, 40);
    if (round > 1) EXPECT_TRUE(postgres_one.wait(reader.head().position, 60s));
  }
  expect_rows_right();
}

TEST_F(KafkaProjectorTest, a_rebuild_from_kafka_gives_the_same_rows) {
  History history(4);
  append_and_publish(history, 600);
  Follower follower = open_follower();
  fold_all(follower);
  const auto live = rows_of("dashboard");
  append(history.next(30));  // not published: Kafka does not have the whole log
  fold_all(follower);
  const auto newer = rows_of("dashboard");
  EXPECT_NE(live, newer);
  publisher.publish();
  const auto report = projection::rebuild(url, "dashboard", {.kafka = kafka(), .batch_events_max = 100});
  EXPECT_TRUE(report.switched);
  EXPECT_EQ(report.from_kafka, reader.head().position);
  EXPECT_EQ(rows_of("dashboard"), newer);
  expect_verified();
}

TEST_F(KafkaProjectorTest, a_rebuild_reads_from_the_log_what_kafka_has_not) {
  History history(5);
  append_and_publish(history, 200);
  const Position published = reader.head().position;
  append(history.next(100));
  Follower follower = open_follower();
  fold_all(follower);
  const auto live = rows_of("tracking");
  const auto report = projection::rebuild(url, "tracking", {.kafka = kafka()});
  EXPECT_EQ(report.from_kafka, published);
  EXPECT_EQ(report.events, reader.head().position);
  EXPECT_EQ(rows_of("tracking"), live);
  expect_verified();
}

TEST_F(KafkaProjectorTest, folds_on_at_once_however_often_rows_were_changed_under_it) {
  History history(7);
  append_and_publish(history, 100);
  const auto one = projector();
  expect_all_folded();
  std::vector<std::chrono::steady_clock::duration> took;
  for (int round = 0; round < 10; ++round) {
    connection.script("UPDATE projection.checkpoints SET generation = generation + 1");  // as a switch or a retry does
    append_and_publish(history, 40);
    const auto published = std::chrono::steady_clock::now();
    while (!all_folded() && std::chrono::steady_clock::now() < published + 1min) std::this_thread::sleep_for(20ms);
    ASSERT_TRUE(all_folded());
    took.push_back(std::chrono::steady_clock::now() - published);
  }
  EXPECT_GE(metrics.counter("bloomwatch_projector_stale_total", "").Value(), 10);
  EXPECT_LT(*std::min_element(took.end() - 3, took.end()), projection::Projector::backoff_max) << "each waits longer than the one before";
  EXPECT_TRUE(one->ready());
  expect_verified();
}

TEST_F(KafkaProjectorTest, a_rebuild_under_projectors_that_share_the_partitions_loses_and_doubles_nothing) {
  History history(6);
  append_and_publish(history, 500);
  const auto one = projector();
  const auto other = projector();
  expect_all_folded();
  std::atomic<bool> done = false;
  std::jthread load([&] {
    // Bounded: on a machine that is busy otherwise the log must not grow faster than it is folded.
    for (int round = 0; round < 100 && !done; ++round) append_and_publish(history, 20);
  });
  for (int i = 0; i < 2; ++i) EXPECT_TRUE(projection::rebuild(url, "dashboard", {.kafka = kafka()}).switched);
  EXPECT_TRUE(projection::rebuild(url, "dashboard").switched);
  done = true;
  load.join();
  expect_all_folded();
}

}  // namespace
}  // namespace bloomwatch::test
