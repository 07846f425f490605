// A log of its own, a topic of its own on the real broker, and what the topic holds, read back by a plain consumer.
#pragma once

#include <algorithm>
#include <map>
#include <set>
#include <thread>

#include "events/cloud_event.h"
#include "events/relay.h"
#include "events/relay_topic.h"
#include "tests/integration/log/log_fixture.h"
#include "tests/kafka_broker.h"

namespace bloomwatch::test {

inline bool within(std::chrono::milliseconds time, const std::function<bool()>& condition) {
  for (const auto end = std::chrono::steady_clock::now() + time; std::chrono::steady_clock::now() < end;) {
    if (condition()) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  return condition();
}

/// A record of the topic with texts of its own.
struct TopicRecord {
  std::int16_t partition = 0;
  std::int64_t offset = 0;
  std::string key;
  std::string value;
  std::optional<Time> time;
  std::map<std::string, std::string> headers;
  std::optional<Meta> meta;  ///< nothing if it is no event of ours
  Position previous = 0;
};

class RelayTest : public testing::Test {
 protected:
  static constexpr std::chrono::seconds patience{60};

  RelayTest() { writer.reconnect(); }

  /// `count` events of streams of their own, so in all partitions; or all in `key`'s.
  void append_events(std::size_t count, PartitionKey key = {}) {
    while (count > 0) {
      const std::size_t some = std::min<std::size_t>(count, 500);
      Batch batch{.fence = reader.head()};
      for (std::size_t i = 0; i < some; ++i) {
        const Uuid stream = Uuid::v7(now());
        batch.events.push_back(
            new_event(stream, 1, R"({"title": "葬送のフリーレン"})", key == PartitionKey{} ? PartitionKey(stream) : key));
      }
      ASSERT_EQ(append(writer, batch), AppendResult::committed);
      hub.publish(Hub::log_topic, batch.last().position);
      count -= some;
    }
  }

  Position head() { return reader.head().position; }
  std::string topic() { return topic_of(reader.epoch()); }
  std::unique_ptr<Relay> start_relay() {
    auto relay = std::make_unique<Relay>(RelayOptions{.database_url = url, .kafka = kafka, .hub = hub});
    relay->start();
    return relay;
  }
  /// Until it has said `part` of why it does not copy.
  ::testing::AssertionResult is_refused(const Relay& relay, const std::string& part) {
    if (within(patience, [&] { return relay.not_ready().value_or("").find(part) != std::string::npos; }))
      return testing::AssertionSuccess();
    return testing::AssertionFailure() << "it says: " << relay.not_ready().value_or("(ready)");
  }

  /// All that the topic holds now, in order within each partition.
  std::vector<TopicRecord> read_topic() {
    kafka::Consumer consumer(kafka, topic());
    std::vector<kafka::Consumer::Start> starts;
    std::map<std::int16_t, std::int64_t> ends;
    const std::vector<kafka::Watermarks> marks = consumer.watermarks(partition_count);
    for (std::int16_t p = 0; p < partition_count; ++p) {
      const auto [low, high] = marks[static_cast<std::size_t>(p)];
      if (high == low) continue;
      starts.push_back({p, low});
      ends[p] = high;
    }
    consumer.assign(starts);
    std::vector<TopicRecord> records;
    const auto deadline = std::chrono::steady_clock::now() + patience;
    while (!ends.empty() && std::chrono::steady_clock::now() < deadline) {
      for (const kafka::Record& record : consumer.consume(10'000, std::chrono::milliseconds(200))) {
        records.push_back(copy_of(record));
        if (const auto end = ends.find(record.partition()); end != ends.end() && record.offset() + 1 >= end->second) ends.erase(end);
      }
    }
    EXPECT_TRUE(ends.empty()) << "the topic could not be read to its end";
    return records;
  }

  /// How many it holds, without reading them.
  std::int64_t records_in_topic() {
    kafka::Consumer consumer(kafka, topic());
    std::int64_t count = 0;
    for (const auto& [low, high] : consumer.watermarks(partition_count)) count += high - low;
    return count;
  }

  TopicRecord copy_of(const kafka::Record& record) {
    TopicRecord copy{record.partition(), record.offset(), std::string(record.key()), std::string(record.value()), record.time(), {}, {}};
    std::array<kafka::Header, kafka::Record::headers_max> room;
    const auto headers = record.headers(room);
    for (const kafka::Header& header : headers) copy.headers.emplace(header.name, header.value);
    if (const auto event = read_cloud_event(headers, record.value(), record.partition(), reader.epoch())) {
      copy.meta = event->event.meta;
      copy.previous = event->previous;
    }
    return copy;
  }

  /// The topic holds the log: first occurrences are in order, each says what came before it, and none is missing. Returns the repeats.
  std::size_t expect_complete() {
    std::map<std::int16_t, std::vector<RecordedEvent>> expected;
    for (Position after = 0;;) {
      const auto events = reader.read(after, 10'000);
      if (events.empty()) break;
      after = events.back().meta.position;
      for (const RecordedEvent& event : events) expected[event.meta.partition].push_back(event);
    }
    std::map<std::int16_t, std::size_t> seen;
    std::map<std::int16_t, Position> last;
    std::size_t repeats = 0;
    for (const TopicRecord& record : read_topic()) {
      if (!record.meta) {
        ADD_FAILURE() << "partition " << record.partition << " offset " << record.offset << " is no event";
        continue;
      }
      if (record.meta->position <= last[record.partition]) {
        ++repeats;
        continue;
      }
      const auto& events = expected[record.partition];
      std::size_t& index = seen[record.partition];
      EXPECT_EQ(record.previous, last[record.partition]);
      if (index >= events.size() || events[index].meta.position != record.meta->position ||
          events[index].meta.event_id != record.meta->event_id) {
        ADD_FAILURE() << "partition " << record.partition << " offset " << record.offset << " is position " << record.meta->position;
        return repeats;
      }
      last[record.partition] = record.meta->position;
      ++index;
    }
    for (const auto& [partition, events] : expected) EXPECT_EQ(seen[partition], events.size()) << "partition " << partition;
    return repeats;
  }

  /// Adds records by hand.
  void produce(const std::vector<TopicRecord>& records) {
    kafka::Producer producer(kafka, topic(), [](const kafka::Delivery& delivery) { EXPECT_FALSE(delivery.error); });
    for (const TopicRecord& record : records) {
      std::vector<kafka::Header> headers;
      for (const auto& [name, value] : record.headers) headers.push_back({name, value});
      ASSERT_TRUE(producer.produce(record.partition, record.key, record.value, headers, record.time.value_or(now()), 0));
    }
    ASSERT_TRUE(producer.flush(patience));
  }

  std::string url = fresh_log();
  AppendPipeline writer{url};
  LogReader reader{url};
  Hub hub;
  kafka::Options kafka{.bootstrap = kafka_bootstrap()};
};

}  // namespace bloomwatch::test
