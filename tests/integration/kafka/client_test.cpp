// The wrapper of librdkafka against the real broker: what its docstrings promise.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <librdkafka/rdkafka.h>

#include <array>
#include <atomic>
#include <memory>
#include <set>
#include <thread>

#include "runtime/config.h"
#include "runtime/kafka.h"
#include "tests/kafka_broker.h"

namespace bloomwatch::kafka {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

constexpr int partitions = 4;

class KafkaClient : public testing::Test {
 protected:
  KafkaClient() { admin.create(topic, partitions, 1, {{"retention.ms", "-1"}}); }

  /// Delivers `count` records to a partition, their tags as values, a second apart.
  void produce(std::int16_t partition, int count) {
    int delivered = 0;
    Producer producer(options, topic, [&](const Delivery& delivery) { delivered += delivery.error ? 0 : 1; });
    for (int i = 0; i < count; ++i)
      ASSERT_TRUE(producer.produce(partition, "key", std::to_string(i), {}, Time(std::chrono::seconds(i + 1)), 0));
    ASSERT_TRUE(producer.flush(30s));
    ASSERT_EQ(delivered, count);
  }

  /// Records until `count` came or ten seconds have passed.
  static std::vector<Record> read(Consumer& consumer, std::size_t count) {
    std::vector<Record> all;
    for (const auto until = std::chrono::steady_clock::now() + 10s; all.size() < count && std::chrono::steady_clock::now() < until;)
      for (Record& record : consumer.consume(count - all.size(), 500ms)) all.push_back(std::move(record));
    return all;
  }

