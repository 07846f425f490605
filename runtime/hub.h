// Wake-ups within one process: "the log grew to p", "model m reached p". Numbers only ever grow, so nothing can be missed: who comes late
// sees the latest. Across processes the same news comes by NOTIFY (pg::Listener feeds the hub). A wake-up is a hint, never the truth.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace bloomwatch {

/// Safe from all threads. Outlives its subscriptions.
class Hub {
 public:
  /// The topic of the log's last position; `model_topic("dashboard")` is that of a read model's checkpoint.
  static constexpr std::string_view log_topic = "log";
  static std::string model_topic(std::string_view model) { return "model:" + std::string(model); }

  /// `topic` has reached `position`. Less than what is known changes nothing and wakes nobody.
  void publish(std::string_view topic, std::int64_t position);
  /// The highest position published; 0 if none was.
  std::int64_t reached(std::string_view topic) const;
  /// Waits until `topic` has reached `position` (true), or for `timeout` (false).
  bool wait(std::string_view topic, std::int64_t position, std::chrono::milliseconds timeout) const;

  /// Called in the publisher's thread after each growth of `topic`; must be quick and must not throw. Ends with the subscription, which
  /// waits for a call under way (so never drop it inside the callback).
  using Callback = std::function<void(std::int64_t position)>;
  class [[nodiscard]] Subscription {
   public:
    Subscription() = default;
    ~Subscription() { reset(); }
    Subscription(Subscription&& other) noexcept;
    Subscription& operator=(Subscription&& other) noexcept;
    void reset();

   private:
    friend class Hub;
    struct Entry;
    Subscription(Hub* hub, std::shared_ptr<Entry> entry) : hub_(hub), entry_(std::move(entry)) {}
    Hub* hub_ = nullptr;
    std::shared_ptr<Entry> entry_;
  };
  Subscription subscribe(std::string_view topic, Callback callback);

 private:
  struct Topic {
    std::int64_t position = 0;
    std::vector<std::shared_ptr<Subscription::Entry>> subscribers;
  };
  mutable std::mutex mutex_;
  mutable std::condition_variable grew_;
  std::map<std::string, Topic, std::less<>> topics_;
};

}  // namespace bloomwatch
