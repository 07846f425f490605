// Records of a CSV file (RFC 4180), strictly: a quote opens a field only at its beginning, inside it is doubled, and nothing follows the
// one that closes it. What breaks this is one bad record; reading goes on with the next line. Pure but for the source that it reads.
#pragma once

#include <cstddef>
#include <expected>
#include <optional>
#include <string>
#include <vector>

#include "command-service/catalog/byte_source.h"

namespace bloomwatch::catalog {

using CsvRecord = std::vector<std::string>;

class CsvReader {
 public:
  /// `source` outlives it. A record has at most `bytes_max`.
  CsvReader(ByteSource& source, std::size_t bytes_max) : source_(source), record_bytes_max_(bytes_max) {}

  /// The next record, or what is wrong with it; nothing at the end. Empty lines are passed over.
  std::optional<std::expected<CsvRecord, std::string>> next();

 private:
  ByteSource& source_;
  const std::size_t record_bytes_max_;
  std::string line_;
};

}  // namespace bloomwatch::catalog
