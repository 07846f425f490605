// How often somebody may try passwords: a bucket for each e-mail address and each network address, filled again as time goes by.
// It slows guessing down; the cost of Argon2id and the bounded pool protect the machine.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string_view>
#include <unordered_map>

namespace bloomwatch::accounts {

/// Safe from all threads. Bounded: when there are too many buckets, those that are full again are dropped, and failing that, all.
class LoginLimit {
 public:
  using Clock = std::chrono::steady_clock;
  static constexpr double attempts_per_email_max = 20;
  static constexpr double attempts_per_peer_max = 1000;
  static constexpr double email_refill_per_second = 0.2;
  static constexpr double peer_refill_per_second = 20;
  static constexpr std::size_t buckets_max = 100'000;

  /// Takes one attempt of both. Nothing if it may be made; else how long to wait.
  std::optional<std::chrono::seconds> take(std::string_view email, std::string_view peer, Clock::time_point now);

 private:
  struct Bucket {
    double attempts;
    Clock::time_point at;
  };
  static double filled(const Bucket& bucket, double most, double per_second, Clock::time_point now);
  void make_room(Clock::time_point now);
  std::optional<std::chrono::seconds> take(std::size_t key, double most, double per_second, Clock::time_point now);

  std::mutex mutex_;
  std::unordered_map<std::size_t, Bucket> buckets_;  ///< by a hash: two that share one share its limit
};

}  // namespace bloomwatch::accounts
