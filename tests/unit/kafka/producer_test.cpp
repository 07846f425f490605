// What a producer finds out when a broker takes a later record without an earlier one. librdkafka's mock cluster does on demand what Kafka
// does by chance (KAFKA-15591).
#include <gtest/gtest.h>
#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>

#include <map>
#include <memory>

#include "runtime/kafka.h"

namespace bloomwatch::kafka {
namespace {

using namespace std::chrono_literals;

constexpr std::int16_t produce_request = 0;
constexpr const char* topic = "mock";

/// One broker whose answers take their time, so that a second request is on its way before the first is answered.
class MockCluster {
 public:
  MockCluster() {
    client_.reset(rd_kafka_new(RD_KAFKA_PRODUCER, rd_kafka_conf_new(), nullptr, 0));
    cluster_.reset(rd_kafka_mock_cluster_new(client_.get(), 1));
    rd_kafka_mock_topic_create(cluster_.get(), topic, 2, 1);
  }

  Options options() const { return {rd_kafka_mock_cluster_bootstraps(cluster_.get()), {}, "mock"}; }
  void answer_slowly() { rd_kafka_mock_broker_set_rtt(cluster_.get(), 1, 300); }
  void refuse_the_next() {
    rd_kafka_mock_push_request_errors(cluster_.get(), produce_request, 1, RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION);
  }

 private:
  std::unique_ptr<rd_kafka_t, decltype(&rd_kafka_destroy)> client_{nullptr, &rd_kafka_destroy};
  std::unique_ptr<rd_kafka_mock_cluster_t, decltype(&rd_kafka_mock_cluster_destroy)> cluster_{nullptr, &rd_kafka_mock_cluster_destroy};
};

class ProducerGap : public testing::Test {
 protected:
  void send(std::uint64_t tag, std::int16_t partition = 1) {
    ASSERT_TRUE(producer.produce(partition, "key", "value", {}, Time(), tag));
    producer.poll(100ms);  // it is on its way, in a request of its own
  }

  MockCluster cluster;
  std::map<std::uint64_t, Delivery> deliveries;
  Producer producer{cluster.options(), topic, [this](const Delivery& delivery) { deliveries[delivery.tag] = delivery; }};
};

TEST_F(ProducerGap, is_told_with_the_record_that_came_without_the_one_before_it) {
  send(1, 0);
  ASSERT_TRUE(producer.flush(10s));  // it is connected
  cluster.answer_slowly();
  cluster.refuse_the_next();
  send(2);
  send(3);
  ASSERT_TRUE(producer.flush(10s));
  ASSERT_EQ(deliveries.size(), 3U);
  EXPECT_FALSE(deliveries.at(1).error);
  ASSERT_TRUE(deliveries.at(3).error) << "offset " << deliveries.at(3).offset;
  EXPECT_TRUE(deliveries.at(3).error->gap());
}

TEST_F(ProducerGap, is_none_where_all_records_are_there) {
  for (std::uint64_t tag = 1; tag <= 5; ++tag) send(tag, static_cast<std::int16_t>(tag % 2));
  ASSERT_TRUE(producer.flush(10s));
  ASSERT_EQ(deliveries.size(), 5U);
  for (const auto& [tag, delivery] : deliveries) EXPECT_FALSE(delivery.error) << tag;
}

}  // namespace
}  // namespace bloomwatch::kafka
