// What must hold or the process must not go on: our own bug, or a corrupt log. On in production.
#pragma once

#include <source_location>
#include <string_view>

namespace bloomwatch {

/// Stops the process with `why` and the place on standard error. Never returns.
[[noreturn]] void invariant_failed(std::string_view why, std::source_location where);

/// Stops the process unless `condition` holds; `why` says what would be broken.
inline void invariant(bool condition, std::string_view why, std::source_location where = std::source_location::current()) {
  if (!condition) [[unlikely]]
    invariant_failed(why, where);
}

}  // namespace bloomwatch
