// Pages of history as others take them: NDJSON, a change a line, and CSV (RFC 4180), a change a row. Each page is whole; `Link: next` leads
// to the one after it, and all pages one after another are one file.
#pragma once

#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "query-service/history/items.h"

namespace bloomwatch {

enum class HistoryFormat { json, ndjson, csv };
BOOST_DESCRIBE_ENUM(HistoryFormat, json, ndjson, csv)

/// The format that an Accept header asks for (RFC 9110 §12.5.1, without weights): the first that it names of ours, else JSON.
HistoryFormat format_of_accept(std::string_view accept);
/// Empty for JSON.
std::string_view content_type_of(HistoryFormat format);

std::string ndjson(const std::vector<HistoryItem>& items);
/// `header`: with the line of names, as only the first page of a list has it.
std::string csv(const std::vector<HistoryItem>& items, bool header);

/// One cell. A text that a spreadsheet would take for a formula begins with an apostrophe, so that it is shown and never run (OWASP, CSV
/// injection); what RFC 4180 wants quoted is quoted.
std::string csv_cell(std::string_view text);

}  // namespace bloomwatch
