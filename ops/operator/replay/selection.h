// Which events a replay takes: a span of positions, and filters on top of it. Reads the log in short statements, never under one long
// snapshot, and holds one piece of it at a time.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "events/log.h"

namespace bloomwatch::ops {

/// As given on the command line; empty: no limit. A replay that is taken up again must be given the same filters.
struct Filters {
  std::vector<std::string> types = {};
  std::string space = {};  ///< a watch space's UUID
  std::vector<std::int16_t> partitions = {};

  /// Throws std::runtime_error for a type that is none of ours (a slip of the pen would select nothing) and a space that is no UUID.
  void check() const;
  bool take(const RawEvent& event) const;
};

/// The first position that `text` names: a position, or a time (RFC 3339, or a date: midnight UTC) at or after which it was recorded.
/// Throws std::runtime_error for a time to come, and for anything else.
Position first_position(LogReader& reader, std::string_view text);

/// The last position that `text` names: a position, or a time before which it was recorded; nothing given: the head of the log.
Position last_position(LogReader& reader, std::string_view text);

/// The events of a log that filters take, piece by piece. The reader outlives it.
class Selection {
 public:
  /// Of one space, events held in memory.
  static constexpr std::size_t events_ahead_max = 20'000;

  Selection(LogReader& reader, Filters filters) : reader_(reader), filters_(std::move(filters)) {}

  /// Gives those with after < position ≤ last, at most `limit` of the log at once, and returns the position up to which the log was read:
  /// `after` of the next call. `take` must not use the reader.
  Position read(Position after, Position last, std::size_t limit, const std::function<void(const RawEvent&)>& take);

 private:
  Position read_space(Position after, Position last, std::size_t limit, const std::function<void(const RawEvent&)>& take);

  LogReader& reader_;
  const Filters filters_;
  std::deque<RecordedEvent> ahead_;  ///< of one space: read together, given as wanted
  bool more_ = false;                ///< there may be events of the space after those
};

}  // namespace bloomwatch::ops
