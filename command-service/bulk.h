// Many commands of one request, an import's or its undo's: a bounded number of them in flight, each sent again while the writer is away,
// until all have their outcome.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <functional>
#include <mutex>
#include <vector>

#include "command-service/writer.h"
#include "runtime/work_pool.h"

namespace bloomwatch {

/// One round after another, each by one thread; answers may come on any. Outlives the answers of what was sent, because run() waits for
/// them.
class Bulk {
 public:
  /// How long the writer may take nothing at all (a full queue, a failover) before the rest is given up.
  static constexpr std::chrono::seconds patience_max{15};

  /// `pool`: whose thread runs this; when it stops, nothing more is sent.
  Bulk(const WorkPool& pool, std::size_t in_flight_max) : pool_(pool), in_flight_max_(in_flight_max) {}

  using Each = std::function<void(std::size_t index)>;
  /// Blocks until each of `open` was answered for good, or was given up. `send` submits a command whose answer is told to answered(); what
  /// it throws comes out when all that was sent before has been answered.
  void run(std::vector<std::size_t> open, const Each& send, const Each& give_up);
  /// The same of all from 0 to below `count`.
  void run_all(std::size_t count, const Each& send, const Each& give_up);

  /// What a command was answered. An outcome is settled by `settle()`, one at a time; what may not have been done is sent again, so sending
  /// it twice must do it once.
  template <class Settle>
  void answered(std::size_t index, Answer::Kind kind, Settle&& settle) {
    const std::lock_guard lock(mutex_);
    --in_flight_;
    if (kind == Answer::Kind::busy || kind == Answer::Kind::unavailable || kind == Answer::Kind::unknown)
      again_.push_back(index);
    else
      settle();
    // Who waits for room is let in when there is much of it.
    if (in_flight_ == 0 || in_flight_ == in_flight_max_ / 2) changed_.notify_all();
  }

 private:
  std::vector<std::size_t> send_once(const std::vector<std::size_t>& open, const Each& send);

  const WorkPool& pool_;
  const std::size_t in_flight_max_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::size_t in_flight_ = 0;
  std::vector<std::size_t> again_;
};

}  // namespace bloomwatch
