// Where the last events of each partition are, for whoever compares a position of the log with checkpoints that are kept by partition: a
// quiet partition's checkpoint stays low although nothing is left to fold in it.
// PartitionPositions is what is known, and pure; PartitionHeads keeps it up to date in a thread of its own.
#pragma once

#include <array>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>

#include "events/ids.h"
#include "runtime/hub.h"
#include "runtime/postgres.h"

namespace bloomwatch {

/// The hub's topic of "checkpoints of some partitions have moved, or more is known of the log": no position, for whoever then looks.
inline constexpr std::string_view checkpoints_topic = "checkpoints";
/// Tells it. Of two at the same time one may be lost, so it is a hint like any other.
inline void tell_of_checkpoints(Hub& hub) { hub.publish(checkpoints_topic, hub.reached(checkpoints_topic) + 1); }

/// By partition the position up to which its events are folded.
using PartitionCheckpoints = std::array<Position, partition_count>;

/// Which positions are in which partition, as far back as is remembered.
class PartitionPositions {
 public:
  static constexpr std::size_t remembered_max = 4096;  ///< of each partition

  /// Knows nothing of the events up to and including `head`.
  explicit PartitionPositions(Position head = 0);

  /// The event before all that were told of so far, or looked at in vain; `look_back` goes down from the head without leaving any out.
  void look_back(Position position, std::int16_t partition);
  /// There is nothing before what was looked at.
  void looked_at_all();
  /// Whether an event of each partition is known, so that there is no more to be gained by looking back.
  bool knows_each() const;
  /// The event that follows on the head.
  void grow(Position position, std::int16_t partition);

  /// The greatest position up to which everything is folded, as far as is known: less where the memory does not reach back to a checkpoint,
  /// never more.
  Position folded_up_to(const PartitionCheckpoints& checkpoints) const;
  Position head() const { return head_; }

 private:
  struct Part {
    std::deque<Position> remembered;  ///< in order; all events of the partition after `known_after`
    Position known_after = 0;
  };

  Position head_;
  std::array<Part, partition_count> parts_;
};

/// Follows the log: by the hub's news, and by itself every 100 ms. Safe from all threads.
class PartitionHeads {
 public:
  /// Does not wait for the database. Tells checkpoints_topic when it knows more. `hub` outlives it.
  PartitionHeads(std::string database_url, Hub& hub);
  ~PartitionHeads();
  PartitionHeads(const PartitionHeads&) = delete;
  PartitionHeads& operator=(const PartitionHeads&) = delete;

  /// As PartitionPositions has it; the least of the checkpoints before it has looked at the log.
  Position folded_up_to(const PartitionCheckpoints& checkpoints) const;
  /// Of the log, as far as it has been followed.
  Position head() const;

 private:
  void run(const std::stop_token& stop);
  void follow(const std::stop_token& stop);
  Position follow_on(pg::Connection& connection, Position head, const std::stop_token& stop);

  std::string database_url_;
  Hub& hub_;
  mutable std::mutex mutex_;
  std::condition_variable_any news_;
  PartitionPositions positions_;
  bool told_ = false;  ///< that the log grew
  Hub::Subscription subscription_;
  std::jthread thread_;  // last, so that it ends first
};

}  // namespace bloomwatch
