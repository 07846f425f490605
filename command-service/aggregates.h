// Every aggregate that there is, by the category of its streams.
#pragma once

#include <memory>
#include <string_view>

#include "command-service/facts.h"

namespace bloomwatch {

/// The initial state of a stream of this category, which must be one that the log has (invariant). Never null.
std::unique_ptr<StreamState> make_state(std::string_view category);

/// The shapes of snapshots that this program's aggregates take and restore, by category.
const SnapshotShapes& snapshot_shapes();

}  // namespace bloomwatch
