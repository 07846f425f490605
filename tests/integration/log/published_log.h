// A log and its topic, filled by the test itself: what a relay would do, and what must never happen to a topic and may nevertheless.
#pragma once

#include <array>
#include <set>
#include <string>

#include "events/cloud_event.h"
#include "events/feed.h"
#include "events/log.h"
#include "tests/integration/log/log_fixture.h"
#include "tests/kafka_broker.h"

namespace bloomwatch::test {

/// Copies the log to its topic, which it makes.
class Publisher {
 public:
  explicit Publisher(const std::string& database_url)
      : reader_(database_url), epoch_(reader_.epoch()), topic_(topic_of(epoch_)), headers_(epoch_) {
    make_topic();
    renew();
  }

  void make_topic() { kafka::Admin(options_).create(topic_, partition_count, 1, {{"retention.ms", "-1"}}); }
  void remove_topic() {
    producer_.reset();
    kafka::Admin(options_).remove(topic_);
  }
  /// A new producer, for a topic that was made anew. Asks each partition's leader first, as the relay does (KAFKA-15591).
  void renew() {
    kafka::Consumer(options_, topic_).watermarks(partition_count);
    producer_ = std::make_unique<kafka::Producer>(options_, topic_, [this](const kafka::Delivery& delivery) {
      if (delivery.error) failed_ = delivery.error->what();
    });
  }

  /// Events after the last that was published, up to the head; those in `without` are left out.
  void publish(const std::set<Position>& without = {}) {
    while (reader_.read_raw(last_, 1000, [&](const RawEvent& event) { publish(event, !without.contains(event.meta.position)); }) > 0) {
    }
    flush();
  }
  /// Again from a position on, as a relay may after a crash.
  void begin_again(Position after) {
    last_ = 0;
    previous_ = {};
    while (last_ < after && reader_.read_raw(last_, 1, [&](const RawEvent& event) { publish(event, false); }) > 0) {
    }
  }
  /// Records that are no events.
  void poison(std::int16_t partition, std::string_view value = "{", std::span<const kafka::Header> headers = {}) {
    while (!producer_->produce(partition, "poison", value, headers, now(), 0)) producer_->poll(std::chrono::milliseconds(100));
    flush();
  }
  const std::string& topic() const { return topic_; }

 private:
  void publish(const RawEvent& event, bool really) {
    Position& previous = previous_.at(static_cast<std::size_t>(event.meta.partition));
    const std::string key = event.meta.partition_key.to_string();
    while (really && !producer_->produce(event.meta.partition, key, event.data, headers_.of(event, previous), event.meta.recorded_at, 0))
      producer_->poll(std::chrono::milliseconds(100));
    previous = last_ = event.meta.position;
  }
  void flush() {
    EXPECT_TRUE(producer_->flush(std::chrono::seconds(60)));
    EXPECT_EQ(std::exchange(failed_, {}), "");
  }

  kafka::Options options_{kafka_bootstrap(), {}, "test publisher"};
  LogReader reader_;
  std::string epoch_;
  std::string topic_;
  CloudEventHeaders headers_;
  std::unique_ptr<kafka::Producer> producer_;
  std::array<Position, partition_count> previous_ = {};
  Position last_ = 0;
  std::string failed_;
};

/// Lets the feed take its share of the partitions, until it is as large as expected; false after a minute.
inline bool take_share(Feed& feed, std::size_t count) {
  for (const auto until = std::chrono::steady_clock::now() + std::chrono::minutes(1); feed.partitions().size() != count;) {
    if (std::chrono::steady_clock::now() > until) return false;
    feed.next({}, 1, std::chrono::milliseconds(100));
  }
  return true;
}

/// A Kafka feed whose topic gets what the hub says the log has: so that the contract of feeds, which speaks of logs, can be asked of it.
class PublishedFeed : public Feed {
 public:
  PublishedFeed(const std::string& database_url, Hub& hub, std::string group)
      : publisher_(with_epoch_of_its_own(database_url)),
        feed_(kafka_feed({{kafka_bootstrap(), {}, "contract"}, database_url, std::move(group)})),
        subscription_(hub.subscribe(Hub::log_topic, [this](Position) { publisher_.publish(); })) {
    publisher_.publish();
    EXPECT_TRUE(take_share(*feed_, partition_count));
  }
  std::vector<std::int16_t> partitions() override { return feed_->partitions(); }
  FeedBatch next(const Cursor& cursor, std::size_t limit, std::chrono::milliseconds timeout) override {
    return feed_->next(cursor, limit, timeout);
  }
  void wake() override { feed_->wake(); }

 private:
  /// A log that shares its epoch with others is given one, and so a topic, of its own.
  static const std::string& with_epoch_of_its_own(const std::string& database_url) {
    pg::Connection connection(pg::Options{.url = database_url});
    if (connection.query("SELECT FROM pg_namespace WHERE nspname = 'published'").empty()) {
      begin_epoch(connection);
      connection.script("CREATE SCHEMA published");
    }
    return database_url;
  }

  Publisher publisher_;
  std::unique_ptr<Feed> feed_;
  Hub::Subscription subscription_;
};

}  // namespace bloomwatch::test
