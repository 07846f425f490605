// The contract of feeds, and who is held to it.
#include <gtest/gtest.h>

#include <map>
#include <set>
#include <thread>

#include "tests/integration/log/feed_contract.h"
#include "tests/integration/log/published_log.h"

namespace bloomwatch::test {
namespace {

using namespace std::chrono_literals;

TEST_P(FeedContract, gives_every_event_once_and_in_order_within_a_partition) {
  for (int i = 0; i < 5; ++i) append_events(20);
  Cursor cursor = start_of(*feed);
  const auto events = read_all(*feed, cursor, 100, 7);
  ASSERT_EQ(events.size(), 100U);
  std::map<std::int16_t, Position> last;
  std::set<Position> seen;
  for (const RecordedEvent& event : events) {
    EXPECT_GT(event.meta.position, last[event.meta.partition]);
    last[event.meta.partition] = event.meta.position;
    EXPECT_TRUE(seen.insert(event.meta.position).second);
  }
}

TEST_P(FeedContract, gives_what_the_log_has) {
  append_events(3);
  Cursor cursor = start_of(*feed);
  for (const RecordedEvent& event : read_all(*feed, cursor, 3, 10)) {
    const RecordedEvent original = reader.read(event.meta.position - 1, 1).at(0);
    EXPECT_EQ(event.meta.event_id, original.meta.event_id);
    EXPECT_EQ(event.meta.stream, original.meta.stream);
    EXPECT_EQ(event.meta.version, original.meta.version);
    EXPECT_EQ(event.meta.recorded_at, original.meta.recorded_at);
    EXPECT_EQ(event.meta.by.command, original.meta.by.command);
    EXPECT_EQ(event.type, original.type);
    EXPECT_EQ(event.data, original.data);
  }
}

TEST_P(FeedContract, goes_on_from_a_stored_cursor) {
  append_events(30);
  Cursor cursor = start_of(*feed);
  std::set<Position> seen;
  for (const RecordedEvent& event : read_all(*feed, cursor, 10, 10)) seen.insert(event.meta.position);
  const auto again = GetParam().make(url, hub);  // another process, with what the first one stored
  Cursor stored = cursor;
  for (const RecordedEvent& event : read_all(*again, stored, 30 - seen.size(), 10)) EXPECT_TRUE(seen.insert(event.meta.position).second);
  EXPECT_EQ(seen.size(), 30U);
}

TEST_P(FeedContract, gives_a_batch_again_to_whoever_did_not_store_it) {
  append_events(5);
  std::map<Position, EventId> first, second;
  Cursor cursor = start_of(*feed);
  for (const RecordedEvent& event : read_all(*feed, cursor, 5, 5)) first[event.meta.position] = event.meta.event_id;
  cursor = start_of(*feed);
  for (const RecordedEvent& event : read_all(*feed, cursor, 5, 5)) second[event.meta.position] = event.meta.event_id;
  EXPECT_EQ(first.size(), 5U);
  EXPECT_EQ(first, second);
}

TEST_P(FeedContract, waits_for_the_first_event_and_no_longer) {
  Cursor cursor = start_of(*feed);
  const auto before = std::chrono::steady_clock::now();
  EXPECT_TRUE(feed->next(cursor, 10, 150ms).events.empty());
  EXPECT_GE(std::chrono::steady_clock::now() - before, 140ms);
  std::jthread later([&] {
    std::this_thread::sleep_for(50ms);
    append_events(1);
  });
  EXPECT_EQ(feed->next(cursor, 10, 10s).events.size(), 1U);
}

TEST_P(FeedContract, ends_its_wait_when_woken) {
  std::jthread later([&] {
    std::this_thread::sleep_for(50ms);
    feed->wake();
  });
  const auto before = std::chrono::steady_clock::now();
  EXPECT_TRUE(feed->next(start_of(*feed), 10, 10s).events.empty());
  EXPECT_LT(std::chrono::steady_clock::now() - before, 5s);
}

std::unique_ptr<Feed> kafka_member(const std::string& database_url, Hub& hub) {
  return std::make_unique<PublishedFeed>(database_url, hub, fresh_kafka_name("contract"));
}
std::unique_ptr<Feed> kafka_reader(const std::string& database_url, Hub& hub) {
  return std::make_unique<PublishedFeed>(database_url, hub, "");
}

INSTANTIATE_TEST_SUITE_P(Feeds, FeedContract,
                         testing::Values(FeedSource{"postgres", postgres_feed}, FeedSource{"kafka_member", kafka_member},
                                         FeedSource{"kafka_reader", kafka_reader}),
                         [](const auto& param) { return param.param.name; });

TEST(PostgresFeed, finds_what_the_hub_was_not_told) {
  const std::string url = fresh_database();
  Hub hub;
  AppendPipeline writer(url);
  writer.reconnect();
  const auto feed = postgres_feed(url, hub);
  ASSERT_EQ(append(writer, batch_after(LogReader(url).head(), 1)), AppendResult::committed);
  EXPECT_EQ(feed->next(Cursor::from_start(), 10, 2s).events.size(), 1U);
}

TEST(Hub, tells_late_comers_and_waits_for_the_rest) {
  Hub hub;
  hub.publish(Hub::log_topic, 5);
  hub.publish(Hub::log_topic, 3);
  EXPECT_EQ(hub.reached(Hub::log_topic), 5);
  EXPECT_TRUE(hub.wait(Hub::log_topic, 5, 0ms));
  EXPECT_FALSE(hub.wait(Hub::model_topic("dashboard"), 1, 10ms));
  std::int64_t heard = 0;
  auto subscription = hub.subscribe("log", [&](std::int64_t position) { heard = position; });
  std::jthread later([&] { hub.publish("log", 9); });
  EXPECT_TRUE(hub.wait("log", 9, 5s));
  later.join();
  EXPECT_EQ(heard, 9);
  subscription.reset();
  hub.publish("log", 10);
  EXPECT_EQ(heard, 9);
}

}  // namespace
}  // namespace bloomwatch::test
