// Stopping at a broken invariant.
#include "runtime/invariant.h"

#include <cstdio>
#include <cstdlib>

namespace bloomwatch {

void invariant_failed(std::string_view why, std::source_location where) {
  std::fprintf(stderr, "invariant broken: %.*s (%s:%u)\n", static_cast<int>(why.size()), why.data(), where.file_name(), where.line());
  std::abort();
}

}  // namespace bloomwatch
