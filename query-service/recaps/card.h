// A recap as a picture to share: 1080 × 1350, in one of two themes, as SVG or as PNG. Drawn with Pango and cairo: text is measured, shaped
// and put into outlines here, so that the picture looks the same everywhere and holds no text that anything could take for markup.
// Costs tens of milliseconds: never on a thread that answers requests. Safe from several threads at once.
#pragma once

#include <boost/describe.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace bloomwatch {

inline constexpr int card_width = 1080;
inline constexpr int card_height = 1350;
/// How many of each a card has room for.
inline constexpr std::size_t card_titles_max = 3;
inline constexpr std::size_t card_members_max = 4;

enum class CardTheme { pastel, dark };
BOOST_DESCRIBE_ENUM(CardTheme, pastel, dark)
enum class CardFormat { svg, png };

/// What a card says, in words. Names and titles are as people wrote them; drawing makes them fit.
struct RecapCard {
  /// Something with a number: a title and its score, a member and their episodes.
  struct Line {
    std::string text;
    std::string value;
  };
  /// One fact in a box: `41 days` below `Longest streak`.
  struct Fact {
    std::string label;
    std::string value;
    std::string note = {};  ///< a title, a date
  };

  std::string name;           ///< of the person or the space
  std::string caption;        ///< Recap, Our recap
  std::string period;         ///< November 2026
  std::vector<Line> numbers;  ///< at most three: `212` episodes
  std::string titles_label;   ///< Best rated
  std::vector<Line> titles;
  std::vector<Fact> facts;      ///< in pairs; more than four are left out
  std::vector<Line> members;    ///< those who agreed to be shown
  std::string empty_note = {};  ///< in place of all below the numbers, where there is nothing to tell
};

/// The whole file.
std::string draw_card(const RecapCard& card, CardTheme theme, CardFormat format);

}  // namespace bloomwatch
