// Snapshot by snapshot, in pages, its stream in pieces.
#include "ops/operator/snapshot_check.h"

#include <fmt/core.h>

#include <algorithm>
#include <exception>

#include "command-service/aggregates.h"

namespace bloomwatch::ops {
namespace {

constexpr std::size_t snapshots_per_page = 200;
constexpr std::size_t events_per_read = 5000;

/// What is wrong with it; empty: nothing.
std::string breach_of(LogReader& reader, const StreamSnapshot& snapshot) {
  const auto state = make_state(snapshot.stream.category);
  Version version = 0;
  EventId last;
  while (version < snapshot.version) {
    const auto limit = std::min(events_per_read, static_cast<std::size_t>(snapshot.version - version));
    const std::vector<RecordedEvent> events = reader.stream(snapshot.stream, version, limit);
    if (events.empty()) return fmt::format("knows version {}, its stream ends at {}", snapshot.version, version);
    for (const RecordedEvent& event : events) state->apply(event);
    version = events.back().meta.version;
    last = events.back().meta.event_id;
  }
  if (last != snapshot.event_id) return fmt::format("version {} is another event in the log", version);
  if (state->snapshot() != snapshot.state) return fmt::format("is not what the events up to version {} come to", version);
  return {};
}

std::string breach_in_words(LogReader& reader, const StreamSnapshot& snapshot) {
  try {
    return breach_of(reader, snapshot);
  } catch (const pg::Error&) {
    throw;
  } catch (const std::exception& error) {  // an event that cannot be decoded
    return error.what();
  }
}

}  // namespace

SnapshotVerdict check_snapshots(LogReader& reader, const std::function<void(std::int64_t)>& progress) {
  SnapshotVerdict verdict;
  const SnapshotShapes& ours = snapshot_shapes();
  StreamName after{"", {}};
  for (;;) {
    const std::vector<StreamSnapshot> page = reader.snapshots(after, snapshots_per_page);
    for (const StreamSnapshot& snapshot : page) {
      const auto shape = ours.find(snapshot.stream.category);
      if (shape == ours.end() || shape->second != snapshot.shape) {
        ++verdict.foreign;
        continue;
      }
      ++verdict.snapshots;
      const std::string breach = breach_in_words(reader, snapshot);
      if (!breach.empty()) verdict.breach(fmt::format("the snapshot of {}: {}", snapshot.stream.to_string(), breach));
    }
    progress(verdict.snapshots + verdict.foreign);
    if (page.size() < snapshots_per_page) return verdict;
    after = page.back().stream;
  }
}

}  // namespace bloomwatch::ops
