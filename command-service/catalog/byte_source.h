// The bytes of a catalogue's file, plain or zstd by its first bytes, piece by piece and never more than a bound: what a small file inflates
// to is nobody's to say but ours. A byte order mark before all else is left out. Lines are given one by one; one that is too long is passed
// over, not kept.
#pragma once

#include <cstddef>
#include <istream>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>

namespace bloomwatch::catalog {

/// The file as a whole cannot be read, and why, in words for whoever sent it.
struct UnreadableFile : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// For one thread. Throws UnreadableFile: too large, damaged, cut off. `in` outlives it.
class ByteSource {
 public:
  ByteSource(std::istream& in, std::size_t bytes_max);
  ~ByteSource();
  ByteSource(const ByteSource&) = delete;
  ByteSource& operator=(const ByteSource&) = delete;

  enum class Line { whole, too_long, end };
  /// The next line, without its end (LF or CR LF). `too_long`: it had more than `bytes_max`, and `line` begins with them.
  Line next_line(std::string& line, std::size_t bytes_max);
  /// All that is left, appended to `into`.
  void read_rest(std::string& into);
  /// At the next byte without taking it; nothing at the end.
  std::string_view peek();
  void skip(std::size_t bytes) { at_ += bytes; }

 private:
  bool fill();

  struct Inflating;
  std::istream& in_;
  const std::size_t bytes_max_;
  std::string raw_;
  std::string piece_;
  std::size_t at_ = 0;
  std::size_t inflated_ = 0;
  std::unique_ptr<Inflating> zstd_;
  bool looked_ = false;
};

}  // namespace bloomwatch::catalog
