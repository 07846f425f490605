// A replay as records of a Kafka topic that is not the log's own: at least once, in order, first occurrences without a gap.
#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <stdexcept>
#include <vector>

#include "events/cloud_event.h"
#include "ops/operator/replay/output.h"

namespace bloomwatch::ops {
namespace {

constexpr std::chrono::milliseconds queue_full_wait{100};
constexpr std::chrono::seconds settle_timeout{120};
constexpr int replicas_wanted = 3;

void make_or_check(const kafka::Options& options, const std::string& topic) {
  if (topic.starts_with("bloomwatch.events.")) throw std::runtime_error(topic + " is the relay's to write");
  kafka::Admin admin(options);
  auto found = admin.describe(topic);
  if (!found) {
    admin.create(topic, partition_count, std::min(replicas_wanted, admin.brokers()), {{"retention.ms", "-1"}, {"retention.bytes", "-1"}});
    found = admin.describe(topic);
  }
  if (!found || found->partitions != partition_count)
    throw std::runtime_error(
        fmt::format("the topic {} has {} partitions; a replay needs the log's {}", topic, found ? found->partitions : 0, partition_count));
}

/// Where each partition goes on. Asks its leader, so that a topic that was just made has them all.
std::vector<std::int64_t> ends_of(const kafka::Options& options, const std::string& topic) {
  std::vector<std::int64_t> ends;
  for (const kafka::Watermarks& marks : kafka::Consumer(options, topic).watermarks(partition_count)) ends.push_back(marks.high);
  return ends;
}

class TopicOutput : public ReplayOutput {
 public:
  TopicOutput(const kafka::Options& options, const std::string& topic, std::string_view epoch)
      : headers_(epoch),
        producer_(
            options, topic,
            [this](const kafka::Delivery& delivery) {
              if (delivery.error && failed_.empty()) failed_ = delivery.error->what();
            },
            {}, ends_of(options, topic)) {}

  void put(const RawEvent& event, Position previous) override {
    const std::string key = event.meta.partition_key.to_string();
    while (!producer_.produce(event.meta.partition, key, event.data, headers_.of(event, previous), event.meta.recorded_at, 0))
      producer_.poll(queue_full_wait);
  }

  std::int64_t settle() override {
    const bool all = producer_.flush(settle_timeout);
    if (!failed_.empty()) throw std::runtime_error("Kafka refused a record: " + failed_);
    if (!all) throw std::runtime_error(fmt::format("Kafka did not take the records within {} s", settle_timeout.count()));
    return 0;
  }

 private:
  CloudEventHeaders headers_;
  std::string failed_;
  kafka::Producer producer_;
};

}  // namespace

std::unique_ptr<ReplayOutput> topic_output(const kafka::Options& options, const std::string& topic, std::string_view epoch) {
  make_or_check(options, topic);
  return std::make_unique<TopicOutput>(options, topic, epoch);
}

}  // namespace bloomwatch::ops
