// Verify: each live read model against the fold of the log, row for row, on a system that goes on working. Memory holds
// the rows of one pass: a long log is folded in several, each of them for some of the 16 partitions, and from 16 passes on they grow with
// the log. While a pass's rows are compared, a snapshot is held.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "events/ids.h"

namespace bloomwatch::projection {

struct VerifyOptions {
  /// Of which model and pass, how many events of how many were folded so far. Called at every read.
  std::function<void(std::string_view model, Position done, Position of)> progress = {};
  /// Events of one pass, about; the passes are at most 16.
  Position events_per_pass = 4'000'000;
  std::size_t differences_shown_max = 10;
};

/// What verify found of one model.
struct ModelVerdict {
  std::string model;
  Position position = 0;    ///< of the last event that was folded when the comparison began: the greatest of its checkpoints
  std::int64_t rows = 0;    ///< compared
  std::int64_t parked = 0;  ///< keys that were folded only up to where they are parked
  std::int64_t differences = 0;
  std::vector<std::string> shown = {};  ///< of the first differences, in words
  std::string skipped = {};             ///< why the model was not compared; empty if it was

  bool holds() const { return differences == 0 && skipped.empty(); }
};

/// Compares all models. Throws pg::Error when Postgres cannot be reached.
std::vector<ModelVerdict> verify_models(const std::string& database_url, const VerifyOptions& options = {});

}  // namespace bloomwatch::projection
