// Rebuild: a model is folded anew from position 0 into tables beside the live ones, compared, and switched to under the lock of its flush,
// so that no reader goes backwards and none sees a half-built model (blue/green).
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "events/feed.h"

namespace bloomwatch::projection {

struct RebuildOptions {
  /// Called between batches, at most some ten times a second: events folded, and how many there were at the last look.
  std::function<void(Position done, Position of)> progress = {};
  std::stop_token stop = {};  ///< gives up between batches and leaves the live tables as they were
  /// Reads Kafka instead of the log, up to what was the log's head when it began; what came later it reads from the log. `group` is not
  /// used.
  std::optional<KafkaFeedOptions> kafka = {};
  std::size_t batch_events_max = 65'536;  ///< many, so that rows that change often are written seldom; some 100 MB
};

struct RebuildReport {
  struct Table {
    std::string name;
    // Nothing where counting would have taken too long.
    std::optional<std::int64_t> rows_before = {};  ///< in the tables that were live
    std::optional<std::int64_t> rows_after = {};   ///< in those that are now, which folding goes on in
  };
  Position events = 0;      ///< up to which position
  Position from_kafka = 0;  ///< how many of them came from there
  std::chrono::milliseconds took{0};
  std::vector<Table> tables = {};
  std::size_t parked = 0;  ///< partition keys that the new version could not fold
  bool switched = false;   ///< false: stopped before
};

/// Rebuilds one model while it is read and followed. Throws std::runtime_error if there is no such model, another rebuild of it runs, or
/// folds of a later version made what is live; pg::Error when Postgres cannot be reached.
RebuildReport rebuild(const std::string& database_url, std::string_view model, const RebuildOptions& options = {});

}  // namespace bloomwatch::projection
