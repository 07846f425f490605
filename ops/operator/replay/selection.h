// Which events a replay takes: a span of positions, and filters on top of it. Reads the log in short statements, never under one long
// snapshot, and holds one piece of it at a time.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
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
/// Throws std::runtime_error for anything else.
Position first_position(LogReader& reader, std::string_view text);

/// The last position that `text` names: a position, or a time before which it was recorded; nothing given: the head of the log.
Position last_position(LogReader& reader, std::string_view text);

/// Gives the events with after < position ≤ last that the filters take, at most `limit` of the log at once, and returns the position up
/// to which the log was read. `take` must not use the reader.
Position read_selected(LogReader& reader, const Filters& filters, Position after, Position last, std::size_t limit,
                       const std::function<void(const RawEvent&)>& take);

}  // namespace bloomwatch::ops
