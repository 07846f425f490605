// While half-open, `blocked_until_` is when a trial whose outcome never came is given up.
#include "query-service/anilist/breaker.h"

#include <algorithm>

namespace bloomwatch::anilist {

bool Breaker::take(TimePoint now) {
  if (!would_take(now)) return false;
  if (state_ == State::closed) return true;
  state_ = State::half_open;
  blocked_until_ = now + options_.open_for;
  return true;
}

void Breaker::succeeded() {
  state_ = State::closed;
  failures_ = 0;
  openings_ = 0;
}

void Breaker::failed(TimePoint now, bool down) {
  ++failures_;
  if (state_ == State::open) return;  // sent before it opened
  if (state_ == State::half_open || down || failures_ >= options_.failures_max) open(now);
}

void Breaker::undecided() {
  if (state_ == State::half_open) blocked_until_ = {};
}

void Breaker::open(TimePoint now) {
  state_ = State::open;
  blocked_until_ = now + options_.open_for * (1 << std::min(openings_, options_.open_for_doublings_max));
  ++openings_;
}

}  // namespace bloomwatch::anilist
