// Normal forms of texts that are searched for.
#include "query-service/anilist/search_text.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "runtime/ascii.h"

namespace bloomwatch::anilist {
namespace {

/// The bytes of the white space that the text begins with; 0 if it begins with something else. The ideographic space is what Japanese
/// keyboards type.
std::size_t space_at(std::string_view text) {
  if (text.front() == ' ' || text.front() == '\t' || text.front() == '\n' || text.front() == '\r') return 1;
  if (text.starts_with("\u00a0")) return 2;
  if (text.starts_with("\u3000")) return 3;
  return 0;
}

bool is_control(char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }

bool begins_character(char c) { return (static_cast<unsigned char>(c) & 0xc0U) != 0x80U; }

}  // namespace

std::expected<SearchText, std::string> SearchText::from(const Wire& wire) {
  SearchText text;
  bool space = false;
  for (std::string_view rest = wire; !rest.empty();) {
    if (const std::size_t bytes = space_at(rest)) {
      space = !text.text_.empty();
      rest.remove_prefix(bytes);
      continue;
    }
    if (is_control(rest.front())) return std::unexpected("must be one line without control characters");
    if (std::exchange(space, false)) text.text_ += ' ';
    text.text_ += rest.front();
    rest.remove_prefix(1);
  }
  if (text.text_.empty()) return std::unexpected("must not be blank");
  if (static_cast<std::size_t>(std::ranges::count_if(text.text_, begins_character)) > length_max)
    return std::unexpected("must have at most " + std::to_string(length_max) + " characters");
  return text;
}

std::string SearchText::key() const { return ascii::lower_case(text_); }

}  // namespace bloomwatch::anilist
