// The writer at work: the machine of writer.h in a thread of its own, between commands from any thread and the log in Postgres. Holds the
// lease, sends batches, loads what is not in memory, reads the tail after a failure, and tells the world how far the log has come.
#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "command-service/writer.h"
#include "runtime/hub.h"

namespace bloomwatch {

struct WriterOptions {
  std::string database_url;
  WriterLimits limits = {};
  SnapshotShapes snapshot_shapes = {};               ///< of the states that `make_state` makes
  std::chrono::milliseconds clock_offset_max{5000};  ///< further from Postgres's clock we do not lead
  std::chrono::milliseconds notify_every{10};        ///< at most one NOTIFY in so long; in this process the hub tells at once
  /// How long a writer that leads may fail to append before it lets another lead, and one that leads no more tries to learn what became of
  /// its last batches.
  std::chrono::milliseconds doubt_max{5000};
};

/// What a writer shows of itself.
struct WriterStatus {
  WriterCounters counters;
  bool leading = false;
  std::size_t pending = 0;  ///< commands on their way
  std::size_t facts = 0, facts_bytes = 0;
  Position confirmed = 0;   ///< the last position known to be in the log
  bool loads_fail = false;  ///< what commands need has not been loaded for longer than `doubt_max`
};

/// The single writer of this process. It leads, or stands by until it can.
class Writer {
 public:
  /// Nothing happens before `start()`. `hub` outlives the writer.
  Writer(WriterOptions options, MakeState make_state, Hub& hub);
  /// As `stop(0 ms)`.
  ~Writer();
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;

  /// Begins to stand by, and leads when the lease is ours. Returns at once.
  void start();
  /// Takes no more commands, finishes those at hand for up to `drain_max`, answers the rest, gives the lease back. Returns when all is
  /// done.
  void stop(std::chrono::milliseconds drain_max);

  /// Queues a command, from any thread. False: it was answered `busy` or `unavailable`, in the calling thread. All other answers come in
  /// the writer's thread: they must not block, throw or wait for another answer.
  bool submit(std::unique_ptr<Work> work);

  /// Whether it leads and takes commands.
  bool ready() const;
  /// A moment ago, from any thread.
  WriterStatus status() const;

 private:
  class Loop;
  std::unique_ptr<Loop> loop_;
};

}  // namespace bloomwatch
