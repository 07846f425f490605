// Two counts, and the stricter one holds: what we sent within a window, and what AniList says is left of it, others' requests from this
// address included.
#include "query-service/anilist/pace.h"

#include <algorithm>

namespace bloomwatch::anilist {

TimePoint Pace::next() const {
  TimePoint at = not_before_;
  if (!sent_.empty()) at = std::max(at, sent_.back() + options_.spacing_min);
  const auto limit = static_cast<std::size_t>(limit_);
  if (sent_.size() >= limit) at = std::max(at, sent_[sent_.size() - limit] + options_.window);
  if (remaining_holds(at) && *remaining_ <= 0) at = window_ends_;
  return at;
}

void Pace::sent(TimePoint now) {
  sent_.push_back(now);
  while (sent_.size() > static_cast<std::size_t>(limit_)) sent_.pop_front();
  ++in_flight_;
  if (!remaining_holds(now))
    remaining_.reset();
  else
    --*remaining_;
}

void Pace::answered(const RateNews& news, TimePoint now) {
  in_flight_ = std::max(0, in_flight_ - 1);
  if (news.limit && *news.limit > 0) limit_ = std::min(*news.limit, limit_max);
  const std::optional<int> before = remaining_holds(now) ? remaining_ : std::nullopt;
  if (news.remaining) {
    // Those under way may not have been counted yet.
    remaining_ = std::max(0, *news.remaining - in_flight_);
    if (!before || *remaining_ > *before) window_ends_ = now + options_.window;
  }
  if (news.reset_after) window_ends_ = now + std::clamp(*news.reset_after, Milliseconds(0), told_wait_max);
  if (!news.refused) return;
  remaining_ = 0;
  if (!news.remaining && !before && !news.reset_after) window_ends_ = now + options_.window;
  const Milliseconds wait = news.retry_after ? *news.retry_after : news.reset_after ? *news.reset_after : options_.window;
  not_before_ = std::max(not_before_, now + std::clamp(wait, Milliseconds(0), told_wait_max));
  // Told when to come back, one comes back then, even if what is left was counted otherwise.
  if (news.retry_after) window_ends_ = std::min(window_ends_, not_before_);
}

}  // namespace bloomwatch::anilist
