// What one append carries and what a load or a tail brings back: the vocabulary between the writer (a machine of steps) and the log
// (Postgres). Plain values, so that a simulation can stand in for the database.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "events/envelope.h"

namespace bloomwatch {

/// A point of the log known by its event, not by its number alone: the fence of the next batch.
struct LogPoint {
  Position position = 0;
  EventId event_id = {};
  Time recorded_at = {};  ///< of that event; the next one's is never earlier

  bool operator==(const LogPoint&) const = default;
};

/// Who holds a claim. A retired claim is still held (nobody else may take it) but may be given up after a while, as its taker decides.
struct ClaimHolder {
  std::string category;  ///< of the holding stream
  Uuid id;
  std::optional<Time> retired_at = {};

  bool operator==(const ClaimHolder&) const = default;
};

/// The net change of one claim in a batch; no holder: released.
struct ClaimChange {
  ClaimKey key;
  std::optional<ClaimHolder> holder;

  bool operator==(const ClaimChange&) const = default;
};

/// A hash of (scope, key): the scope is the person, or nothing for anonymous commands.
using IdempotencyKey = Id<struct IdempotencyKeyTag>;

/// How long a key is kept at least, and so how late a command can be repeated.
inline constexpr std::chrono::hours idempotency_life{24};

/// What is kept of a command that carried an Idempotency-Key, for `idempotency_life`: enough to answer a repeat, and no secret.
struct IdempotencyRecord {
  IdempotencyKey key;
  std::array<std::uint8_t, 16> body_mac = {};  ///< keyed hash of method, path, query and body: another body under the same key is refused
  CommandId command;
  Uuid id;  ///< the `id` of the answer
  Version version = 0;
  Position position = 0;
  std::string refusal;   ///< empty: accepted or quiet; else the refusal's stable name
  bool created = false;  ///< whether the answer said 201

  bool operator==(const IdempotencyRecord&) const = default;
};

/// One append: applied whole, and only if `fence` is still the last event of the log.
struct Batch {
  LogPoint fence;
  std::vector<NewEvent> events = {};  ///< positions fence.position + 1 … in this order
  std::vector<ClaimChange> claims = {};
  std::vector<IdempotencyRecord> idempotency = {};

  LogPoint last() const {
    if (events.empty()) return fence;
    return {fence.position + static_cast<Position>(events.size()), events.back().event_id, events.back().recorded_at};
  }
};

/// How an append ended, as far as its sender can know.
enum class AppendResult {
  committed,        ///< and on disk
  fence_lost,       ///< somebody else's event follows the fence, or a recorded key already stands; nothing was written
  connection_lost,  ///< unknown: it may or may not be in the log
  data_error,       ///< Postgres refused the data; nothing was written
};

/// What deciders know of a stream after its event of this version, written down, so that the events up to it need not be read again. True
/// only where the log has the event: ids are used once, so whoever folded it knows the stream as the log does (ops/decisions/0012).
struct StreamSnapshot {
  StreamName stream;
  Version version = 0;
  EventId event_id = {};
  std::int32_t shape = 0;  ///< of `state`; counted by the aggregate, from 1
  std::string state;

  bool operator==(const StreamSnapshot&) const = default;
};

/// The shape of snapshots by category of stream; a category that is not there has none.
using SnapshotShapes = std::map<std::string, std::int32_t, std::less<>>;

/// Streams, claims and keys that the writer asks the log for; answered from one snapshot.
struct LoadRequest {
  std::vector<StreamName> streams = {};
  std::vector<ClaimKey> claims = {};
  std::vector<IdempotencyKey> keys = {};
};

struct LoadResult {
  Position as_of = 0;                               ///< the last position that the snapshot saw
  std::vector<RecordedEvent> events;                ///< of all streams asked for, behind their snapshots, in order of position
  std::vector<ClaimChange> claims = {};             ///< one for each claim asked for
  std::vector<IdempotencyRecord> idempotency = {};  ///< those that are recorded: every one that an append would collide with, however old
  std::vector<StreamSnapshot> snapshots = {};       ///< of streams asked for, where there is one of the shape that was asked for
};

/// The log after a point, from one snapshot. A long one comes in pieces: then `head` is the last event of the piece.
struct Tail {
  LogPoint head;
  std::vector<RecordedEvent> events;  ///< all events after the point asked for, up to `head`
  bool whole = true;                  ///< false: there is more after `head`
};

}  // namespace bloomwatch
