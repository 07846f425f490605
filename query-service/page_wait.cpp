// Reading the `wait` preference.
#include "query-service/page_wait.h"

#include <algorithm>
#include <charconv>
#include <cstdint>

#include "runtime/ascii.h"

namespace bloomwatch {

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
    std::int64_t seconds = 0;
    const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), seconds);
    if (error != std::errc{} || end != value.data() + value.size() || seconds < 0) return std::nullopt;
    return std::min(std::chrono::seconds(seconds), std::chrono::floor<std::chrono::seconds>(page_wait_max));
  }
  return std::nullopt;
}

}  // namespace bloomwatch
