// How much somebody may ask to be shown at once.
#pragma once

#include <cstdint>
#include <expected>
#include <string>

namespace bloomwatch {

/// How much a page shows at most, from 1 to `most`, and `usual` where nothing is said. More is refused and never cut down in silence.
template <std::int64_t most, std::int64_t usual>
struct Limit {
  std::int64_t value = usual;

  using Wire = std::int64_t;
  static std::expected<Limit, std::string> from(Wire wire) {
    if (wire < 1 || wire > most) return std::unexpected("must be a whole number from 1 to " + std::to_string(most));
    return Limit{wire};
  }
  Wire wire() const { return value; }
};

}  // namespace bloomwatch
