// Many short texts, found by how they begin or by how few keystrokes they are away. There is no tree: texts lie in rows by their length and
// by their first byte, and the few rows in which something may be are looked through from end to end, a few instructions a text. For a
// hundred thousand texts that takes some ten microseconds whatever is asked, and a text is added by appending.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace bloomwatch::search {

using TextId = std::uint32_t;

/// What is looked for.
struct Wanted {
  std::string_view text;         ///< not empty
  bool prefix = false;           ///< texts that begin with it
  int distance_max = -1;         ///< also texts so many edits away, at most 2; -1: none, not even itself unless by `prefix`
  int prefix_distance_max = -1;  ///< also texts that begin with something so many edits away
  bool infix = false;            ///< also texts that have it anywhere
};

/// One that was found: how near, in the first of the ways asked for.
struct Near {
  TextId text;
  enum class How : std::uint8_t { begins, differs, begins_and_differs, holds } how;
  int distance;
};

class Texts {
 public:
  static constexpr std::size_t bytes_max = 1000;  ///< of one text

  TextId add(std::string_view text);
  std::size_t size() const { return begins_.size() - 1; }
  std::string_view operator[](TextId id) const { return {bytes_.data() + begins_[id], begins_[id + 1] - begins_[id]}; }
  std::size_t memory() const;

  /// Appends to `found`, each text once, in no order that means anything. `maybe` is room to work in.
  void find(const Wanted& wanted, std::vector<TextId>& maybe, std::vector<Near>& found) const;

 private:
  /// Texts that have something in common, and of each a few bits to sort most of them out by.
  struct Row {
    std::vector<std::uint64_t> bits;
    std::vector<TextId> ids;
  };
  static constexpr std::size_t lengths = 68;  // the last row has all that are longer

  void find_beginnings(const Wanted& wanted, std::vector<TextId>& maybe, std::vector<Near>& found) const;
  void find_similar(const Wanted& wanted, std::vector<TextId>& maybe, std::vector<Near>& found) const;
  void find_parts(const Wanted& wanted, std::vector<TextId>& maybe, std::vector<Near>& found) const;

  std::string bytes_;
  std::vector<std::uint32_t> begins_ = {0};
  std::array<Row, 256> by_first_byte_;  // bits: the first eight bytes, the first in the highest place
  std::array<Row, lengths> by_length_;  // bits: letter_signature
};

}  // namespace bloomwatch::search
