// Parsing of position tokens and of the `wait` preference.
#include "query-service/position_token.h"

#include <algorithm>
#include <charconv>

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

std::optional<std::chrono::seconds> preferred_wait(std::string_view prefer) {
  while (!prefer.empty()) {
    const auto comma = prefer.find(',');
    std::string_view preference = prefer.substr(0, comma);
    prefer = comma == std::string_view::npos ? std::string_view{} : prefer.substr(comma + 1);
    preference = ascii::trimmed(preference.substr(0, preference.find(';')));
    const auto equals = preference.find('=');
    if (equals == std::string_view::npos || !ascii::same_ignoring_case(ascii::trimmed(preference.substr(0, equals)), "wait")) continue;
    std::string_view value = ascii::trimmed(preference.substr(equals + 1));
    if (value.size() >= 2 && value.starts_with('"') && value.ends_with('"')) value = value.substr(1, value.size() - 2);
    const auto seconds = parse_position(value);
    if (!seconds) return std::nullopt;
    return std::min(std::chrono::seconds(std::min<Position>(*seconds, 3600)),
                    std::chrono::duration_cast<std::chrono::seconds>(page_wait_max));
  }
  return std::nullopt;
}

}  // namespace bloomwatch
