// How fast AniList may be asked: its budget of requests a minute as its answers tell it, and what is assumed where they tell nothing.
// A value: it reads no clock. Source: AniList's documentation says 90 a minute, 30 are in force, a burst limiter comes on top; so what the
// headers say counts, and after a 429 without any the whole window is waited for.
#pragma once

#include <chrono>
#include <deque>
#include <optional>

namespace bloomwatch::anilist {

using TimePoint = std::chrono::steady_clock::time_point;
using Milliseconds = std::chrono::milliseconds;

/// What the headers of an answer say of the budget.
struct RateNews {
  std::optional<int> limit = {};                 ///< X-RateLimit-Limit
  std::optional<int> remaining = {};             ///< X-RateLimit-Remaining
  std::optional<Milliseconds> reset_after = {};  ///< until X-RateLimit-Reset
  std::optional<Milliseconds> retry_after = {};  ///< Retry-After
  bool refused = false;                          ///< the answer was a 429
};

/// Not safe from several threads. Before each request: wait until `next`, then `sent`; after each, `answered`, whatever came.
class Pace {
 public:
  struct Options {
    int limit_assumed = 30;         ///< a window, until an answer says otherwise
    Milliseconds window{60'000};    ///< the budget's
    Milliseconds spacing_min{200};  ///< between two requests: the burst limiter
  };
  static constexpr int limit_max = 1000;                   ///< no answer is believed beyond it
  static constexpr Milliseconds told_wait_max{3'600'000};  ///< a longer Retry-After is cut

  explicit Pace(Options options) : options_(options), limit_(options.limit_assumed) {}

  /// The earliest time at which the next request may go; in the past: now.
  TimePoint next() const;
  void sent(TimePoint now);
  void answered(const RateNews& news, TimePoint now);

 private:
  bool remaining_holds(TimePoint at) const { return remaining_ && at < window_ends_; }

  Options options_;
  int limit_;
  std::deque<TimePoint> sent_;  ///< at most limit_, the latest
  int in_flight_ = 0;
  std::optional<int> remaining_ = {};  ///< told, less what was sent since; until window_ends_
  TimePoint window_ends_ = {};
  TimePoint not_before_ = {};  ///< told to wait
};

}  // namespace bloomwatch::anilist
