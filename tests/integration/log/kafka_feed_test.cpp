// What only a Kafka feed has to bear: repeats, gaps, records that are none, members that come and go, topics that vanish. Whatever the
// topic does, what is given is the log: every event once, in order within its partition.
#include <gtest/gtest.h>

#include <array>
#include <map>
#include <random>
#include <set>

#include "runtime/metrics.h"
#include "tests/integration/log/published_log.h"

namespace bloomwatch::test {
namespace {

using namespace std::chrono_literals;

class KafkaFeedTest : public testing::Test {
 protected:
  KafkaFeedTest() { writer.reconnect(); }

  void append_events(std::size_t count) { ASSERT_EQ(append(writer, batch_after(reader.head(), count)), AppendResult::committed); }
  /// In one stream, and so in one partition, which is returned.
  std::int16_t append_to_one(std::size_t count) {
    const Uuid stream = Uuid::v7(now());
    EXPECT_EQ(append(writer, stream_after(reader.head(), stream, count)), AppendResult::committed);
    return partition_of(PartitionKey(stream));
  }

  std::unique_ptr<Feed> feed_of(const std::string& its_group) {
    return kafka_feed({{kafka_bootstrap(), {}, "feed test"}, url, its_group, &metrics});
  }

  std::string url = fresh_log();
  AppendPipeline writer{url};
  LogReader reader{url};
  Metrics metrics;
  std::string group = fresh_kafka_name("feed");
};

/// What a reader has read, and its cursors. It stores what it reads, as a projector does.
class Reading {
 public:
  explicit Reading(Feed& feed) : feed_(&feed) {}
  /// The same reader with another feed, as after a restart.
  void go_on_with(Feed& feed) { feed_ = &feed; }

  void step(std::chrono::milliseconds timeout = 200ms, std::size_t limit = 1000) {
    Cursor cursor;
    for (const std::int16_t p : feed_->partitions()) cursor.positions[p] = stored_.at(p);
    take(feed_->next(cursor, limit, timeout));
  }
  /// Reads until it has what the log has, at most a minute.
  void until_it_has(LogReader& log, std::size_t limit = 1000) {
    const Position head = log.head().position;
    for (const auto end = std::chrono::steady_clock::now() + 1min;
         static_cast<Position>(seen_.size()) < head && std::chrono::steady_clock::now() < end;)
      step(200ms, limit);
  }
  /// It has every event of the log once.
  void expect_whole(LogReader& log) const { EXPECT_EQ(static_cast<Position>(seen_.size()), log.head().position); }
  std::size_t size() const { return seen_.size(); }

 private:
  void take(const FeedBatch& batch) {
    for (const RecordedEvent& event : batch.events) {
      EXPECT_GT(event.meta.position, stored_.at(event.meta.partition)) << "out of order, or a repeat";
      stored_.positions[event.meta.partition] = event.meta.position;
      EXPECT_TRUE(seen_.insert(event.meta.position).second);
    }
    for (const auto& [partition, position] : batch.cursor.positions) EXPECT_EQ(position, stored_.at(partition));
  }

  Feed* feed_;
  Cursor stored_;
  std::set<Position> seen_;
};

/// Several readers of one group that store in one place, as projectors do.
class Members {
 public:
  void add(std::unique_ptr<Feed> feed) { feeds_.push_back(std::move(feed)); }
  void remove() { feeds_.pop_back(); }
  std::size_t size() const { return feeds_.size(); }

  void step() {
    for (const auto& feed : feeds_) {
      Cursor cursor;
      for (const std::int16_t p : feed->partitions()) cursor.positions[p] = stored_.at(p);
      const FeedBatch batch = feed->next(cursor, 20, 20ms);
      for (const RecordedEvent& event : batch.events) {
        Position& stored = stored_.positions[event.meta.partition];
        EXPECT_GT(event.meta.position, stored);
        // In order and with no gap: the log says what the next one is.
        stored = event.meta.position;
        EXPECT_TRUE(seen_.insert(event.meta.position).second);
      }
    }
  }
  bool shared() const {
    std::size_t held = 0;
    for (const auto& feed : feeds_) {
      const std::size_t count = feed->partitions().size();
      if (count != static_cast<std::size_t>(partition_count) / feeds_.size()) return false;
      held += count;
    }
    return held == static_cast<std::size_t>(partition_count);
  }
  std::size_t seen() const { return seen_.size(); }

