// Telling formats apart, reading rows, and what is wrong with a file as a whole.
#include "command-service/catalog/catalog_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <map>
#include <unordered_map>

#include "command-service/catalog/csv.h"
#include "command-service/catalog/offline_database.h"
#include "command-service/sync/mal_export.h"
#include "events/title_sources.h"
#include "runtime/ascii.h"
#include "runtime/json.h"
#include "runtime/utf8.h"

namespace bloomwatch::catalog {
namespace {

constexpr std::size_t progress_every = 1000;

/// Takes rows as they are read: each becomes a title or a remark.
class Rows {
 public:
  Rows(CatalogFile& file, const ReadOptions& options) : file_(file), options_(options) {}

  void take(std::expected<TitleEntry, std::string> entry) {
    const std::size_t row = ++file_.rows;
    if (options_.progress && row % progress_every == 0) options_.progress(row);
    if (!entry) return skip(row, std::move(entry.error()));
    std::vector<std::string> remarks;
    if (!check(*entry, remarks)) return skip(row, remarks.empty() ? "it has no name or no reference" : remarks.front());
    if (!take_references(*entry, row, remarks)) return;
    if (file_.titles.size() == titles_max) throw UnreadableFile(fmt::format("the file has more than {} titles", titles_max));
    file_.titles.push_back({row, std::move(*entry)});
    for (std::string& reason : remarks) remark({row, std::move(reason), true});
  }

  /// Whether the file is worth anything.
  void finish() const {
    const std::size_t bad = bad_ + duplicates_;
    if (bad_ > bad_rows_free && static_cast<double>(bad_) > options_.bad_rows_share * static_cast<double>(file_.rows)) {
      const RowRemark& first = *std::ranges::find(file_.remarks, false, &RowRemark::taken);
      throw UnreadableFile(fmt::format("{} of {} rows cannot be read; the first: row {}: {}", bad_, file_.rows, first.row, first.reason));
    }
    if (file_.titles.empty())
      throw UnreadableFile(
          bad == 0 ? "the file describes no title"
                   : fmt::format("the file describes no title; row {}: {}", file_.remarks.front().row, file_.remarks.front().reason));
  }

 private:
  void skip(std::size_t row, std::string reason) {
    ++bad_;
    remark({row, std::move(reason), false});
  }

  /// Throws where there are too many of them already.
  void remark(RowRemark what) {
    if (file_.remarks.size() == options_.remarks_max) {
      finish();
      throw UnreadableFile(fmt::format("more than {} things in the file cannot be taken", options_.remarks_max));
    }
    file_.remarks.push_back(std::move(what));
  }

  /// A reference is the first row's that has it. False: there is none left, so the row is one that was there before.
  bool take_references(TitleEntry& entry, std::size_t row, std::vector<std::string>& remarks) {
    std::vector<MediaReference> kept;
    std::size_t earlier = 0;
    for (MediaReference& reference : entry.media) {
      const auto [found, fresh] = row_of_.try_emplace(reference.source + ':' + reference.id, row);
      if (fresh) {
        kept.push_back(std::move(reference));
      } else {
        earlier = found->second;
        remarks.push_back(fmt::format("{} is row {}'s already", found->first, earlier));
      }
    }
    entry.media = std::move(kept);
    if (!entry.media.empty()) return true;
    ++duplicates_;
    remark({row, fmt::format("it is the same title as row {}", earlier), false});
    return false;
  }

