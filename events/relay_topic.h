// The topic as the relay finds it: made or checked, and how much of the log it holds by partition. Asks and compares,
// produces nothing.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <map>
#include <set>
#include <span>
#include <stdexcept>
#include <string>

#include "events/ids.h"
#include "events/log.h"
#include "runtime/kafka.h"

namespace bloomwatch {

/// The topic does not fit, or holds what the log does not: nothing may be added to it until somebody has looked. Says what is wrong.
class TopicRefused : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// What a partition of the topic holds: all events of its partition of the log up to `position`.
struct PartitionTail {
  Position position = 0;
  std::int64_t next_offset = 0;  ///< that the next record will get at least
};
using PartitionTails = std::array<PartitionTail, partition_count>;

/// What a look at a partition of a topic that is copied to has found.
enum class TopicLook { whole, lacks_records, no_answer };

/// For one thread.
class RelayTopic {
 public:
  static constexpr int replicas_wanted = 3;  ///< of a new topic; fewer where there are fewer brokers
  static constexpr std::chrono::milliseconds read_timeout{15'000};
  static constexpr std::chrono::milliseconds look_timeout{1'000};

  /// Does not connect.
  RelayTopic(const kafka::Options& options, const std::string& epoch);

  const std::string& name() const { return name_; }
  /// Makes the topic if there is none. Throws TopicRefused for one that does not fit, kafka::Error while Kafka cannot be asked.
  void make_or_check();
  /// Compares the last record of each partition with the log. A partition that has lost its beginning (the topic was made anew under a
  /// relay that went on), and one of those `with_gaps`, is emptied, to be filled from the start. Throws TopicRefused, kafka::Error,
  /// pg::Error.
  PartitionTails read_tails(LogReader& log, const std::set<std::int16_t>& with_gaps);
  /// Whether a partition still begins where read_tails() has left its beginning, and has a record before `next_offset`; with the first
  /// partition also whether the topic still fits. Throws TopicRefused, and kafka::Error when the topic is gone.
  TopicLook look(std::int16_t partition, std::int64_t next_offset);

 private:
  std::map<std::int16_t, kafka::Record> read_at(std::span<const kafka::Consumer::Start> starts);
  Position compare(const kafka::Record& record, LogReader& log) const;
  bool has_lost_its_beginning(const kafka::Record& first) const;
  void empty(std::int16_t partition, PartitionTail& tail);

  std::string epoch_;
  std::string name_;
  std::array<std::int64_t, partition_count> beginnings_{};  ///< the first offsets that partitions hold
  kafka::Admin admin_;
  kafka::Consumer consumer_;
};

}  // namespace bloomwatch