 private:
  std::vector<std::unique_ptr<Feed>> feeds_;
  Cursor stored_;
  std::set<Position> seen_;
};

TEST_F(KafkaFeedTest, leaves_repeats_out) {
  Publisher publisher(url);
  append_events(50);
  publisher.publish();
  publisher.begin_again(20);
  append_events(30);
  publisher.publish();
  const auto feed = feed_of(group);
  Reading reading(*feed);
  reading.until_it_has(reader);
  reading.expect_whole(reader);
}

TEST_F(KafkaFeedTest, reads_from_the_log_what_the_topic_leaves_out) {
  Publisher publisher(url);
  const std::int16_t partition = append_to_one(400);
  std::set<Position> without;
  for (Position p = 100; p <= 300; ++p) without.insert(p);
  publisher.publish(without);
  const auto feed = feed_of(group);
  Reading reading(*feed);
  // In pieces that are smaller than the gap.
  reading.until_it_has(reader, 30);
  reading.expect_whole(reader);
  EXPECT_GE(partition, 0);
}

TEST_F(KafkaFeedTest, passes_over_records_that_are_no_events_and_reads_what_they_stand_for_from_the_log) {
  Publisher publisher(url);
  const std::int16_t partition = append_to_one(10);
  publisher.publish();
  append_to_one(7);
  publisher.publish();
  const std::array<kafka::Header, 2> headers = {kafka::Header{"ce_specversion", "1.0"}, kafka::Header{"ce_position", "5"}};
  publisher.poison(partition);
  publisher.poison(partition, "not JSON", headers);
  const auto feed = feed_of(group);
  Reading reading(*feed);
  reading.until_it_has(reader);
  reading.expect_whole(reader);
  append_events(40);
  publisher.publish();
  reading.until_it_has(reader);
  reading.expect_whole(reader);
}

TEST_F(KafkaFeedTest, reads_from_the_log_what_a_poisoned_record_at_the_end_stands_for) {
  Publisher publisher(url);
  const std::int16_t partition = append_to_one(10);
  publisher.publish({10});
  publisher.poison(partition);
  const auto feed = feed_of(group);
  Reading reading(*feed);
  reading.until_it_has(reader);
  reading.expect_whole(reader);
}

TEST_F(KafkaFeedTest, begins_where_the_cursor_says_and_not_where_the_group_was) {
  Publisher publisher(url);
  append_events(200);
  publisher.publish();
  {
    const auto feed = feed_of(group);
    Reading reading(*feed);
    reading.until_it_has(reader);
    std::this_thread::sleep_for(1100ms);  // so that it notes its offsets in the group
    reading.step();
  }
  const auto feed = feed_of(group);
  Reading from_nothing(*feed);
  from_nothing.until_it_has(reader);
  from_nothing.expect_whole(reader);
}

TEST_F(KafkaFeedTest, goes_on_after_a_restart_wherever_it_was) {
  Publisher publisher(url);
  std::mt19937_64 random(7);
  auto feed = feed_of(group);
  Reading reading(*feed);
  for (int round = 0; round < 6; ++round) {
    append_events(1 + random() % 60);
    publisher.publish();
    for (std::uint64_t steps = random() % 6; steps > 0; --steps) reading.step(100ms, 1 + random() % 20);
    feed.reset();
    feed = feed_of(round % 2 == 0 ? "" : group);
    reading.go_on_with(*feed);
  }
  reading.until_it_has(reader);
  reading.expect_whole(reader);
}

TEST_F(KafkaFeedTest, waits_for_a_topic_that_is_not_there_yet) {
  append_events(30);
  for (const std::string& its_group : {group, std::string()}) {
    const std::string fresh = fresh_log();
    AppendPipeline its_writer(fresh);
    its_writer.reconnect();
    LogReader its_reader(fresh);
    ASSERT_EQ(append(its_writer, batch_after(its_reader.head(), 20)), AppendResult::committed);
    const auto feed = kafka_feed({{kafka_bootstrap(), {}, "feed test"}, fresh, its_group, nullptr});
    Reading reading(*feed);
    for (int i = 0; i < 10; ++i) reading.step();
    EXPECT_EQ(reading.size(), 0U);
    Publisher publisher(fresh);
    publisher.publish();
    reading.until_it_has(its_reader);
    reading.expect_whole(its_reader);
    EXPECT_EQ(feed->not_ready(), std::nullopt);
  }
}

TEST_F(KafkaFeedTest, throws_nothing_but_waits_while_no_broker_is_there) {
  append_events(5);
  const auto feed = kafka_feed({{"127.0.0.1:1", {}, "feed test"}, url, group, nullptr});
  const auto before = std::chrono::steady_clock::now();
  EXPECT_TRUE(feed->partitions().empty());
  EXPECT_TRUE(feed->next({}, 10, 300ms).events.empty());
  EXPECT_GE(std::chrono::steady_clock::now() - before, 290ms);
  EXPECT_NE(feed->not_ready(), std::nullopt);
}

TEST_F(KafkaFeedTest, goes_on_when_its_topic_is_made_anew_and_filled_again) {
  Publisher publisher(url);
  append_events(120);
  publisher.publish();
  const auto feed = feed_of(group);
  Reading reading(*feed);
  reading.until_it_has(reader);
  publisher.remove_topic();
  append_events(40);
  for (int i = 0; i < 5; ++i) reading.step();
  publisher.make_topic();
  publisher.renew();
  publisher.begin_again(0);
  publisher.publish();
  reading.until_it_has(reader);
  reading.expect_whole(reader);
}

TEST_F(KafkaFeedTest, follows_the_log_into_a_new_epoch) {
  auto publisher = std::make_unique<Publisher>(url);
  append_events(50);
  publisher->publish();
  const auto feed = feed_of(group);
  Reading reading(*feed);
  reading.until_it_has(reader);
  pg::Connection connection(pg::Options{.url = url});
  begin_epoch(connection);
  publisher = std::make_unique<Publisher>(url);
  append_events(20);
  publisher->publish();
  Reading anew(*feed);  // who reads begins anew, too
  for (int i = 0; i < 10; ++i) reading.step();
  anew.until_it_has(reader);
  anew.expect_whole(reader);
}

TEST_F(KafkaFeedTest, gives_nothing_of_a_topic_that_has_what_the_log_has_not) {
  // The log as it was before an older backup of it was restored.
  const std::string lost = fresh_log();
  pg::Connection(pg::Options{.url = lost}).query("UPDATE log.epoch SET epoch = $1", pg::Params(reader.epoch()));
  AppendPipeline its_writer(lost);
  its_writer.reconnect();
  ASSERT_EQ(append(its_writer, batch_after(LogReader(lost).head(), 100)), AppendResult::committed);
  Publisher(lost).publish();
  append_events(20);
  const auto feed = feed_of(group);
  Reading reading(*feed);
  const auto says = [&](std::string_view part) { return feed->not_ready().value_or("").find(part) != std::string::npos; };
  for (const auto end = std::chrono::steady_clock::now() + 1min; !says("where the log has") && std::chrono::steady_clock::now() < end;)
    reading.step();
  for (int i = 0; i < 5; ++i) reading.step();
  EXPECT_TRUE(says("where the log has")) << "it looks again, and finds it again";
  EXPECT_EQ(reading.size(), 0U);
  pg::Connection connection(pg::Options{.url = url});
  begin_epoch(connection);
  Publisher(url).publish();
  reading.until_it_has(reader);
  reading.expect_whole(reader);
  EXPECT_EQ(feed->not_ready(), std::nullopt);
}

TEST_F(KafkaFeedTest, shares_the_partitions_between_one_two_and_four_members_and_loses_and_doubles_nothing) {
  Publisher publisher(url);
  Members members;
  std::size_t appended = 0;
  for (const std::size_t count : {1U, 2U, 4U, 2U, 1U}) {
    while (members.size() < count) members.add(feed_of(group));
    while (members.size() > count) members.remove();
    for (const auto end = std::chrono::steady_clock::now() + 1min; !members.shared() && std::chrono::steady_clock::now() < end;) {
      append_events(5);
      appended += 5;
      publisher.publish();
      members.step();
    }
    EXPECT_TRUE(members.shared()) << count;
  }
  for (const auto end = std::chrono::steady_clock::now() + 1min; members.seen() < appended && std::chrono::steady_clock::now() < end;)
    members.step();
  EXPECT_EQ(members.seen(), appended);
}

}  // namespace
}  // namespace bloomwatch::test
