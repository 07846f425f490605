// Threads around a queue.
#include "runtime/work_pool.h"

#include <exception>
#include <utility>

#include "runtime/logging.h"

namespace bloomwatch {

WorkPool::WorkPool(std::string name, unsigned threads, std::size_t queue_max, std::optional<std::chrono::seconds> wait_max)
    : name_(std::move(name)), queue_max_(queue_max), wait_max_(wait_max) {
  threads_.reserve(threads);
  for (unsigned i = 0; i < threads; ++i) threads_.emplace_back([this] { run(); });
}

WorkPool::~WorkPool() { stop(); }

bool WorkPool::submit(Job& job) {
  const std::lock_guard lock(mutex_);
  if (stopping_ || queue_.size() >= queue_max_) return false;
  queue_.push_back(std::move(job));
  changed_.notify_one();
  return true;
}

void WorkPool::request_stop() {
  std::deque<Job> dropped;
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    dropped.swap(queue_);
    changed_.notify_all();
  }
}

void WorkPool::stop() {
  request_stop();
  threads_.clear();  // joins
}

void WorkPool::run() {
  while (true) {
    Job job;
    {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [this] { return stopping_ || !queue_.empty(); });
      if (stopping_) return;
      job = std::move(queue_.front());
      queue_.pop_front();
    }
    try {
      job();
    } catch (const std::exception& broken) {
      log::error(name_, "a job failed", {{"error", broken.what()}});
    }
  }
}

}  // namespace bloomwatch
