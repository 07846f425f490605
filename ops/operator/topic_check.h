// What `bloomwatch verify` checks of the topic: Kafka holds every event of the log in its partition, first
// occurrences in order and with no gap; a repeat is passed over, and so is a record of somebody else's. Reads both once, in bounded memory.
#pragma once

#include <cstdint>
#include <functional>

#include "events/log.h"
#include "ops/operator/breaches.h"
#include "runtime/kafka.h"

namespace bloomwatch::ops {

struct TopicVerdict : Breaches {
  TopicVerdict() : Breaches{.shown_max = 20} {}

  Position events = 0;       ///< of the log, found in the topic as they are in the log
  std::int64_t repeats = 0;  ///< records at or below one that was seen
  std::int64_t foreign = 0;  ///< records that are no events of this log; consumers pass them over
  Position not_yet = 0;      ///< events of the log that are beyond the end of their partition: the relay's lag
};

/// Compares the topic of the log's epoch, as far as it reaches now, with the log. `progress` is told events read and how many there are.
/// Throws kafka::Error (also when there is no such topic), pg::Error.
TopicVerdict check_topic(LogReader& log, const kafka::Options& options, const std::function<void(std::int64_t, std::int64_t)>& progress);

}  // namespace bloomwatch::ops
