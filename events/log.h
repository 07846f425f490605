// The log in Postgres: appending batches under the fence through libpq's pipeline, and reading streams, ranges and tails.
// Start here: AppendPipeline is the writer's one way in, LogReader everybody's way out. Who may write is events/lease.h's to say; what
// is true is the fence's.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "events/batch.h"
#include "runtime/postgres.h"

namespace bloomwatch {

/// Of one stream: what the writer's limits allow.
inline constexpr std::size_t stream_events_max = 110'000;

/// How one batch ended.
struct AppendOutcome {
  std::uint64_t batch = 0;  ///< what `send` returned
  AppendResult result = AppendResult::connection_lost;
  std::string detail;  ///< what Postgres said, for the log of the process; empty if committed
};

/// Appends batches over one connection, several in flight, each one autocommitted statement with a sync of its own; what is committed is
/// flushed over another and then reported (ops/decisions/0011). For one thread; only `wake` may be called from others. Never throws for a
/// lost connection: it is an outcome.
class AppendPipeline {
 public:
  static constexpr std::size_t in_flight_max = 4;

  /// Connects on the first `reconnect()`; does not throw.
  explicit AppendPipeline(std::string database_url);
  ~AppendPipeline();
  AppendPipeline(const AppendPipeline&) = delete;
  AppendPipeline& operator=(const AppendPipeline&) = delete;

  /// Ends the backend of the connection that was lost, if there was one, and waits until it is gone: after that the log tells what became
  /// of the batches in flight. Then connects anew. Throws pg::Error while Postgres cannot be reached; call it again later.
  void reconnect();
  bool connected() const;

  /// Batches sent and not reported.
  std::size_t in_flight() const;
  bool has_room() const { return connected() && in_flight() < in_flight_max; }

  /// Sends without waiting, needs `has_room()`. Returns the batch's number (1, 2, 3 …) by which `poll` names its outcome. The batch is
  /// copied; its statements are chosen by what it carries. A batch without events still checks that nothing follows its fence.
  std::uint64_t send(const Batch& batch);

  /// Outcomes in the order of sending: those at hand, else waits until there is one, `wake` is called, or `timeout` has passed. What is
  /// `committed` is on disk, with all that it followed. When a batch fails, those after it fail by their fences. When a connection is lost,
  /// all in flight are `connection_lost`.
  std::vector<AppendOutcome> poll(std::chrono::milliseconds timeout);

  /// Ends a `poll` that waits, or the next one, at once. From any thread.
  void wake();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// Where a statement finds the events `e` of one partition key, in no order: `$1` the key, `$2` the position after which, `$3` the last
/// one. By the streams of the key: a stream keeps its key for good, so its first event tells it (migration 0037). OFFSET
/// 0 keeps the planner from going through the log in the order of positions instead.
inline constexpr std::string_view from_partition_key =
    "FROM log.events first, LATERAL (SELECT * FROM log.events WHERE stream_id = first.stream_id AND category = first.category"
    " AND position > $2 AND position <= $3 OFFSET 0) e"
    " WHERE first.partition_key = $1 AND first.version = 1 AND first.position <= $3";

/// What `LogReader::read` gives each row to. Views are valid during the call only.
struct RawEvent {
  Meta meta;
  std::string_view type;
  int schema_version = 1;
  std::string_view data;
};

/// Rows of the log as Postgres sent them, decoded each time they are asked for. Another thread than the reader's may hold it.
class RawBatch {
 public:
  explicit RawBatch(pg::Result rows) : rows_(std::move(rows)) {}

  std::size_t size() const { return static_cast<std::size_t>(rows_.size()); }
  /// The position of the last one; there must be one.
  Position last() const;
  void each(const std::function<void(const RawEvent&)>& take) const;

 private:
  pg::Result rows_;
};

/// Reads the log. For one thread at a time. Connects when needed, and again after a lost connection: each call throws pg::Error while
/// Postgres cannot be reached. No call holds a snapshot beyond itself. What it reads may not be on disk yet: see `await_durable`.
class LogReader {
 public:
  /// `statement_timeout`: what takes longer throws.
  explicit LogReader(std::string database_url, std::string application_name = "bloomwatch log reader",
                     std::chrono::milliseconds statement_timeout = pg::Options().statement_timeout);
  ~LogReader();
  LogReader(LogReader&&) noexcept;
  LogReader& operator=(LogReader&&) noexcept;

