// Texts of tracking, sealed under the key of who writes them.
#pragma once

#include <optional>
#include <string>

#include "command-service/decision.h"

namespace bloomwatch::tracking {

/// `text` is any text type of values.h; none: cleared.
template <class T>
std::optional<Personal> sealed(const Actor& by, const std::optional<T>& text) {
  if (!text) return std::nullopt;
  return by.seal(text->text());
}

}  // namespace bloomwatch::tracking
