// Said no more often than somebody can read it: to write a line costs more than the work between two of them.
#include "ops/operator/progress.h"

#include <fmt/core.h>
#include <unistd.h>

#include <string>

namespace bloomwatch::ops {

using namespace std::chrono_literals;

void Progress::show(std::string_view what, std::int64_t done, std::int64_t all) {
  const bool terminal = isatty(STDERR_FILENO) != 0;
  if (!terminal && elsewhere_ == Elsewhere::nothing) return;
  const auto now = std::chrono::steady_clock::now();
  if (done != all && now - shown_ < (terminal ? 100ms : 2000ms)) return;
  shown_ = now;
  const std::string share = all == 0 ? "" : fmt::format(" of {} ({} %)", all, done * 100 / all);
  fmt::print(stderr, "{}{} {}{}{}", terminal ? "\r" : "", what, done, share, terminal ? "\033[K" : "\n");
  open_ = terminal;
}

void Progress::clear() {
  if (open_) fmt::print(stderr, "\r\033[K");
  open_ = false;
}

}  // namespace bloomwatch::ops
