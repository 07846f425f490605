// Reading and writing position tokens.
#include "events/position_token.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <string_view>

#include "runtime/ascii.h"

namespace bloomwatch {
namespace {

constexpr std::size_t epoch_digits = 8;

bool is_epoch(std::string_view text) {
  return text.size() == epoch_digits && std::ranges::all_of(text, [](char c) { return ascii::is_digit(c) || (c >= 'a' && c <= 'f'); });
}

std::optional<Position> parse_position(std::string_view text) {
  Position position = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), position);
  const bool canonical = text == "0" || !text.starts_with('0');
  if (error != std::errc{} || end != text.data() + text.size() || position < 0 || !canonical) return std::nullopt;
  return position;
}

}  // namespace

std::expected<PositionToken, std::string> PositionToken::from(const Wire& text) {
  PositionToken token;
  std::string_view number = text;
  if (const auto dot = number.find('.'); dot != std::string_view::npos) {
    token.epoch = number.substr(0, dot);
    number.remove_prefix(dot + 1);
    if (!is_epoch(token.epoch)) return std::unexpected("must be <epoch>.<position> or a position, as a command answered it");
  }
  const auto position = parse_position(number);
  if (!position) return std::unexpected("must be <epoch>.<position> or a position, as a command answered it");
  token.position = *position;
  return token;
}

PositionToken::Wire PositionToken::wire() const {
  return epoch.empty() ? std::to_string(position) : epoch + '.' + std::to_string(position);
}

}  // namespace bloomwatch
