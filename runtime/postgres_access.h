// What postgres.cpp, postgres_pipeline.cpp and events/log_append.cpp share of libpq: parameters in its form, and errors from it.
// Not for others: it needs libpq's header.
#pragma once

#include <libpq-fe.h>

#include <cstdint>
#include <vector>

#include "runtime/postgres.h"

namespace bloomwatch::pg {

/// The arrays that libpq wants; views into the Params, valid while they live unchanged.
struct ParamsAccess {
  explicit ParamsAccess(const Params& params);
  int count;
  const std::uint32_t* types;
  const int* lengths;
  std::vector<const char*> values;
  std::vector<int> formats;
};

Error error_of(const PGresult* result, const PGconn* connection);
Error lost(const PGconn* connection);

}  // namespace bloomwatch::pg
