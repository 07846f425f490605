// Token buckets.
#include "command-service/accounts/login_limit.h"

#include <algorithm>
#include <cmath>
#include <functional>

namespace bloomwatch::accounts {

double LoginLimit::filled(const Bucket& bucket, double most, double per_second, Clock::time_point now) {
  return std::min(most, bucket.attempts + std::chrono::duration<double>(now - bucket.at).count() * per_second);
}

void LoginLimit::make_room(Clock::time_point now) {
  if (buckets_.size() < buckets_max) return;
  // By then even the slowest bucket is full.
  const std::chrono::duration<double> full(attempts_per_email_max / email_refill_per_second);
  std::erase_if(buckets_, [&](const auto& entry) { return now - entry.second.at > full; });
  if (buckets_.size() >= buckets_max) buckets_.clear();
}

std::optional<std::chrono::seconds> LoginLimit::take(std::size_t key, double most, double per_second, Clock::time_point now) {
  auto& bucket = buckets_.try_emplace(key, Bucket{most, now}).first->second;
  bucket = {filled(bucket, most, per_second, now), now};
  if (bucket.attempts < 1) return std::chrono::seconds(static_cast<std::int64_t>(std::ceil((1 - bucket.attempts) / per_second)));
  bucket.attempts -= 1;
  return std::nullopt;
}

std::optional<std::chrono::seconds> LoginLimit::take(std::string_view email, std::string_view peer, Clock::time_point now) {
  const std::hash<std::string_view> hash;
  const std::lock_guard lock(mutex_);
  make_room(now);
  if (const auto wait = take(hash(peer) * 2, attempts_per_peer_max, peer_refill_per_second, now)) return wait;
  return take(hash(email) * 2 + 1, attempts_per_email_max, email_refill_per_second, now);
}

}  // namespace bloomwatch::accounts