  CatalogFile& file_;
  const ReadOptions& options_;
  std::unordered_map<std::string, std::size_t> row_of_;
  std::size_t bad_ = 0;
  std::size_t duplicates_ = 0;
};

// ------------------------------------------------------------------------------------------------------------ anime-offline-database

void take_header(CatalogFile& file, OfflineHeader header) {
  file.source = offline_database_source;
  file.last_update = std::move(header.last_update);
  file.license = std::move(header.license);
}

void read_json_lines(ByteSource& bytes, CatalogFile& file, Rows& rows) {
  OfflineReader reader;
  std::string line;
  auto header = bytes.next_line(line, line_bytes_max) == ByteSource::Line::whole ? reader.header(line) : std::nullopt;
  if (!header) throw UnreadableFile("the first line is not that of anime-offline-database: it has no license, repository and lastUpdate");
  take_header(file, std::move(*header));
  while (true) {
    const ByteSource::Line got = bytes.next_line(line, line_bytes_max);
    if (got == ByteSource::Line::end) return;
    if (got == ByteSource::Line::too_long) {
      rows.take(std::unexpected(fmt::format("the line is longer than {} KiB", line_bytes_max >> 10)));
    } else if (!is_utf8(line)) {
      rows.take(std::unexpected("it is no UTF-8"));
    } else if (!line.empty()) {
      rows.take(reader.entry(line));
    }
  }
}

void read_json(ByteSource& bytes, CatalogFile& file, Rows& rows) {
  std::string text;
  bytes.read_rest(text);
  if (!is_utf8(text)) throw UnreadableFile("the file is no UTF-8");
  OfflineReader reader;
  auto header = reader.document(text, [&](std::expected<TitleEntry, std::string> entry) { rows.take(std::move(entry)); });
  if (!header) throw UnreadableFile(header.error());
  take_header(file, std::move(*header));
}

// ------------------------------------------------------------------------------------------------------------------------------- CSV

enum class Column { id, title, genres, format, episodes, score, members };

/// What columns are called in the files that there are.
const std::map<std::string_view, Column>& columns_by_name() {
  static const std::map<std::string_view, Column> names = {{"anime_id", Column::id},     {"id", Column::id},
                                                           {"mal_id", Column::id},       {"name", Column::title},
                                                           {"title", Column::title},     {"genre", Column::genres},
                                                           {"genres", Column::genres},   {"type", Column::format},
                                                           {"format", Column::format},   {"episodes", Column::episodes},
                                                           {"rating", Column::score},    {"score", Column::score},
                                                           {"members", Column::members}, {"popularity", Column::members}};
  return names;
}

bool is_unknown(std::string_view text) { return text.empty() || ascii::same_ignoring_case(text, "unknown") || text == "-" || text == "?"; }

/// A number, nothing where it is not known, or an error.
template <class Number>
std::expected<std::optional<Number>, std::string> number_of(std::string_view text, std::string_view what) {
  text = ascii::trimmed(text);
  if (is_unknown(text)) return std::nullopt;
  Number number{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size()) return std::unexpected(fmt::format("its {} is no number", what));
  return number;
}

class CsvTitles {
 public:
  CsvTitles(const CsvRecord& names, const ReadOptions& options) : ids_(options.csv_ids), width_(names.size()) {
    for (std::size_t i = 0; i < names.size(); ++i) {
      const auto known = columns_by_name().find(ascii::lower_case(ascii::trimmed(names[i])));
      if (known == columns_by_name().end()) continue;
      if (!at_.emplace(known->second, i).second) throw UnreadableFile(fmt::format("the column {} is there twice", names[i]));
    }
    if (!at_.contains(Column::id) || !at_.contains(Column::title))
      throw UnreadableFile("the first line names no columns anime_id and name (or title)");
  }

  std::expected<TitleEntry, std::string> entry(const CsvRecord& record) const {
    if (record.size() != width_) return std::unexpected(fmt::format("it has {} fields, not {}", record.size(), width_));
    for (const std::string& field : record)
      if (!is_utf8(field)) return std::unexpected("it is no UTF-8");
    TitleEntry entry;
    const auto id = number_of<std::int64_t>(field(record, Column::id), "id");
    if (!id) return std::unexpected(id.error());
    if (!*id || **id < 1) return std::unexpected("it has no id");
    entry.media.push_back({ids_, std::to_string(**id)});
    std::string title = mal::decode_html(field(record, Column::title));
    auto language = language_of_script(title);
    entry.names.push_back({std::move(title), std::move(language), NameKind::main});
    take_genres(entry, mal::decode_html(field(record, Column::genres)));
    if (const std::string format(ascii::trimmed(field(record, Column::format))); !is_unknown(format))
      entry.details.format = ascii::upper_case(format);
    if (auto wrong = take_numbers(entry, record)) return std::unexpected(std::move(*wrong));
    return entry;
  }

