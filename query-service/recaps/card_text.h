// Other people's texts made fit for a picture: one line, nothing that would turn or cover what stands beside it, not longer than anybody
// reads. What a picture's own words are written around is isolated from them.
#pragma once

#include <string>
#include <string_view>

namespace bloomwatch {

/// Longest text that is laid out at all, in code points; what is beyond is cut with an ellipsis.
inline constexpr std::size_t card_text_length_max = 200;
/// Marks that may stand above or below one letter; more are left out.
inline constexpr std::size_t card_marks_max = 3;

/// Without control characters, line breaks, marks of direction and other invisible things; runs of white space become one space.
/// Broken UTF-8 becomes U+FFFD.
std::string fit_for_card(std::string_view text);

/// Between marks that keep its direction to itself (U+2068 … U+2069), to be put amid other words.
std::string isolated(std::string_view text);

/// `&`, `<`, `>`, quotes escaped, for text in XML.
std::string escape_xml(std::string_view text);

}  // namespace bloomwatch
