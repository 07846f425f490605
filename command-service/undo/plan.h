// From the past of a stream to how one of its changes is taken back. A change is all events of one command: they follow each other in one
// stream. Pure: the log is read by undo/undo_change.h.
#pragma once

#include <optional>
#include <span>

#include "command-service/undo/undo_space.h"
#include "command-service/undo/undo_tracking.h"
#include "events/envelope.h"

namespace bloomwatch::undo {

/// A stream from its first event to its last, as it was read.
using Stream = std::span<const RecordedEvent>;

/// Where in a stream a change is.
struct Change {
  std::size_t first = 0;
  std::size_t count = 0;

  Stream before(Stream stream) const { return stream.first(first); }
  Stream with(Stream stream) const { return stream.first(first + count); }
  Stream of(Stream stream) const { return stream.subspan(first, count); }
  Stream since(Stream stream) const { return stream.subspan(first + count); }
};

/// The change that the event at the position is part of; none if the stream has no such event.
std::optional<Change> find_change(Stream stream, Position position);

/// Where the change was undone, if it is undone: by an undo that was not undone itself.
std::optional<Position> undone_at(Stream stream, const Change& change);

/// Throws UndecodableEvent.
TrackingPlan plan_tracking(Stream stream, const Change& change);
SpacePlan plan_space(Stream stream, const Change& change);

/// The last later event that stands in the way of the plan: it changed what the plan would change back. None if all is as the change left
/// it.
std::optional<Position> in_the_way(Stream stream, const Change& change, const TrackingPlan& plan);
std::optional<Position> in_the_way(Stream stream, const Change& change, const SpacePlan& plan);

}  // namespace bloomwatch::undo
