// A few threads for what must not run on the HTTP threads: work that blocks on Postgres, hashes passwords or reads large files.
// Bounded: what does not fit is refused at once, and its sender told to come back.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

namespace bloomwatch {

/// Runs jobs in order of arrival on a fixed number of threads. Safe from all threads.
class WorkPool {
 public:
  using Job = std::move_only_function<void()>;

  /// `name` is for the logs. `wait_max`: what a job that had to wait longer should refuse to do.
  WorkPool(std::string name, unsigned threads, std::size_t queue_max, std::optional<std::chrono::seconds> wait_max = {});
  /// Stops.
  ~WorkPool();
  WorkPool(const WorkPool&) = delete;
  WorkPool& operator=(const WorkPool&) = delete;

  /// False, and `job` untouched, if the queue is full or the pool has stopped. A job that throws is logged and let go; what it was to
  /// answer with answers by itself (http::Responder).
  bool submit(Job& job);
  /// Lets go of the jobs that wait, and tells those that run (stopping()).
  void request_stop();
  /// The same, and waits for running jobs. May be repeated.
  void stop();
  /// For long jobs, that they end early.
  bool stopping() const { return stopping_.load(std::memory_order_relaxed); }
  std::optional<std::chrono::seconds> wait_max() const { return wait_max_; }

 private:
  void run();

  const std::string name_;
  const std::size_t queue_max_;
  const std::optional<std::chrono::seconds> wait_max_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Job> queue_;
  std::atomic<bool> stopping_{false};
  std::vector<std::jthread> threads_;
};

}  // namespace bloomwatch
