// Position tokens: how a client says which of its changes a page must show. `<epoch>.<position>`, or a bare position of the present epoch.
// Commands answer them, queries wait for them. Pure parsing.
#pragma once

#include <expected>
#include <string>

#include "events/ids.h"

namespace bloomwatch {

/// A place in the log, and in which of its lives. No epoch: the present one.
struct PositionToken {
  std::string epoch = {};  ///< eight lower-case hex digits, or empty
  Position position = 0;   ///< ≥ 0

  using Wire = std::string;
  /// Either form; what is wrong, if it is neither.
  static std::expected<PositionToken, std::string> from(const Wire& text);
  Wire wire() const;
  bool operator==(const PositionToken&) const = default;
};

}  // namespace bloomwatch
