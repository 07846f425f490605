// Identical questions that are asked at the same time are asked once: the first one sets out, the others wait for what it brings.
#pragma once

#include <cstddef>
#include <functional>
#include <mutex>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

namespace bloomwatch::anilist {

/// Safe from all threads. Waiters are called by whoever lands, outside the lock.
template <class Outcome>
class Flights {
 public:
  using Waiter = std::move_only_function<void(const Outcome&)>;
  static constexpr std::size_t waiters_max = 10'000;  ///< of one question

  enum class Joined { first, later, full };

  /// Waits with those who wait already; false, and `waiter` untouched, if nobody does or too many do.
  bool join(const std::string& question, Waiter& waiter) {
    const std::lock_guard lock(mutex_);
    const auto flight = flights_.find(question);
    if (flight == flights_.end() || flight->second.size() >= waiters_max) return false;
    flight->second.push_back(std::move(waiter));
    return true;
  }
  /// The same, or sets out: `first` is to land it.
  Joined join_or_begin(const std::string& question, Waiter& waiter) {
    const std::lock_guard lock(mutex_);
    const auto [flight, began] = flights_.try_emplace(question);
    if (flight->second.size() >= waiters_max) return Joined::full;
    flight->second.push_back(std::move(waiter));
    return began ? Joined::first : Joined::later;
  }
  /// Sets out for nobody; false if somebody has.
  bool begin(const std::string& question) {
    const std::lock_guard lock(mutex_);
    return flights_.try_emplace(question).second;
  }
  /// Tells all that wait; who asks from now on sets out anew.
  void land(const std::string& question, const Outcome& outcome) {
    for (Waiter& waiter : take(question)) waiter(outcome);
  }

 private:
  std::vector<Waiter> take(const std::string& question) {
    const std::lock_guard lock(mutex_);
    auto node = flights_.extract(question);
    return node.empty() ? std::vector<Waiter>() : std::move(node.mapped());
  }

  std::mutex mutex_;
  std::unordered_map<std::string, std::vector<Waiter>> flights_;
};

}  // namespace bloomwatch::anilist
