// The log as a feed. Positions are dense and readers see them in order, so "after position p" is all that there is to it; waiting is the
// hub's business, with a poll behind it for news that the hub did not get.
#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <mutex>

#include "events/feed.h"
#include "events/log.h"

namespace bloomwatch {

namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr milliseconds poll_every{100};

class PostgresFeed : public Feed {
 public:
  PostgresFeed(std::string database_url, Hub& hub)
      : reader_(std::move(database_url), "bloomwatch feed"),
        subscription_(hub.subscribe(Hub::log_topic, [this](Position p) { grew_to(p); })) {}

  std::vector<std::int16_t> partitions() override { return {Cursor::whole_log}; }

  FeedBatch next(const Cursor& cursor, std::size_t limit, milliseconds timeout) override {
    const auto deadline = Clock::now() + timeout;
    const Position after = cursor.at(Cursor::whole_log);
    for (;;) {
      const Position known = grown_to();  // before the read: what is published after this wakes us
      if (cursor.positions.empty()) {
        if (!wait(known, deadline)) return {};
        continue;
      }
      std::vector<RecordedEvent> events = reader_.read(after, limit);
      if (!events.empty()) {
        Cursor reached = Cursor::after(events.back().meta.position);
        return {std::move(events), std::move(reached)};
      }
      if (!wait(known, deadline)) return {};
    }
  }

  void wake() override {
    {
      const std::lock_guard lock(mutex_);
      woken_ = true;
    }
    news_.notify_all();
  }

 private:
  Position grown_to() {
    const std::lock_guard lock(mutex_);
    return grown_to_;
  }

  void grew_to(Position position) {
    {
      const std::lock_guard lock(mutex_);
      grown_to_ = std::max(grown_to_, position);
    }
    news_.notify_all();
  }

  /// Waits until it is worth looking again; false when there is no more time, or `wake` was called.
  bool wait(Position known, Clock::time_point deadline) {
    std::unique_lock lock(mutex_);
    news_.wait_until(lock, std::min(deadline, Clock::now() + poll_every), [&] { return woken_ || grown_to_ > known; });
    return !std::exchange(woken_, false) && Clock::now() < deadline;
  }

  LogReader reader_;
  std::mutex mutex_;
  std::condition_variable news_;
  Position grown_to_ = 0;
  bool woken_ = false;
  Hub::Subscription subscription_;  // last, so that it ends first
};

}  // namespace

std::unique_ptr<Feed> postgres_feed(std::string database_url, Hub& hub) {
  return std::make_unique<PostgresFeed>(std::move(database_url), hub);
}

}  // namespace bloomwatch
