// How long a page waits for the position that it is asked to show: RFC 7240's `wait`. Pure parsing.
#pragma once

#include <chrono>
#include <optional>
#include <string_view>

namespace bloomwatch {

inline constexpr std::chrono::milliseconds page_wait_default{2000};
inline constexpr std::chrono::milliseconds page_wait_max{10'000};

/// The `wait` preference of a Prefer header in whole seconds, at most page_wait_max; nothing if there is none or it makes no sense (RFC
/// 7240 §2: then it is ignored).
std::optional<std::chrono::seconds> preferred_wait(std::string_view prefer);

}  // namespace bloomwatch
