// Token buckets.
#include "runtime/token_buckets.h"

#include <algorithm>
#include <cmath>
#include <cstdint>

namespace bloomwatch {

void TokenBuckets::make_room(Clock::time_point now) {
  if (buckets_.size() < buckets_max) return;
  const std::chrono::duration<double> full(most_ / per_second_);
  std::erase_if(buckets_, [&](const auto& entry) { return now - entry.second.at > full; });
  if (buckets_.size() >= buckets_max) buckets_.clear();
}

std::optional<std::chrono::seconds> TokenBuckets::take(std::size_t key, Clock::time_point now) {
  const std::lock_guard lock(mutex_);
  make_room(now);
  Bucket& bucket = buckets_.try_emplace(key, Bucket{most_, now}).first->second;
  const double elapsed = std::chrono::duration<double>(now - bucket.at).count();
  bucket = {std::min(most_, bucket.tokens + elapsed * per_second_), now};
  if (bucket.tokens < 1) return std::chrono::seconds(static_cast<std::int64_t>(std::ceil((1 - bucket.tokens) / per_second_)));
  bucket.tokens -= 1;
  return std::nullopt;
}

}  // namespace bloomwatch
