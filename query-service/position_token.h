// Position tokens: how a client says which of its changes a page must show. `<epoch>.<position>`, or a bare position of the present epoch.
// Also RFC 7240's `wait`, which says how long the page may take to get there. Pure parsing.
#pragma once

#include <chrono>
#include <expected>
#include <optional>
#include <string>
#include <string_view>

#include "events/ids.h"

namespace bloomwatch {

/// What `?atLeast=` asks for. No epoch: the present one.
struct PositionToken {
  std::string epoch = {};  ///< eight lower-case hex digits, or empty
  Position position = 0;   ///< ≥ 0

  using Wire = std::string;
  /// Either form; what is wrong, if it is neither.
  static std::expected<PositionToken, std::string> from(const Wire& text);
  Wire wire() const;
  bool operator==(const PositionToken&) const = default;
};

inline constexpr std::chrono::milliseconds page_wait_default{2000};
inline constexpr std::chrono::milliseconds page_wait_max{10'000};

/// The `wait` preference of a Prefer header in whole seconds, at most page_wait_max; nothing if there is none or it makes no sense (RFC
/// 7240 §2: then it is ignored).
std::optional<std::chrono::seconds> preferred_wait(std::string_view prefer);

}  // namespace bloomwatch
