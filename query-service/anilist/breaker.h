// A circuit breaker: who is down is left alone, and asked once in a while whether it is back. A value: it reads no clock.
// closed: all may ask. open: nobody, for a time that doubles while trials fail. half-open: one trial at a time.
#pragma once

#include <optional>

#include "query-service/anilist/pace.h"

namespace bloomwatch::anilist {

/// Not safe from several threads. Each `take` that said yes is followed by `succeeded`, `failed` or `undecided`; if none comes, another
/// trial is let through after a while.
class Breaker {
 public:
  enum class State { closed, open, half_open };
  struct Options {
    int failures_max = 5;            ///< in a row; then it opens
    Milliseconds open_for{30'000};   ///< the first time
    int open_for_doublings_max = 5;  ///< so at most 32 times as long
  };

  explicit Breaker(Options options) : options_(options) {}

  /// Whether a request may go now; if it is a trial, others may not until its outcome is told.
  bool take(TimePoint now);
  /// Whether `take` would say yes.
  bool would_take(TimePoint now) const { return now >= closed_until(); }
  void succeeded();
  /// `down`: the answer itself says that there is no service, so no more failures are waited for.
  void failed(TimePoint now, bool down);
  /// It answered, and said nothing of how it is: a trial that is refused for its rate, one that was called off.
  void undecided();

  State state() const { return state_; }
  /// When it lets the next request through; in the past: now.
  TimePoint closed_until() const { return state_ == State::closed ? TimePoint{} : blocked_until_; }

 private:
  void open(TimePoint now);

  Options options_;
  State state_ = State::closed;
  int failures_ = 0;  ///< in a row
  int openings_ = 0;  ///< in a row
  TimePoint blocked_until_ = {};
};

}  // namespace bloomwatch::anilist