  /// Streams, claims and keys from one snapshot of the database, in one round trip. Streams of a category that `shapes` names begin at
  /// their last snapshot of that shape.
  LoadResult load(const LoadRequest& request, const SnapshotShapes& shapes = {});

  /// At most `limit` snapshots of streams after that of a stream, in the order of the streams' ids.
  std::vector<StreamSnapshot> snapshots(const StreamName& after, std::size_t limit);

  /// At most `limit` keys of idempotency records after `after`, in order.
  std::vector<IdempotencyKey> recorded_keys(IdempotencyKey after, std::size_t limit);

  /// At most `limit` events after a point, and the point of the last of them (the head of the log if there were fewer than `limit`).
  /// Stops the process if the log does not hold `after` itself: what this process has read is no longer true (a restored backup).
  Tail tail(const LogPoint& after, std::size_t limit);

  /// At most `limit` events after a position, in order.
  std::vector<RecordedEvent> read(Position after, std::size_t limit);
  /// The same without making strings; returns how many there were. `take` must not call this reader.
  std::size_t read_raw(Position after, std::size_t limit, const std::function<void(const RawEvent&)>& take);
  /// The same to be decoded later.
  RawBatch fetch(Position after, std::size_t limit);
  /// At most `limit` events of one partition key with after < position ≤ until, in order. Looks at every event of the key's streams.
  std::vector<RecordedEvent> read_partition_key(PartitionKey key, Position after, Position until, std::size_t limit);
  /// At most `limit` events of one partition with after < position ≤ until, in order. Looks at every event between.
  std::vector<RecordedEvent> read_partition(std::int16_t partition, Position after, Position until, std::size_t limit);
  /// At most `limit` events of one stream after a version, in order.
  std::vector<RecordedEvent> stream(const StreamName& name, Version after = 0, std::size_t limit = stream_events_max);

  /// Returns when everything that this reader has read is on disk. Before that a crash of Postgres may take the last events away again, and
  /// put others in their places: so this comes first for whoever answers for them, copies them, or goes on from their positions behind a
  /// lost connection. Costs a write to disk, or the end of one under way. Throws pg::Error as the others do, also when the connection was
  /// lost since the last call: then what was read since is to be read again.
  void await_durable();

  /// The last event; the genesis row's point in an empty log.
  LogPoint head();
  /// The point at a position; nothing if the log does not reach it.
  std::optional<LogPoint> point(Position position);
  /// Those at several positions, in one statement; a position that the log does not reach is left out.
  std::map<Position, LogPoint> points(const std::vector<Position>& positions);
  /// The first event with after < position ≤ until whose partition's entry in `seen` is below it; nothing if there is none. Postgres looks
  /// at each of them, so ask for a range that it gets through in a second or two (a million).
  std::optional<Position> first_unseen(const std::array<Position, partition_count>& seen, Position after, Position until);
  /// The last position whose event was recorded at or before `time`; 0 if none.
  Position position_at(Time time);
  /// Eight hex digits that name this life of the log.
  std::string epoch();
  /// How far our clock is ahead of Postgres's (negative: behind), to within the round trip.
  std::chrono::milliseconds clock_offset();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// Keeps snapshots of streams, each stream once, for loads to come. Older ones than are there, and those whose event the log does not have,
/// are passed over: what a process saw before a crash of Postgres may be gone.
void keep_snapshots(pg::Connection& connection, std::span<const StreamSnapshot> snapshots);

/// Forgets idempotency records older than `idempotency_life`, the oldest first, at most `limit`. Returns how many.
std::int64_t prune_idempotency(pg::Connection& connection, std::int64_t limit);

/// Begins a new epoch, as a restore from backup must: positions after it may name other events than before.
std::string begin_epoch(pg::Connection& connection);

}  // namespace bloomwatch
