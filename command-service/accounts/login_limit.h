// How often somebody may try passwords: a bucket for each e-mail address, each network address and each pair of them, filled again as time
// goes by.
// It slows guessing down; the cost of Argon2id and the bounded pool protect the machine.
#pragma once

#include <optional>
#include <string_view>

#include "runtime/token_buckets.h"

namespace bloomwatch::accounts {

/// Safe from all threads, and bounded as its buckets are.
class LoginLimit {
 public:
  using Clock = TokenBuckets::Clock;
  static constexpr double attempts_per_pair_max = 20;
  static constexpr double attempts_per_email_max = 60;
  static constexpr double attempts_per_peer_max = 128;  ///< half of those that wait for a thread: one address leaves room to others
  static constexpr double pair_refill_per_second = 0.2;
  static constexpr double email_refill_per_second = 0.5;
  static constexpr double peer_refill_per_second = 20;

  /// Takes one attempt of each. Nothing if it may be made; else how long to wait.
  std::optional<std::chrono::seconds> take(std::string_view email, std::string_view peer, Clock::time_point now);

 private:
  TokenBuckets by_pair_{attempts_per_pair_max, pair_refill_per_second};
  TokenBuckets by_email_{attempts_per_email_max, email_refill_per_second};
  TokenBuckets by_peer_{attempts_per_peer_max, peer_refill_per_second};
};

}  // namespace bloomwatch::accounts
