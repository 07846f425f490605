// Lines of JSON and of cells.
#include "query-service/history/export.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>

#include "runtime/ascii.h"
#include "runtime/json.h"

namespace bloomwatch {
namespace {

constexpr std::string_view ndjson_type = "application/x-ndjson";
constexpr std::string_view csv_type = "text/csv";

constexpr std::string_view csv_header =
    "position,at,userId,displayName,origin,provider,reference,type,field,watchSpaceId,watchSpace,animeId,preferredTitle,sessionId,titleId,"
    "personId,person,before,after,summary,forgotten,change,undoes,undoneBy\r\n";

/// One line of cells; what is absent is an empty one.
class CsvLine {
 public:
  explicit CsvLine(std::string& out) : out_(out) {}

  CsvLine& add(std::string_view text) {
    if (!first_) out_ += ',';
    first_ = false;
    out_ += csv_cell(text);
    return *this;
  }
  template <class T>
  CsvLine& add(const std::optional<T>& value) {
    return value ? add(*value) : add(std::string_view());
  }
  CsvLine& add(Position value) { return add(std::string_view(std::to_string(value))); }
  template <class Tag>
  CsvLine& add(const Id<Tag>& id) {
    return add(std::string_view(id.to_string()));
  }
  CsvLine& add_person(const std::optional<HistoryPerson>& person) {
    if (!person) return add(std::string_view()).add(std::string_view());
    return add(person->user_id).add(person->display_name);
  }
  void end() { out_ += "\r\n"; }

 private:
  std::string& out_;
  bool first_ = true;
};

void add_line(std::string& out, const HistoryItem& item) {
  CsvLine line(out);
  line.add(item.position).add(std::string_view(to_rfc3339(item.at))).add_person(item.by);
  line.add(item.origin.kind).add(item.origin.provider).add(item.origin.reference).add(item.type).add(item.field);
  const HistorySubject& subject = item.subject;
  line.add(subject.watch_space ? std::optional(subject.watch_space->id) : std::nullopt);
  line.add(subject.watch_space ? subject.watch_space->name : std::nullopt);
  line.add(subject.anime ? std::optional(subject.anime->id) : std::nullopt);
  line.add(subject.anime ? subject.anime->preferred_title : subject.title ? subject.title->preferred_title : std::nullopt);
  line.add(subject.session).add(subject.title ? std::optional(subject.title->id) : std::nullopt);
  line.add_person(subject.person).add(std::string_view(item.before.text)).add(std::string_view(item.after.text));
  line.add(std::string_view(item.summary)).add(std::string_view(item.forgotten ? "true" : "false"));
  line.add(item.change).add(item.undoes).add(item.undone_by).end();
}

std::optional<HistoryFormat> format_of_type(std::string_view type) {
  if (ascii::same_ignoring_case(type, ndjson_type)) return HistoryFormat::ndjson;
  if (ascii::same_ignoring_case(type, csv_type)) return HistoryFormat::csv;
  for (const char* json : {"application/json", "application/*", "*/*"})
    if (ascii::same_ignoring_case(type, json)) return HistoryFormat::json;
  return std::nullopt;
}

/// The weight of a media range (RFC 9110 §12.4.2): 1 where nothing is said, 0 where it is no number.
double quality_of(std::string_view range) {
  for (std::size_t at = range.find(';'); at != std::string_view::npos; at = range.find(';', at + 1)) {
    const std::string_view parameter = ascii::trimmed(range.substr(at + 1, range.find(';', at + 1) - at - 1));
    if (parameter.size() < 2 || ascii::lower(parameter.front()) != 'q' || parameter[1] != '=') continue;
    double quality = 0;
    std::from_chars(parameter.data() + 2, parameter.data() + parameter.size(), quality);
    return quality;
  }
  return 1;
}

}  // namespace

HistoryFormat format_of_accept(std::string_view accept) {
  HistoryFormat best = HistoryFormat::json;
  double best_quality = 0;
  while (!accept.empty()) {
    const std::string_view range = accept.substr(0, accept.find(','));
    accept.remove_prefix(std::min(range.size() + 1, accept.size()));
    const auto format = format_of_type(ascii::trimmed(range.substr(0, range.find(';'))));
    const double quality = quality_of(range);
    if (!format || quality <= best_quality) continue;
    best = *format;
    best_quality = quality;
  }
  return best;
}

std::string_view content_type_of(HistoryFormat format) {
  if (format == HistoryFormat::json) return {};
  return format == HistoryFormat::ndjson ? ndjson_type : "text/csv; charset=utf-8";
}

std::string ndjson(const std::vector<HistoryItem>& items) {
  std::string out;
  for (const HistoryItem& item : items) {
    json::write(out, item);
    out += '\n';
  }
  return out;
}

std::string csv(const std::vector<HistoryItem>& items, bool header) {
  std::string out;
  if (header) out += csv_header;
  for (const HistoryItem& item : items) add_line(out, item);
  return out;
}

std::string csv_cell(std::string_view text) {
  constexpr std::string_view formula_begins = "=+-@\t\r";
  constexpr std::string_view needs_quotes = ",\"\r\n";
  const bool formula = !text.empty() && formula_begins.find(text.front()) != std::string_view::npos;
  if (!formula && text.find_first_of(needs_quotes) == std::string_view::npos) return std::string(text);
  std::string cell = "\"";
  if (formula) cell += '\'';
  for (const char c : text) {
    if (c == '"') cell += '"';
    cell += c;
  }
  return cell + '"';
}

}  // namespace bloomwatch
