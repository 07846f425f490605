// How many keystrokes two short texts are apart: insertions, deletions, substitutions and swaps of neighbours, no byte changed twice
// ("optimal string alignment"), for one pattern against many texts. Bit-parallel: a text costs a dozen operations a byte.
// Source: H. Hyyrö, "A bit-vector algorithm for computing Levenshtein and Damerau edit distances", 2003.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace bloomwatch::search {

class EditPattern {
 public:
  static constexpr std::size_t bytes_max = 64;

  /// 1 to bytes_max bytes.
  explicit EditPattern(std::string_view pattern)
      : size_(static_cast<int>(pattern.size())), last_(std::uint64_t{1} << (pattern.size() - 1)) {
    for (std::size_t i = 0; i < pattern.size(); ++i) places_[static_cast<unsigned char>(pattern[i])] |= std::uint64_t{1} << i;
  }

  struct Distance {
    int whole;   ///< to the text
    int prefix;  ///< to the nearest prefix of the text, which may be empty
  };

  Distance to(std::string_view text) const {
    std::uint64_t up = ~std::uint64_t{0}, down = 0, diagonal = 0, places_before = 0;
    Distance distance{size_, size_};
    for (const char c : text) {
      const std::uint64_t places = places_[static_cast<unsigned char>(c)];
      const std::uint64_t swapped = ((~diagonal & places) << 1) & places_before;
      diagonal = ((((places & up) + up) ^ up) | places | down) | swapped;
      std::uint64_t right = down | ~(diagonal | up);
      std::uint64_t left = diagonal & up;
      if (right & last_) ++distance.whole;
      if (left & last_) --distance.whole;
      right = (right << 1) | 1;
      left <<= 1;
      up = left | ~(diagonal | right);
      down = right & diagonal;
      places_before = places;
      distance.prefix = std::min(distance.prefix, distance.whole);
    }
    return distance;
  }

 private:
  std::array<std::uint64_t, 256> places_ = {};
  int size_;
  std::uint64_t last_;
};

/// What a text is made of, in 64 bits: which letters it has, which twice, which digits. One edit changes at most two bits of it, so texts
/// whose signatures differ in more than 2k bits are more than k edits apart.
inline std::uint64_t letter_signature(std::string_view text) {
  std::uint64_t signature = 0;
  for (const char c : text) {
    if (c >= 'a' && c <= 'z') {
      const std::uint64_t once = std::uint64_t{1} << (c - 'a');
      signature |= signature & once ? once << 26 : once;
    } else if (c >= '0' && c <= '9') {
      signature |= std::uint64_t{1} << (52 + c - '0');
    } else {
      signature |= std::uint64_t{1} << (62 + (c & 1));
    }
  }
  return signature;
}

}  // namespace bloomwatch::search
