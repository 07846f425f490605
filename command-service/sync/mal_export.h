// Reads a MyAnimeList XML export: bytes as people upload them → rows. Pure: no I/O, no clock.
// Real files are dirty: bytes that are no UTF-8, bare ampersands, HTML entities inside CDATA, statuses in several spellings, half a date.
// What is wrong with one row is said beside that row; only a file that is no export at all is refused as a whole.
#pragma once

#include <boost/describe.hpp>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "events/partial_date.h"
#include "events/tracking.h"

namespace bloomwatch::mal {

/// What a file may inflate to, and what its rows may have once their texts are repaired; the largest lists known are below 20 MiB.
inline constexpr std::size_t inflated_bytes_max = std::size_t{64} << 20;
/// Rows of one file.
inline constexpr std::size_t rows_max = 50'000;
/// Bytes of one field's text; more is a broken file, and the row says so.
inline constexpr std::size_t field_bytes_max = std::size_t{64} * 1024;
/// Of a row's XML and of its tags, some fifty where MyAnimeList made it. A row beyond either fails.
inline constexpr std::size_t row_bytes_max = std::size_t{1} << 20;
inline constexpr std::size_t row_tags_max = 200;
/// Of what comes before the rows and between them, which is looked at for the kind of list only.
inline constexpr std::size_t header_bytes_max = std::size_t{64} * 1024;

/// One anime of the list, in our words; none: the file does not say. It is echoed to whoever imports it.
struct Row {
  std::optional<std::int64_t> mal_id = {};
  std::optional<std::string> title = {};
  std::optional<std::string> format = {};          ///< as MyAnimeList says: TV, OVA, Movie …
  std::optional<std::int32_t> episode_count = {};  ///< ≥ 1
  std::optional<TrackingStatus> status = {};
  std::optional<std::int32_t> episodes_watched = {};
  std::optional<PartialDate> started_on = {};
  std::optional<PartialDate> finished_on = {};
  std::optional<std::int32_t> times_rewatched = {};
  std::optional<double> score = {};  ///< of ten; none: not rated
  std::optional<std::string> notes = {};

  bool operator==(const Row&) const = default;
};
BOOST_DESCRIBE_STRUCT(Row, (),
                      (mal_id, title, format, episode_count, status, episodes_watched, started_on, finished_on, times_rewatched, score,
                       notes))

/// One row as read. `error`: it cannot be imported, and why. `remarks`: it can, but not all of it was believed.
struct ParsedRow {
  Row row = {};
  std::string error = {};
  std::string remarks = {};
};

struct Export {
  std::vector<ParsedRow> rows;  ///< in the order of the file
};

/// Why a file is not read at all.
struct Unreadable {
  enum class Kind { not_an_export, manga_list, too_large, too_many_rows, damaged } kind;
  std::string detail;  ///< a sentence for whoever sent it
};

/// Reads a file, gzip or plain by its first bytes.
std::expected<Export, Unreadable> parse_export(std::string_view file);

/// The same text as valid UTF-8 without characters that XML forbids. Where a text was UTF-8, then taken for Latin-1 and made into HTML
/// entities (which MyAnimeList once did to comments), it is put right; what is still no UTF-8 becomes U+FFFD.
std::string repair_text(std::string_view bytes);

/// HTML's entities, numeric ones and `<br>` as the characters that they stand for; others stay as they are.
std::string decode_html(std::string_view text);

}  // namespace bloomwatch::mal