 private:
  std::string_view field(const CsvRecord& record, Column column) const {
    const auto found = at_.find(column);
    return found == at_.end() ? std::string_view() : std::string_view(record[found->second]);
  }

  static void take_genres(TitleEntry& entry, std::string_view list) {
    while (!list.empty()) {
      const std::size_t comma = list.find(',');
      if (std::string genre = ascii::lower_case(ascii::trimmed(list.substr(0, comma))); !is_unknown(genre))
        entry.genres.push_back(std::move(genre));
      list = comma == std::string_view::npos ? std::string_view() : list.substr(comma + 1);
    }
    std::ranges::sort(entry.genres);
  }

  std::optional<std::string> take_numbers(TitleEntry& entry, const CsvRecord& record) const {
    const auto episodes = number_of<std::int32_t>(field(record, Column::episodes), "count of episodes");
    if (!episodes) return episodes.error();
    if (*episodes && **episodes > 0) entry.details.episodes = *episodes;
    const auto score = number_of<double>(field(record, Column::score), "score");
    if (!score) return score.error();
    if (*score && std::isfinite(**score) && **score > 0 && **score <= 10)
      entry.standing.score_hundredths = static_cast<std::int32_t>(std::lround(**score * 100));
    const auto members = number_of<std::int64_t>(field(record, Column::members), "number of members");
    if (!members) return members.error();
    if (*members && **members >= 0) entry.standing.members = *members;
    return std::nullopt;
  }

  const std::string ids_;
  const std::size_t width_;
  std::map<Column, std::size_t> at_;
};

void read_csv(ByteSource& bytes, const ReadOptions& options, CatalogFile& file, Rows& rows) {
  file.source = options.csv_source;
  CsvReader reader(bytes, record_bytes_max);
  const auto names = reader.next();
  if (!names) throw UnreadableFile("the file is empty");
  if (!*names) throw UnreadableFile("the first line is no line of CSV: " + names->error());
  const CsvTitles titles(**names, options);
  while (auto record = reader.next()) {
    if (*record)
      rows.take(titles.entry(**record));
    else
      rows.take(std::unexpected(std::move(record->error())));
  }
}

/// Which of the two a file is that begins like JSON: the first line of JSONL is a header of its own.
FileFormat json_format(std::string_view first) {
  const std::size_t end = first.find('\n');
  if (end == std::string_view::npos) return FileFormat::json;
  const std::string_view line = first.substr(0, end);
  return OfflineReader().header(line) && line.find("\"data\"") == std::string_view::npos ? FileFormat::json_lines : FileFormat::json;
}

}  // namespace

std::size_t CatalogFile::skipped() const { return static_cast<std::size_t>(std::ranges::count(remarks, false, &RowRemark::taken)); }

CatalogFile read_catalog(std::istream& in, const ReadOptions& options) {
  ByteSource bytes(in, file_bytes_max);
  const std::string_view first = bytes.peek();
  if (first.empty()) throw UnreadableFile("the file is empty");
  CatalogFile file;
  Rows rows(file, options);
  const bool is_json = ascii::trimmed(first).starts_with('{');
  if (options.format == FileFormat::csv || (!options.format && !is_json)) {
    file.format = FileFormat::csv;
    read_csv(bytes, options, file, rows);
  } else {
    file.format = options.format.value_or(json_format(first));
    if (file.format == FileFormat::json_lines)
      read_json_lines(bytes, file, rows);
    else
      read_json(bytes, file, rows);
  }
  rows.finish();
  return file;
}

}  // namespace bloomwatch::catalog
