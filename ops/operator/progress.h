// How far long work is, on standard error: on a terminal one line that is written over, and gone at the end; elsewhere nothing, or a line
// now and then.
#pragma once

#include <chrono>
#include <cstdint>
#include <string_view>

namespace bloomwatch::ops {

class Progress {
 public:
  enum class Elsewhere { nothing, lines };
  explicit Progress(Elsewhere elsewhere = Elsewhere::nothing) : elsewhere_(elsewhere) {}
  ~Progress() { clear(); }
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  /// Says `what done of all`, unless it said so a moment ago and there is more to do. `all` is 0 where nobody knows it.
  void show(std::string_view what, std::int64_t done, std::int64_t all);
  /// Takes the terminal's line away, before something else is said.
  void clear();

 private:
  Elsewhere elsewhere_;
  std::chrono::steady_clock::time_point shown_ = {};
  bool open_ = false;
};

}  // namespace bloomwatch::ops
