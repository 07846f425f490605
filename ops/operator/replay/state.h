// How far a replay has come, in a small file beside its output: what makes it possible to go on after any end, kill -9 included, without a
// line lost or doubled. Written after the output that it speaks of is on the disk, whole or not at all.
#pragma once

#include <array>
#include <boost/describe.hpp>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include "events/ids.h"

namespace bloomwatch::ops {

struct ReplayState {
  std::string epoch;                  ///< of the log; another life of it has other events
  std::string request;                ///< format and filters: going on with others would make an output that is neither
  Position position = 0;              ///< up to which the log was looked through
  std::optional<EventId> event = {};  ///< the log's event there: a log that has another there is not the one that was read
  std::int64_t bytes = 0;             ///< of the output; what is beyond is cut off when it is taken up again
  std::int64_t events = 0;            ///< in the output
  std::array<Position, partition_count> previous = {};  ///< the last event of each partition in the output

  /// Throws std::runtime_error.
  void save(const std::filesystem::path& file) const;
  /// Nothing if there is no such file; throws std::runtime_error if it is unreadable.
  static std::optional<ReplayState> load(const std::filesystem::path& file);
};
BOOST_DESCRIBE_STRUCT(ReplayState, (), (epoch, request, position, event, bytes, events, previous))

}  // namespace bloomwatch::ops
