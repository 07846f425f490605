// A feed: an ordered, resumable source of events. Projectors and policies read it and do not know where it comes from.
// `postgres_feed` reads the log by position (one cursor for the whole log); a Kafka feed gives each partition a cursor of its own.
// One contract suite, tests/integration/log/feed_contract.h, runs against each.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "events/envelope.h"
#include "runtime/hub.h"
#include "runtime/kafka.h"

namespace bloomwatch {

class Metrics;

/// How far a reader has come: by partition the position of the last event that it has folded. The partition `whole_log` stands for all.
/// It is what `projection.checkpoints` keeps, one row an entry.
struct Cursor {
  static constexpr std::int16_t whole_log = -1;

  std::map<std::int16_t, Position> positions;

  bool operator==(const Cursor&) const = default;
  /// 0 where nothing was read yet.
  Position at(std::int16_t partition) const {
    const auto found = positions.find(partition);
    return found == positions.end() ? 0 : found->second;
  }
  /// Goes on to where `later` is, in the partitions that it has.
  void advance(const Cursor& later) {
    for (const auto& [partition, position] : later.positions) positions[partition] = position;
  }
  static Cursor from_start() { return {{{whole_log, 0}}}; }
  static Cursor after(Position position) { return {{{whole_log, position}}}; }
};

/// Events and the cursor that follows them, in the form to be stored.
struct FeedBatch {
  std::vector<RecordedEvent> events;  ///< in order within each partition, none at or before the cursor asked from
  Cursor cursor;                      ///< only the partitions that moved
};

/// For one thread; only `wake` and `not_ready` may be called from others.
class Feed {
 public:
  virtual ~Feed() = default;

  /// The partitions that this reader is to follow now: {whole_log} for Postgres, those assigned for Kafka, which may be none and change
  /// with any call of `next`. Cursors are asked for by these.
  virtual std::vector<std::int16_t> partitions() = 0;
  /// At most `limit` events after `cursor`, of its partitions. Waits up to `timeout` for the first; an empty batch if none came, `wake` was
  /// called or `partitions` have changed. A cursor without positions reads nothing, and waits for such a change.
  /// Throws (pg::Error, kafka::Error …) while the source cannot be reached; call again.
  virtual FeedBatch next(const Cursor& cursor, std::size_t limit, std::chrono::milliseconds timeout) = 0;
  /// Ends a waiting `next`, or the next one, at once. From any thread.
  virtual void wake() = 0;
  /// Why nothing can come at the moment; nothing if it can. From any thread.
  virtual std::optional<std::string> not_ready() const { return std::nullopt; }
  /// How many events are there that it has not given yet, about; nothing where the source does not know.
  virtual std::optional<std::int64_t> behind() const { return std::nullopt; }
};

/// The log itself, by position. Wakes on the hub's log topic, and looks by itself every 100 ms for what the hub was not told. In a process
/// without the writer, let a `pg::Listener` on channel `log` publish to the hub.
std::unique_ptr<Feed> postgres_feed(std::string database_url, Hub& hub);

struct KafkaFeedOptions {
  kafka::Options kafka;
  std::string database_url;    ///< of the log: it names the topic, and has what Kafka has not
  std::string group = {};      ///< whose members share the partitions, in each epoch anew; empty: read all of them by oneself
  Metrics* metrics = nullptr;  ///< outlives the feed
  /// How long a batch is waited for to become full after its first event; 0: what is at hand is given. `wake` ends it.
  std::chrono::milliseconds fill_time{0};
};

/// The group of an instance's projectors.
inline constexpr std::string_view projector_group = "bloomwatch.projector";
/// The name that a group has in an epoch.
std::string group_of(std::string_view group, std::string_view epoch);

/// The topic of the log's epoch. The cursor says where each partition is read from, never an offset; records at or below it
/// are repeats, and are left out. What the topic leaves out (`ce_previous` tells), and what in it is no event of ours, is read from the
/// log. Nothing is given while the topic has what the log has not: not_ready() says so, and next() looks again. Waits for a topic that is
/// not there yet, and follows the log into a new epoch. Does not connect before it is asked for something.
std::unique_ptr<Feed> kafka_feed(KafkaFeedOptions options);

}  // namespace bloomwatch
