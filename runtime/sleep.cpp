// A condition variable that nobody notifies: only time and the stop end the wait.
#include "runtime/sleep.h"

#include <condition_variable>
#include <mutex>

namespace bloomwatch {

bool sleep_for(const std::stop_token& stop, std::chrono::steady_clock::duration time) {
  std::mutex mutex;
  std::condition_variable_any never;
  std::unique_lock lock(mutex);
  never.wait_for(lock, stop, time, [] { return false; });
  return !stop.stop_requested();
}

}  // namespace bloomwatch
