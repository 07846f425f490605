// Token buckets.
#include "runtime/token_buckets.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace bloomwatch {

double TokenBuckets::tokens_in(const Bucket& bucket, Clock::time_point now) const {
  return std::min(most_, bucket.tokens + std::chrono::duration<double>(now - bucket.at).count() * per_second_);
}

void TokenBuckets::make_room(Clock::time_point now) {
  if (buckets_.size() < buckets_max) return;
  std::vector<double> tokens;
  for (const auto& [key, bucket] : buckets_) tokens.push_back(tokens_in(bucket, now));
  const auto middle = tokens.begin() + static_cast<std::ptrdiff_t>(tokens.size() / 2);
  std::ranges::nth_element(tokens, middle);
  std::erase_if(buckets_, [&, least = *middle](const auto& entry) { return tokens_in(entry.second, now) >= least; });
}

std::optional<std::chrono::seconds> TokenBuckets::take(std::size_t key, Clock::time_point now, double wanted) {
  const std::lock_guard lock(mutex_);
  make_room(now);
  Bucket& bucket = buckets_.try_emplace(key, Bucket{most_, now}).first->second;
  bucket = {tokens_in(bucket, now), now};
  if (bucket.tokens < wanted) return std::chrono::seconds(static_cast<std::int64_t>(std::ceil((wanted - bucket.tokens) / per_second_)));
  bucket.tokens -= wanted;
  return std::nullopt;
}

}  // namespace bloomwatch
