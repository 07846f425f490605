// Line by line: a record goes on in the next line only where a quote is open.
#include "command-service/catalog/csv.h"

#include <fmt/format.h>

namespace bloomwatch::catalog {
namespace {

enum class At { field_begins, plain, quoted, quote_closed };

/// Takes one line into the record. Says what is wrong with it, if something is.
std::optional<std::string> take_line(std::string_view line, At& at, CsvRecord& record) {
  for (const char c : line) {
    switch (at) {
      case At::field_begins:
        record.emplace_back();
        at = c == '"' ? At::quoted : At::plain;
        if (at == At::plain) {
          if (c == ',')
            at = At::field_begins;
          else
            record.back() += c;
        }
        break;
      case At::plain:
        if (c == ',')
          at = At::field_begins;
        else if (c == '"')
          return "a quote stands within a field that has none around it";
        else
          record.back() += c;
        break;
      case At::quoted:
        if (c == '"')
          at = At::quote_closed;
        else
          record.back() += c;
        break;
      case At::quote_closed:
        if (c == ',') {
          at = At::field_begins;
        } else if (c == '"') {
          record.back() += '"';
          at = At::quoted;
        } else {
          return "something follows a closing quote";
        }
        break;
    }
  }
  return std::nullopt;
}

}  // namespace

std::optional<std::expected<CsvRecord, std::string>> CsvReader::next() {
  CsvRecord record;
  At at = At::field_begins;
  std::size_t bytes = 0;
  while (true) {
    const ByteSource::Line got = source_.next_line(line_, record_bytes_max_);
    if (got == ByteSource::Line::end) {
      if (bytes == 0 && record.empty()) return std::nullopt;
      return std::unexpected("the file ends within a quoted field");
    }
    if (got == ByteSource::Line::too_long) return std::unexpected(fmt::format("the line is longer than {} KiB", record_bytes_max_ >> 10));
    if (record.empty() && line_.empty()) continue;
    bytes += line_.size() + 1;
    if (bytes > record_bytes_max_) return std::unexpected(fmt::format("the record is longer than {} KiB", record_bytes_max_ >> 10));
    if (auto wrong = take_line(line_, at, record)) return std::unexpected(std::move(*wrong));
    if (at != At::quoted) break;
    record.back() += '\n';
  }
  if (at == At::field_begins) record.emplace_back();
  return record;
}

}  // namespace bloomwatch::catalog
