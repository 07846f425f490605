// What `bloomwatch verify` checks of snapshots of streams: that each is what its stream's events up to it come to.
#pragma once

#include <cstdint>
#include <functional>

#include "events/log.h"
#include "ops/operator/breaches.h"

namespace bloomwatch::ops {

struct SnapshotVerdict : Breaches {
  std::int64_t snapshots = 0;  ///< compared
  std::int64_t foreign = 0;    ///< of another shape than this program's, which it never reads
};

/// Folds the stream of each snapshot anew, one after another; `progress` is told how many are done. Reads again every event that snapshots
/// spare others. On a live system: what a snapshot rests on never changes. Throws pg::Error.
SnapshotVerdict check_snapshots(LogReader& reader, const std::function<void(std::int64_t)>& progress);

}  // namespace bloomwatch::ops
