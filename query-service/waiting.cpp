// The pages that wait, by the position that they wait for.
#include "query-service/waiting.h"

#include <algorithm>
#include <limits>

#include "query-service/pages.h"
#include "runtime/sleep.h"

namespace bloomwatch {

Waiting::Waiting(Hub& hub, Actions actions) : hub_(hub), actions_(std::move(actions)) {
  for (const Model model : all_models)
    subscriptions_.push_back(
        hub_.subscribe(Hub::model_topic(name_of(model)), [this, model](std::int64_t position) { wake(model, position, hinted_runs_max); }));
  subscriptions_.push_back(hub_.subscribe(checkpoints_topic, [this](std::int64_t) {
    if (size() > 0) actions_.look();
  }));
  thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
}

void Waiting::close() {
  subscriptions_.clear();
  thread_.request_stop();
  if (thread_.joinable()) thread_.join();
  std::array<Waiters, model_count> left;
  {
    const std::lock_guard lock(mutex_);
    closed_ = true;
    left = std::exchange(waiters_, {});
    waiting_of_.clear();
  }
  for (Waiters& waiters : left)
    for (auto& [position, page] : waiters) actions_.too_late(std::move(page));
}

void Waiting::add(std::unique_ptr<OpenPage> page, Model model, Position position) {
  {
    const std::lock_guard lock(mutex_);
    if (has_room_for(*page)) {
      ++waiting_of_[page->visit.by.account];
      waiters_[static_cast<std::size_t>(model)].emplace(position, std::move(page));
    }
  }
  if (page != nullptr) return actions_.too_late(std::move(page));
  changed_.notify_one();
  // What the hub was told between the page's snapshot and now.
  wake(model, hub_.reached(Hub::model_topic(name_of(model))), hinted_runs_max);
}

void Waiting::reached(Model model, Position position) { wake(model, position, std::numeric_limits<int>::max()); }

std::size_t Waiting::size() const {
  const std::lock_guard lock(mutex_);
  return count();
}

std::size_t Waiting::count() const {
  std::size_t count = 0;
  for (const Waiters& waiters : waiters_) count += waiters.size();
  return count;
}

bool Waiting::has_room_for(const OpenPage& page) const {
  if (closed_ || count() >= waiting_max) return false;
  const auto of_one = waiting_of_.find(page.visit.by.account);
  return of_one == waiting_of_.end() || of_one->second < waiting_of_one_max;
}

std::unique_ptr<OpenPage> Waiting::take(Waiters& waiters, Waiters::iterator& waiter) {
  std::unique_ptr<OpenPage> page = std::move(waiter->second);
  waiter = waiters.erase(waiter);
  const auto of_one = waiting_of_.find(page->visit.by.account);
  if (--of_one->second == 0) waiting_of_.erase(of_one);
  return page;
}

void Waiting::wake(Model model, Position position, int runs_max) {
  std::vector<std::unique_ptr<OpenPage>> woken;
  {
    const std::lock_guard lock(mutex_);
    Waiters& waiters = waiters_[static_cast<std::size_t>(model)];
    for (auto waiter = waiters.begin(); waiter != waiters.end() && waiter->first <= position;) {
      if (waiter->second->runs >= runs_max)
        ++waiter;
      else
        woken.push_back(take(waiters, waiter));
    }
  }
  for (auto& page : woken) actions_.again(std::move(page));
}

void Waiting::run(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    std::vector<std::unique_ptr<OpenPage>> late;
    bool somebody = false;
    {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, stop, [&] { return std::ranges::any_of(waiters_, [](const Waiters& waiters) { return !waiters.empty(); }); });
    }
    sleep_for(stop, look_every);  // most are woken by the hub before the first look
    {
      const std::lock_guard lock(mutex_);
      const auto time = std::chrono::steady_clock::now();
      for (Waiters& waiters : waiters_) {
        for (auto waiter = waiters.begin(); waiter != waiters.end();) {
          if (waiter->second->deadline > time) {
            somebody = true;
            ++waiter;
            continue;
          }
          late.push_back(take(waiters, waiter));
        }
      }
    }
    for (auto& page : late) actions_.too_late(std::move(page));
    if (somebody) actions_.look();
  }
}

}  // namespace bloomwatch
