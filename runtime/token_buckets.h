// Limits of how often: a bucket of tokens for each key, filled again as time goes by. For log-ins by address, calls by person and the like.
// A value with a lock: time comes in, nothing else is read.
#pragma once

#include <chrono>
#include <cstddef>
#include <mutex>
#include <optional>
#include <unordered_map>

namespace bloomwatch {

/// Safe from all threads. Bounded: when there are too many buckets, the fuller half is dropped, so that who floods the limit with new keys
/// gives no old one its tokens back.
class TokenBuckets {
 public:
  using Clock = std::chrono::steady_clock;
  static constexpr std::size_t buckets_max = 100'000;

  /// Each key may take `most` at once, and `per_second` on and on.
  TokenBuckets(double most, double per_second) : most_(most), per_second_(per_second) {}

  /// Takes `wanted` tokens, of which a bucket can hold as many. Nothing if they were there; else none is taken, and it says how long to
  /// wait for them. `key` is a hash: two that share one share its limit.
  std::optional<std::chrono::seconds> take(std::size_t key, Clock::time_point now, double wanted = 1);

 private:
  struct Bucket {
    double tokens;
    Clock::time_point at;
  };
  double tokens_in(const Bucket& bucket, Clock::time_point now) const;
  void make_room(Clock::time_point now);

  const double most_;
  const double per_second_;
  std::mutex mutex_;
  std::unordered_map<std::size_t, Bucket> buckets_;
};

}  // namespace bloomwatch
