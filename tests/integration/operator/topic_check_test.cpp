// Topics that hold what the log holds, and topics that do not: what `bloomwatch verify` says of each.
#include "ops/operator/topic_check.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <thread>

#include "events/cloud_event.h"
#include "tests/integration/log/log_fixture.h"
#include "tests/kafka_broker.h"

namespace bloomwatch::ops {
namespace {

using testing::Contains;
using testing::HasSubstr;

class TopicCheck : public testing::Test {
 protected:
  TopicCheck() {
    writer.reconnect();
    const Batch batch = test::batch_after(reader.head(), 100);
    EXPECT_EQ(test::append(writer, batch), AppendResult::committed);
    kafka::Admin(options).create(topic, partition_count, 1, {});
    for (const RecordedEvent& event : reader.read(0, 1000)) {
      Position& before = last[event.meta.partition];
      events.push_back({event, before});
      before = event.meta.position;
    }
  }

  struct Sent {
    RecordedEvent event;
    Position previous;
  };

  void send(const Sent& sent) {
    const RawEvent raw{sent.event.meta, sent.event.type, sent.event.schema_version, sent.event.data};
    ASSERT_TRUE(producer.produce(raw.meta.partition, raw.meta.partition_key.to_string(), raw.data, headers.of(raw, sent.previous),
                                 raw.meta.recorded_at, 0));
  }

  TopicVerdict verdict() {
    EXPECT_TRUE(producer.flush(std::chrono::seconds(30)));
    return check_topic(reader, options, [](std::int64_t, std::int64_t) {});
  }

  std::string url = test::fresh_log();
  LogReader reader{url};
  AppendPipeline writer{url};
  std::string epoch = reader.epoch();
  std::string topic = topic_of(epoch);
  kafka::Options options{test::kafka_bootstrap(), {}, "topic check"};
  kafka::Producer producer{options, topic, {}};
  CloudEventHeaders headers{epoch};
  std::map<std::int16_t, Position> last;
  std::vector<Sent> events;
};

TEST_F(TopicCheck, is_content_with_a_topic_that_holds_the_log) {
  for (const Sent& sent : events) send(sent);
  const TopicVerdict found = verdict();
  EXPECT_TRUE(found.holds()) << testing::PrintToString(found.shown);
  EXPECT_EQ(found.events, 100);
  EXPECT_EQ(found.not_yet + found.repeats + found.foreign, 0);
}

TEST_F(TopicCheck, passes_over_repeats_and_what_is_not_ours_and_counts_what_is_not_there_yet) {
  for (std::size_t i = 0; i < 60; ++i) send(events[i]);
  for (std::size_t i = 40; i < 60; ++i) send(events[i]);
  ASSERT_TRUE(producer.produce(3, "poison", "not json", {}, now(), 0));
  const TopicVerdict found = verdict();
  EXPECT_TRUE(found.holds()) << testing::PrintToString(found.shown);
  EXPECT_EQ(found.events, 60);
  EXPECT_EQ(found.not_yet, 40);
  EXPECT_EQ(found.repeats, 20);
  EXPECT_EQ(found.foreign, 1);
}

TEST_F(TopicCheck, misses_a_record) {
  // One that others of its partition follow: the last one of a partition would only be not there yet.
  const auto partition_of = [](const Sent& sent) { return sent.event.meta.partition; };
  const auto missing =
      std::ranges::find_if(events, [&](const Sent& sent) { return std::ranges::count(events, partition_of(sent), partition_of) > 1; });
  const std::int16_t partition = partition_of(*missing);
  for (auto sent = events.begin(); sent != events.end(); ++sent)
    if (sent != missing) send(*sent);
  const TopicVerdict found = verdict();
  EXPECT_FALSE(found.holds());
  EXPECT_THAT(found.shown, Contains(HasSubstr("partition " + std::to_string(partition))));
}

TEST_F(TopicCheck, notices_another_event_at_a_position) {
  for (Sent sent : events) {
    if (sent.event.meta.position == 50) sent.event.meta.event_id = EventId(Uuid::v7(now()));
    send(sent);
  }
  const TopicVerdict found = verdict();
  EXPECT_EQ(found.breaches, 1U);
  EXPECT_THAT(found.shown, Contains(HasSubstr("do not hold the same events")));
}

TEST_F(TopicCheck, notices_an_event_that_the_log_does_not_have) {
  for (const Sent& sent : events) send(sent);
  Sent more = events.back();
  more.previous = more.event.meta.position;
  more.event.meta.position = 101;
  send(more);
  EXPECT_FALSE(verdict().holds());
}

TEST_F(TopicCheck, needs_a_topic) {
  kafka::Admin admin(options);
  admin.remove(topic);
  while (admin.describe(topic)) std::this_thread::sleep_for(std::chrono::milliseconds(20));
  EXPECT_THROW(verdict(), std::runtime_error);
}

}  // namespace
}  // namespace bloomwatch::ops
