// Two passes: the topic first, each partition's first occurrences chained into a digest; then the log, the same digest of each partition's
// events up to where the topic ended. Equal digests are equal sequences of (position, event id).
#include "ops/operator/topic_check.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <chrono>

#include "events/cloud_event.h"

namespace bloomwatch::ops {
namespace {

constexpr std::size_t compared_per_read = 10'000;
constexpr std::chrono::seconds silence_max{30};  ///< of a topic that has not ended

/// FNV-1a over positions and ids, in their order.
class Digest {
 public:
  void add(Position position, const EventId& id) {
    for (int byte = 0; byte < 8; ++byte) mix(static_cast<std::uint8_t>(static_cast<std::uint64_t>(position) >> (8 * byte)));
    for (const std::uint8_t byte : id.uuid.bytes) mix(byte);
  }
  bool operator==(const Digest&) const = default;

 private:
  void mix(std::uint8_t byte) { value_ = (value_ ^ byte) * 0x100000001b3ULL; }
  std::uint64_t value_ = 0xcbf29ce484222325ULL;
};

struct Partition {
  std::int64_t next_offset = 0;
  std::int64_t end = 0;
  Position last = 0;
  Digest topic;
  Digest log;
};
using Partitions = std::array<Partition, partition_count>;

void take(const kafka::Record& record, const std::string& epoch, Partition& partition, TopicVerdict& verdict) {
  std::array<kafka::Header, kafka::Record::headers_max> room;
  const auto event = read_cloud_event(record.headers(room), record.value(), record.partition(), epoch);
  partition.next_offset = record.offset() + 1;
  if (!event) {
    ++verdict.foreign;
    return;
  }
  const Meta& meta = event->event.meta;
  if (meta.position <= partition.last) {
    ++verdict.repeats;
    return;
  }
  if (event->previous != partition.last)
    verdict.breach(fmt::format("partition {}, offset {}: position {} follows {}, but {} came before it", record.partition(),
                               record.offset(), meta.position, event->previous, partition.last));
  partition.last = meta.position;
  partition.topic.add(meta.position, meta.event_id);
}

void read_topic(const kafka::Options& options, const std::string& epoch, Partitions& partitions, TopicVerdict& verdict,
                const std::function<void(std::int64_t, std::int64_t)>& progress) {
  kafka::Consumer consumer(options, topic_of(epoch));
  std::vector<kafka::Consumer::Start> starts;
  std::int64_t records = 0, of = 0;
  const std::vector<kafka::Watermarks> marks = consumer.watermarks(partition_count);
  for (std::int16_t p = 0; p < partition_count; ++p) {
    const auto [low, high] = marks[static_cast<std::size_t>(p)];
    Partition& partition = partitions[static_cast<std::size_t>(p)];
    partition.next_offset = low;
    partition.end = high;
    of += high - low;
    if (high > low) starts.push_back({p, low});
  }
  if (starts.empty()) return;
  consumer.assign(starts);
  const auto ended = [](const Partition& partition) { return partition.next_offset >= partition.end; };
  for (auto heard = std::chrono::steady_clock::now(); !std::ranges::all_of(partitions, ended);) {
    for (const kafka::Record& record : consumer.consume(kafka::Consumer::batch_max, std::chrono::milliseconds(200))) {
      Partition& partition = partitions[static_cast<std::size_t>(record.partition())];
      if (!ended(partition)) take(record, epoch, partition, verdict);
      heard = std::chrono::steady_clock::now();
      progress(++records, of);
    }
    if (std::chrono::steady_clock::now() - heard > silence_max) throw std::runtime_error("the topic does not answer");
  }
}

void read_log(LogReader& log, Partitions& partitions, TopicVerdict& verdict,
              const std::function<void(std::int64_t, std::int64_t)>& progress) {
  const Position head = log.head().position;
  for (Position at = 0; at < head;) {
    const std::size_t count = log.read_raw(at, compared_per_read, [&](const RawEvent& event) {
      at = event.meta.position;
      Partition& partition = partitions[static_cast<std::size_t>(event.meta.partition)];
      if (at > partition.last) {
        ++verdict.not_yet;
        return;
      }
      ++verdict.events;
      partition.log.add(at, event.meta.event_id);
    });
    if (count == 0) break;
    progress(at, head);
  }
}

}  // namespace

TopicVerdict check_topic(LogReader& log, const kafka::Options& options, const std::function<void(std::int64_t, std::int64_t)>& progress) {
  const std::string epoch = log.epoch();
  if (!kafka::Admin(options).describe(topic_of(epoch))) throw std::runtime_error("Kafka has no topic " + topic_of(epoch));
  TopicVerdict verdict;
  Partitions partitions;
  read_topic(options, epoch, partitions, verdict, progress);
  read_log(log, partitions, verdict, progress);
  for (std::size_t p = 0; p < partitions.size(); ++p)
    if (partitions[p].topic != partitions[p].log)
      verdict.breach(
          fmt::format("partition {}: up to position {} the topic and the log do not hold the same events", p, partitions[p].last));
  return verdict;
}

}  // namespace bloomwatch::ops
