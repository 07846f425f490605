// Whether bytes are UTF-8 (RFC 3629: no surrogates, nothing overlong): what comes in as text is text before anything else sees it.
// Backed by simdjson's validator; no allocation.
#pragma once

#include <string_view>

namespace bloomwatch {

bool is_utf8(std::string_view bytes);

}  // namespace bloomwatch
