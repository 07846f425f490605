// How far a read model has folded, as projection.checkpoints keeps it: one row for the whole log (the Postgres feed), or one for each of
// the 16 partitions (the Kafka feed). Never both; here one becomes the other when the feed of an installation changes, exactly once.
// A row's position p says: everything of its partition at or before p is folded, nothing after it.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "events/feed.h"
#include "projector/stored_model.h"
#include "runtime/postgres.h"

namespace bloomwatch::projection {

struct Checkpoint {
  Position position = 0;
  std::int64_t generation = 0;  ///< raised by whoever changes rows or checkpoints other than by folding on

  bool operator==(const Checkpoint&) const = default;
};

/// The checkpoints of one model and slot, by partition; Cursor::whole_log alone, or all 16.
struct Checkpoints {
  std::map<std::int16_t, Checkpoint> rows = {};
  int version_least = 0;  ///< of the folds that made the rows
  int version_most = 0;
  std::string epoch = {};         ///< of the log that was folded
  bool of_another_epoch = false;  ///< some row's is not the present one; then `epoch` is that

  bool by_partition() const { return !rows.empty() && !rows.contains(Cursor::whole_log); }
  /// Of the partition that an event counts for; nothing if there is no row for it.
  std::optional<Position> position_for(std::int16_t partition) const;
  Position least() const;
  Position greatest() const;
};

/// In which form a feed needs them.
enum class CheckpointForm { whole_log, by_partition };

enum class Lock { no, yes };

/// What stands there now. With a lock rows and form stay as they are until the end of the caller's transaction.
Checkpoints read_checkpoints(pg::Connection& connection, std::string_view model, Slot slot, Lock lock = Lock::no);

/// What stands there after making the rows if there are none, and after changing their form if that can be done by changing it alone:
/// one row becomes 16 at the same position; 16 become one when all stand at the same position. 16 at different positions stay: the log
/// must be read from the least to the greatest before they are one. New rows are of the model's version and the present epoch; rows that
/// have folded nothing take the version on. One transaction of its own; safe beside others that do the same, or that fold.
Checkpoints make_checkpoints(pg::Connection& connection, const StoredModel& model, Slot slot, std::string_view epoch, CheckpointForm form);

}  // namespace bloomwatch::projection
