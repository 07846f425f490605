// Rounds of sending, with longer and longer pauses while nothing gets through.
#include "command-service/bulk.h"

#include <algorithm>
#include <exception>
#include <numeric>
#include <thread>
#include <utility>

namespace bloomwatch {

using Clock = std::chrono::steady_clock;

void Bulk::run(std::vector<std::size_t> open, const Each& send, const Each& give_up) {
  constexpr std::chrono::milliseconds pause_min(10), pause_max(1000);
  Clock::time_point last_progress = Clock::now();
  std::chrono::milliseconds pause = pause_min;
  while (!open.empty()) {
    const std::size_t before = open.size();
    open = send_once(open, send);
    if (open.size() < before) {
      last_progress = Clock::now();
      pause = pause_min;
    } else if (pool_.stopping() || Clock::now() - last_progress > patience_max) {
      std::ranges::for_each(open, give_up);
      return;
    }
    if (!open.empty()) std::this_thread::sleep_for(pause);
    pause = std::min(pause * 2, pause_max);
  }
}

void Bulk::run_all(std::size_t count, const Each& send, const Each& give_up) {
  std::vector<std::size_t> all(count);
  std::iota(all.begin(), all.end(), std::size_t{0});
  run(std::move(all), send, give_up);
}

/// Sends each once; returns those that are to be sent again.
std::vector<std::size_t> Bulk::send_once(const std::vector<std::size_t>& open, const Each& send) {
  again_.clear();
  std::exception_ptr thrown;
  for (const std::size_t index : open) {
    {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [this] { return in_flight_ < in_flight_max_; });
      // A full queue or a writer that is away is not hammered with the rest; a process that stops sends no more.
      if (!again_.empty() || pool_.stopping()) {
        again_.push_back(index);
        continue;
      }
      ++in_flight_;
    }
    try {
      send(index);
    } catch (...) {
      thrown = std::current_exception();
      const std::lock_guard lock(mutex_);
      --in_flight_;
      break;
    }
  }
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return in_flight_ == 0; });
  if (thrown) std::rethrow_exception(thrown);
  return std::move(again_);
}

}  // namespace bloomwatch