  Options options{test::kafka_bootstrap(), {}, "client test"};
  std::string topic = test::fresh_kafka_name("client");
  Admin admin{options};
};

TEST_F(KafkaClient, makes_a_topic_once_and_describes_it) {
  EXPECT_FALSE(admin.create(topic, partitions, 1, {})) << "it is there";
  const auto described = admin.describe(topic);
  ASSERT_TRUE(described);
  EXPECT_EQ(described->partitions, partitions);
  EXPECT_EQ(described->replicas, 1);
  EXPECT_EQ(described->properties.at("retention.ms"), "-1");
  EXPECT_GE(admin.brokers(), 1);
  EXPECT_TRUE(admin.remove(topic));
  EXPECT_FALSE(admin.describe(test::fresh_kafka_name("nothing")));
  EXPECT_FALSE(admin.remove(test::fresh_kafka_name("nothing")));
}

TEST_F(KafkaClient, gives_a_record_back_as_it_went) {
  std::vector<Delivery> deliveries;
  Producer producer(options, topic, [&](const Delivery& delivery) { deliveries.push_back(delivery); });
  const std::array<Header, 2> sent = {Header{"one", "first"}, Header{"two", ""}};
  const std::string value(100'000, 'v');
  ASSERT_TRUE(producer.produce(3, "the key", value, sent, Time(1234567ms), 77));
  ASSERT_TRUE(producer.flush(30s));
  EXPECT_EQ(producer.pending(), 0U);
  ASSERT_EQ(deliveries.size(), 1U);
  EXPECT_FALSE(deliveries[0].error);
  EXPECT_EQ(deliveries[0].tag, 77U);

  Consumer consumer(options, topic);
  consumer.assign(std::array{Consumer::Start{3, 0}});
  const std::vector<Record> records = read(consumer, 1);
  ASSERT_EQ(records.size(), 1U);
  const Record& record = records[0];
  EXPECT_EQ(record.partition(), 3);
  EXPECT_EQ(record.offset(), deliveries[0].offset);
  EXPECT_EQ(record.key(), "the key");
  EXPECT_EQ(record.value(), value);
  EXPECT_EQ(record.time(), Time(1234567ms));
  std::array<Header, Record::headers_max> into;
  const auto headers = record.headers(into);
  ASSERT_EQ(headers.size(), 2U);
  EXPECT_EQ(headers[0].name, "one");
  EXPECT_EQ(headers[0].value, "first");
  EXPECT_EQ(headers[1].value, "");
}

TEST_F(KafkaClient, reads_from_where_it_is_told) {
  produce(0, 10);
  produce(1, 10);
  Consumer consumer(options, topic);
  consumer.assign(std::array{Consumer::Start{0, 8}, Consumer::Start{1, 9}});
  std::multiset<std::string> values;
  for (const Record& record : read(consumer, 3)) values.emplace(record.value());
  EXPECT_THAT(values, ElementsAre("8", "9", "9"));
  EXPECT_THAT(consumer.consume(10, 300ms), IsEmpty());
  consumer.assign(std::array{Consumer::Start{0, 9}});
  EXPECT_EQ(read(consumer, 1).size(), 1U) << "told again, it reads again";
}

TEST_F(KafkaClient, knows_the_ends_and_finds_a_time) {
  produce(2, 10);
  Consumer consumer(options, topic);
  const std::vector<Watermarks> marks = consumer.watermarks(3);
  ASSERT_EQ(marks.size(), 3U);
  EXPECT_EQ(marks[1].high, 0) << "an empty partition";
  EXPECT_EQ(marks[2].low, 0);
  EXPECT_EQ(marks[2].high, 10);
  EXPECT_EQ(consumer.watermarks_of(2).high, 10);
  const std::array<std::int16_t, 2> asked = {2, 3};
  const auto starts = consumer.offsets_at(asked, Time(5s));
  ASSERT_EQ(starts.size(), 2U);
  EXPECT_EQ(starts[0].offset, 4) << "the record of second 5";
  EXPECT_EQ(starts[1].offset, 0) << "an empty partition";
  EXPECT_EQ(consumer.offsets_at(asked, Time(1000s))[0].offset, 10) << "nothing that late: the end";
}

TEST_F(KafkaClient, is_woken_from_another_thread) {
  Consumer consumer(options, topic);
  consumer.assign(std::array{Consumer::Start{0, 0}});
  (void)consumer.consume(1, 500ms);
  std::jthread waker([&] {
    std::this_thread::sleep_for(300ms);
    consumer.wake();
  });
  const auto started = std::chrono::steady_clock::now();
  EXPECT_THAT(consumer.consume(1, 60s), IsEmpty());
  EXPECT_LT(std::chrono::steady_clock::now() - started, 30s);
}

/// A member of a group in a thread of its own, which remembers what it was given.
class Member {
 public:
  Member(const Options& options, const std::string& topic, const std::string& group)
      : consumer_(options, topic, group,
                  {[this](const std::vector<std::int16_t>& came) {
                     held_ += came.size();
                     std::vector<Consumer::Start> starts;
                     for (const std::int16_t partition : came) starts.push_back({partition, 0});
                     return starts;
                   },
                   [this](const std::vector<std::int16_t>& gone) { held_ -= gone.size(); }}),
        thread_([this](const std::stop_token& stop) {
          while (!stop.stop_requested())
            for (const Record& record : consumer_.consume(100, 100ms)) read_ += record.value().empty() ? 0 : 1;
        }) {}

  std::size_t held() const { return held_; }
  int read() const { return read_; }

 private:
  std::atomic<std::size_t> held_ = 0;
  std::atomic<int> read_ = 0;
  Consumer consumer_;
  std::jthread thread_;
};

bool within(std::chrono::seconds time, const std::function<bool()>& condition) {
  for (const auto until = std::chrono::steady_clock::now() + time; std::chrono::steady_clock::now() < until;) {
    if (condition()) return true;
    std::this_thread::sleep_for(20ms);
  }
  return condition();
}

TEST_F(KafkaClient, shares_partitions_with_its_group) {
  const std::string group = test::fresh_kafka_name("group");
  for (std::int16_t partition = 0; partition < partitions; ++partition) produce(partition, 5);
  Member first(options, topic, group);
  ASSERT_TRUE(within(60s, [&] { return first.held() == partitions && first.read() == 5 * partitions; }));
  {
    const Member second(options, topic, group);
    ASSERT_TRUE(within(60s, [&] { return first.held() == 2 && second.held() == 2; }));
    const auto members = admin.members(group, topic);
    ASSERT_EQ(members.size(), 2U);
    EXPECT_EQ(members[0].client_id, "client test");
    EXPECT_EQ(members[0].partitions.size(), 2U);
  }
  EXPECT_TRUE(within(60s, [&] { return first.held() == partitions; })) << "who leaves gives back";
  EXPECT_THAT(admin.members(test::fresh_kafka_name("nobody"), topic), IsEmpty());
}

/// What a group has noted of a partition, asked for as a stranger would; below 0 where that is nothing.
std::int64_t noted_offset(const Options& options, const std::string& group, const std::string& topic, std::int32_t partition) {
  rd_kafka_conf_t* conf = rd_kafka_conf_new();
  rd_kafka_conf_set(conf, "bootstrap.servers", options.bootstrap.c_str(), nullptr, 0);
  rd_kafka_conf_set(conf, "group.id", group.c_str(), nullptr, 0);
  const std::unique_ptr<rd_kafka_t, decltype(&rd_kafka_destroy)> client(rd_kafka_new(RD_KAFKA_CONSUMER, conf, nullptr, 0),
                                                                        &rd_kafka_destroy);
  const std::unique_ptr<rd_kafka_topic_partition_list_t, decltype(&rd_kafka_topic_partition_list_destroy)> asked(
      rd_kafka_topic_partition_list_new(1), &rd_kafka_topic_partition_list_destroy);
  rd_kafka_topic_partition_list_add(asked.get(), topic.c_str(), partition);
  const rd_kafka_resp_err_t code = rd_kafka_committed(client.get(), asked.get(), 10'000);
  return code == RD_KAFKA_RESP_ERR_NO_ERROR ? asked->elems[0].offset : RD_KAFKA_OFFSET_INVALID;
}

TEST_F(KafkaClient, remembers_offsets_for_a_group) {
  const std::string group = test::fresh_kafka_name("group");
  std::atomic<bool> assigned = false;
  const Consumer::Rebalance rebalance{[&](const auto&) {
                                        assigned = true;
                                        return std::vector<Consumer::Start>{};
                                      },
                                      [](const auto&) {}};
  Consumer consumer(options, topic, group, rebalance);
  ASSERT_TRUE(within(60s, [&] { return (void)consumer.consume(1, 100ms), assigned.load(); }));
  EXPECT_LT(noted_offset(options, group, topic, 1), 0);
  consumer.commit(std::array{Consumer::Start{1, 42}});
  EXPECT_TRUE(within(30s, [&] { return noted_offset(options, group, topic, 1) == 42; }));
  EXPECT_LT(noted_offset(options, group, topic, 0), 0);
}

TEST_F(KafkaClient, throws_on_what_a_rebalance_throws) {
  Consumer consumer(options, topic, test::fresh_kafka_name("group"),
                    {[](const auto&) -> std::vector<Consumer::Start> { throw std::runtime_error("no checkpoints"); }, [](const auto&) {}});
  EXPECT_THROW(
      {
        for (int i = 0; i < 600; ++i) (void)consumer.consume(1, 100ms);
      },
      std::runtime_error);
}

TEST_F(KafkaClient, tells_a_group_that_its_topic_is_not_there) {
  const Consumer::Rebalance nothing{[](const auto&) { return std::vector<Consumer::Start>{}; }, [](const auto&) {}};
  Consumer consumer(options, test::fresh_kafka_name("nothing"), test::fresh_kafka_name("group"), nothing);
  try {
    for (int i = 0; i < 300; ++i) (void)consumer.consume(1, 100ms);
    FAIL() << "nobody said so";
  } catch (const Error& error) {
    EXPECT_TRUE(error.unknown_topic()) << error.what();
  }
}

TEST(KafkaProperties, that_are_wrong_are_named_without_their_values) {
  try {
    const Producer producer({"127.0.0.1:1", {"sasl.passwort=hunter2"}}, "topic", {});
    FAIL() << "it was taken";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("sasl.passwort"));
    EXPECT_THAT(error.what(), Not(HasSubstr("hunter2")));
  }
  Config config;
  config.kafka_property = {"=x"};
  EXPECT_THROW(options_of(config, "test"), std::runtime_error);
  config.kafka_property = {"linger.ms=7", "sasl.password hunter2"};
  try {
    options_of(config, "test");
    FAIL() << "it was taken";
  } catch (const std::runtime_error& error) {
    EXPECT_STREQ(error.what(), "a Kafka property is name=value; number 2 is not");
  }
  config.kafka_property = {"sasl.password=a=b"};
  EXPECT_THAT(options_of(config, "test").properties, ElementsAre("sasl.password=a=b"));
}

TEST(KafkaProperties, reach_librdkafka_but_for_those_that_keep_order) {
  EXPECT_NO_THROW(Producer({"127.0.0.1:1", {"linger.ms=7", "security.protocol=plaintext"}}, "topic", {}));
  EXPECT_THROW(Producer({"127.0.0.1:1", {"linger.ms=soon"}}, "topic", {}), Error);
  // librdkafka refuses an idempotent producer that does not wait for all: so neither of these has reached it.
  EXPECT_NO_THROW(Producer({"127.0.0.1:1", {"acks=0"}}, "topic", {}));
  EXPECT_NO_THROW(Producer({"127.0.0.1:1", {"enable.idempotence=false", "acks=1"}}, "topic", {}));
}

}  // namespace
}  // namespace bloomwatch::kafka
