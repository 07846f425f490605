// UTF-8 checks: short ASCII at once, the rest by simdjson.
#include "runtime/utf8.h"

#include <simdjson.h>

#include <algorithm>

namespace bloomwatch {

bool is_utf8(std::string_view bytes) {
  constexpr std::size_t short_bytes_max = 64;
  if (bytes.size() <= short_bytes_max &&
      std::none_of(bytes.begin(), bytes.end(), [](char c) { return static_cast<unsigned char>(c) >= 0x80; }))
    return true;
  return simdjson::validate_utf8(bytes.data(), bytes.size());
}

}  // namespace bloomwatch
