// From the bytes of a MyAnimeList export to rows: inflate, cut into rows of clean XML, read their fields, say what was wrong.
#include "command-service/sync/mal_export.h"

#include <libxml/HTMLparser.h>
#include <libxml/parser.h>
#include <libxml/parserInternals.h>
#include <zlib.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <map>
#include <memory>
#include <system_error>
#include <unordered_map>
#include <utility>

#include "runtime/ascii.h"
#include "runtime/utf8.h"

namespace bloomwatch::mal {
namespace {

using Refusal = std::unexpected<Unreadable>;

Refusal unreadable(Unreadable::Kind kind, std::string detail) { return Refusal(Unreadable{kind, std::move(detail)}); }

// ----------------------------------------------------------------------------------------------------------------------------- bytes

bool is_gzip(std::string_view file) { return file.starts_with("\x1f\x8b"); }

/// All members of a gzip file (RFC 1952 §2.2), one after another.
std::expected<std::string, Unreadable> inflate_gzip(std::string_view file) {
  z_stream stream = {};
  if (inflateInit2(&stream, 16 + MAX_WBITS) != Z_OK) throw std::bad_alloc();
  const std::unique_ptr<z_stream, int (*)(z_stream*)> end(&stream, inflateEnd);
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(file.data()));  // zlib only reads it
  stream.avail_in = static_cast<uInt>(file.size());
  std::string out;
  std::array<char, std::size_t{64} * 1024> chunk;
  while (true) {
    stream.next_out = reinterpret_cast<Bytef*>(chunk.data());
    stream.avail_out = chunk.size();
    const int result = inflate(&stream, Z_NO_FLUSH);
    out.append(chunk.data(), chunk.size() - stream.avail_out);
    if (out.size() > inflated_bytes_max)
      return unreadable(Unreadable::Kind::too_large,
                        "The file inflates to more than " + std::to_string(inflated_bytes_max >> 20) + " MiB.");
    if (result == Z_STREAM_END) {
      // Padding or other bytes after a whole member are ignored, as gzip does.
      if (stream.avail_in < 2 || !is_gzip({reinterpret_cast<const char*>(stream.next_in), stream.avail_in})) return out;
      inflateReset(&stream);
    } else if (result != Z_OK || (stream.avail_in == 0 && stream.avail_out != 0)) {
      return unreadable(Unreadable::Kind::damaged, "The gzip file is damaged or cut off.");
    }
  }
}

// ------------------------------------------------------------------------------------------------------------------------------ text

/// The length of the well-formed UTF-8 sequence at the front (Unicode table 3-7), or 0. Sets `code_point`.
std::size_t sequence(std::string_view text, char32_t& code_point) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char first = byte(0);
  if (first < 0x80) return code_point = first, 1;
  const std::size_t length = first >= 0xC2 && first <= 0xDF ? 2 : (first & 0xF0) == 0xE0 ? 3 : first >= 0xF0 && first <= 0xF4 ? 4 : 0;
  if (length == 0 || text.size() < length) return 0;
  code_point = first & (0xFFU >> (length + 1));
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xC0) != 0x80) return 0;
    code_point = code_point << 6 | (byte(i) & 0x3FU);
  }
  constexpr std::array<char32_t, 5> least = {0, 0, 0x80, 0x800, 0x10000};
  const bool surrogate = code_point >= 0xD800 && code_point <= 0xDFFF;
  return code_point < least[length] || surrogate || code_point > 0x10FFFF ? 0 : length;
}

/// XML 1.0 §2.2, production 2.
bool is_xml_character(char32_t c) { return c >= 0x20 ? c != 0xFFFE && c != 0xFFFF : c == '\t' || c == '\n' || c == '\r'; }

void append_utf8(std::string& out, char32_t c) {
  std::array<xmlChar, 4> bytes;
  const int length = xmlCopyCharMultiByte(bytes.data(), static_cast<int>(c));
  out.append(reinterpret_cast<const char*>(bytes.data()), static_cast<std::size_t>(length));
}

/// Replaces what is no UTF-8, and drops control characters, which no XML may hold and no text means.
std::string scrub(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    char32_t c = 0;
    const std::size_t length = sequence(text, c);
    if (length == 0)
      append_utf8(out, 0xFFFD);
    else if (is_xml_character(c))
      out += text.substr(0, length);
    text.remove_prefix(std::max<std::size_t>(length, 1));
  }
  return out;
}

/// HTML's entities by name. libxml2 looks its own through one by one, and a file may hold millions of references.
const std::unordered_map<std::string_view, char32_t>& html_entities() {
  constexpr char32_t last = 0x2666;  // &diams;
  static const auto entities = [] {
    std::unordered_map<std::string_view, char32_t> by_name;
    for (char32_t c = 0; c <= last; ++c)
      if (const htmlEntityDesc* entity = htmlEntityValueLookup(c)) by_name.emplace(entity->name, c);
    return by_name;
  }();
  return entities;
}

/// The reference at the front of `text` (`&eacute;`, `&#233;`, `&#xe9;`): its character and its length.
std::optional<std::pair<char32_t, std::size_t>> html_reference(std::string_view text) {
  constexpr std::size_t name_bytes_max = 12;
  if (!text.starts_with('&')) return std::nullopt;
  const std::size_t end = text.substr(0, name_bytes_max).find(';');
  if (end == std::string_view::npos || end < 2) return std::nullopt;
  std::string_view name = text.substr(1, end - 1);
  char32_t c = 0;
  if (name.front() == '#') {
    name.remove_prefix(1);
    const bool hex = name.starts_with('x') || name.starts_with('X');
    if (hex) name.remove_prefix(1);
    std::uint32_t number = 0;
    const auto [last, failed] = std::from_chars(name.begin(), name.end(), number, hex ? 16 : 10);
    if (failed != std::errc() || last != name.end() || number > 0x10FFFF || (number >= 0xD800 && number <= 0xDFFF)) return std::nullopt;
    c = number;
  } else {
    const auto entity = html_entities().find(name);
    if (entity == html_entities().end()) return std::nullopt;
    c = entity->second;
  }
  if (!is_xml_character(c)) return std::nullopt;
  return std::pair(c, end + 1);
}

/// Takes references to U+0080–U+00FF as the bytes that they were made from. Nothing if there are none.
std::optional<std::string> undo_latin1_entities(std::string_view text) {
  std::string bytes;
  bool found = false;
  while (!text.empty()) {
    const auto reference = html_reference(text);
    if (reference && reference->first >= 0x80 && reference->first <= 0xFF) {
      bytes += static_cast<char>(static_cast<unsigned char>(reference->first));
      text.remove_prefix(reference->second);
      found = true;
    } else {
      bytes += text.front();
      text.remove_prefix(1);
    }
  }
  return found ? std::optional(std::move(bytes)) : std::nullopt;
}

/// The length of a `<br>` in one of its spellings at the front, with the line end that often follows it; else 0.
std::size_t line_break(std::string_view text) {
  if (text.size() < 4 || text[0] != '<' || !ascii::same_ignoring_case(text.substr(1, 2), "br")) return 0;
  std::size_t at = 3;
  while (at < text.size() && (text[at] == ' ' || text[at] == '/')) ++at;
  if (at >= text.size() || text[at] != '>') return 0;
  ++at;
  if (at < text.size() && text[at] == '\r') ++at;
  if (at < text.size() && text[at] == '\n') ++at;
  return at;
}

// ------------------------------------------------------------------------------------------------------------------- making it XML

/// Whether an XML parser understands the reference at the front by itself: the five predefined ones and numbers of allowed characters.
bool is_xml_reference(std::string_view text) {
  for (const std::string_view known : {"&amp;", "&lt;", "&gt;", "&quot;", "&apos;"})
    if (text.starts_with(known)) return true;
  return text.starts_with("&#") && html_reference(text);
}

std::string escape_ampersands(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    out += text[i];
    if (text[i] == '&' && !is_xml_reference(text.substr(i))) out += "amp;";
  }
  return out;
}

/// The name of the tag at the front, `anime` for `<anime>`, `</anime>` and `<anime/>`; empty if it is none.
std::string_view tag_name(std::string_view text) {
  if (!text.starts_with('<')) return {};
  text.remove_prefix(text.starts_with("</") ? 2 : 1);
  if (text.empty() || ascii::is_digit(text.front())) return {};  // `<3` is a heart
  const auto ends = [](char c) { return !ascii::is_alnum(c) && c != '_'; };
  return text.substr(0, static_cast<std::size_t>(std::ranges::find_if(text, ends) - text.begin()));
}

/// A file cut into the XML of its rows, each of which is then parsed by itself: damage to one is no damage to others, and no tree of more
/// than a row, which is bounded, is ever in memory. On the way comments, declarations and attributes, which mean nothing here, are dropped,
/// texts repaired, stray `&` and `<` escaped. A document type is refused: no export has one, and nothing good comes of it.
class Splitter {
 public:
  struct RowText {
    std::string xml = {};     ///< from `<anime>` to its end
    std::size_t tags = 0;     ///< in it
    std::string damage = {};  ///< why it cannot be read; then there is no `xml`
  };
  struct Parts {
    std::string_view root;  ///< the name of the first element, in the file
    std::string header;     ///< the beginning of all that is in no row: the root and `myinfo`
    std::vector<RowText> rows;
    bool has_manga = false;
    bool broke_off = false;  ///< the file ends inside a row, or without the root's end
  };

  explicit Splitter(std::string_view text) : text_(text), rest_(text) {}

  std::expected<Parts, Unreadable> run() {
    if (rest_.starts_with("\xEF\xBB\xBF")) rest_.remove_prefix(3);
    while (!rest_.empty()) {
      if (rest_.starts_with("<!--")) {
        up_to("-->");
      } else if (rest_.starts_with("<![CDATA[")) {
        take_text_as_it_is();
      } else if (rest_.starts_with("<?")) {
        up_to("?>");
      } else if (rest_.starts_with("<!")) {
        return unreadable(Unreadable::Kind::not_an_export, "The file has a document type declaration, which no MyAnimeList export has.");
      } else if (!tag_name(rest_).empty()) {
        take_tag();
        if (parts_.rows.size() > rows_max)
          return unreadable(Unreadable::Kind::too_many_rows, "The file has more than " + std::to_string(rows_max) + " rows.");
      } else if (rest_.starts_with('<')) {
        put("&lt;");
        rest_.remove_prefix(1);
      } else {
        const std::string_view run = rest_.substr(0, rest_.find('<'));
        rest_.remove_prefix(run.size());
        if (has_room_for(run)) put(escape_ampersands(repair_text(run)));
      }
      if (row_bytes_ > inflated_bytes_max)
        return unreadable(Unreadable::Kind::too_large,
                          "The file's rows have more than " + std::to_string(inflated_bytes_max >> 20) + " MiB once they are repaired.");
    }
    parts_.broke_off = in_row_ || !root_ended_;
    if (in_row_) parts_.rows.pop_back();
    return std::move(parts_);
  }

 private:
  void put(std::string_view text) {
    if (!in_row_) {
      if (parts_.header.size() + text.size() <= header_bytes_max) parts_.header += text;
      return;
    }
    RowText& row = parts_.rows.back();
    if (row.xml.size() + text.size() > row_bytes_max) damage_by_length();
    if (row.tags > row_tags_max) damage("it has more than " + std::to_string(row_tags_max) + " tags");
    if (!row.damage.empty()) return;
    row.xml += text;
    row_bytes_ += text.size();
  }

  /// Whether a text may be put at all. One that is too long as it stands is not even repaired, which can make it five times as long.
  bool has_room_for(std::string_view text) {
    if (!in_row_) return parts_.header.size() + text.size() <= header_bytes_max;
    if (text.size() > row_bytes_max) damage_by_length();
    return parts_.rows.back().damage.empty();
  }

  void damage_by_length() { damage("it is longer than " + std::to_string(row_bytes_max) + " bytes"); }

  void damage(std::string why) {
    RowText& row = parts_.rows.back();
    if (row.damage.empty()) row.damage = "the row cannot be read: " + std::move(why);
    row.xml.clear();
  }

  /// A CDATA section. One that does not end within its row would take the next ones with it: then the row is damaged, and ends.
  void take_text_as_it_is() {
    constexpr std::string_view row_end = "</anime>";
    const std::size_t at = text_.size() - rest_.size();
    if (next_end_ <= at) next_end_ = text_.find("]]>", at);  // looked for once, however many texts have no end
    if (const std::size_t row = text_.substr(at, next_end_ - at).find(row_end); in_row_ && row != std::string_view::npos) {
      damage("a text has no end");
      in_row_ = false;
      return rest_.remove_prefix(row + row_end.size());
    }
    rest_.remove_prefix(9);
    const std::string_view text = up_to("]]>");
    if (has_room_for(text)) put("<![CDATA[" + repair_text(text) + "]]>");
  }

  void take_tag() {
    const std::string_view name = tag_name(rest_);
    const bool ends = rest_.starts_with("</");
    if (parts_.root.empty()) parts_.root = name;
    if (name == "manga") parts_.has_manga = true;
    const bool row = name == "anime";
    if (row && !ends) {
      parts_.rows.emplace_back();
      in_row_ = true;
    }
    if (in_row_) ++parts_.rows.back().tags;
    const bool empty = up_to(">").ends_with('/');
    if (name == parts_.root && (ends || empty)) root_ended_ = true;
    if ((!row || in_row_) && has_room_for(name)) put((ends ? "</" : "<") + std::string(name) + (empty ? "/>" : ">"));
    if (row && (ends || empty)) in_row_ = false;
  }

  /// What comes before `end`, which is passed; all that is left where there is no end.
  std::string_view up_to(std::string_view end) {
    const std::size_t at = rest_.find(end);
    const std::string_view found = rest_.substr(0, at);
    rest_.remove_prefix(at == std::string_view::npos ? rest_.size() : at + end.size());
    return found;
  }

  const std::string_view text_;
  std::string_view rest_;
  std::size_t next_end_ = 0;  ///< of a CDATA section, in `text_`; npos: there is none
  Parts parts_;
  std::size_t row_bytes_ = 0;  ///< that were put into rows, kept or not
  bool in_row_ = false;
  bool root_ended_ = false;
};

// ---------------------------------------------------------------------------------------------------------------------------- fields

using Fields = std::map<std::string, std::string, std::less<>>;

/// The children of an element by name, their texts trimmed.
Fields fields_of(const xmlNode* element) {
  Fields fields;
  for (const xmlNode* child = element->children; child != nullptr; child = child->next) {
    if (child->type != XML_ELEMENT_NODE) continue;
    const std::unique_ptr<xmlChar, void (*)(void*)> content(xmlNodeGetContent(child), xmlFree);
    if (content) fields[reinterpret_cast<const char*>(child->name)] = ascii::trimmed(reinterpret_cast<const char*>(content.get()));
  }
  return fields;
}

template <class Number>
std::optional<Number> number_of(std::string_view text) {
  Number number{};
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (failed != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

/// Reads one row's fields; what is wrong is collected.
class RowReader {
 public:
  explicit RowReader(const Fields& fields) : fields_(fields) {}

  ParsedRow read() {
    check_sizes();
    Row& row = parsed_.row;
    row.mal_id = whole_number<std::int64_t>("series_animedb_id");
    if (row.mal_id == 0) row.mal_id = std::nullopt;
    if (!row.mal_id) wrong("series_animedb_id is missing: without it nobody knows which anime this is");
    row.title = text("series_title");
    row.format = text("series_type");
    row.episode_count = whole_number<std::int32_t>("series_episodes");
    if (row.episode_count == 0) row.episode_count = std::nullopt;
    row.episodes_watched = whole_number<std::int32_t>("my_watched_episodes");
    row.times_rewatched = whole_number<std::int32_t>("my_times_watched");
    row.started_on = date("my_start_date");
    row.finished_on = date("my_finish_date");
    row.score = score();
    row.notes = text("my_comments");
    if (row.episode_count && row.episodes_watched > *row.episode_count) {
      remark("my_watched_episodes is " + std::to_string(*row.episodes_watched) + " of " + std::to_string(*row.episode_count) +
             ": the number of episodes is kept as unknown");
      row.episode_count = std::nullopt;
    }
    row.status = status();
    return std::move(parsed_);
  }

 private:
  std::string_view field(std::string_view name) const {
    const auto found = fields_.find(name);
    return found == fields_.end() ? std::string_view() : std::string_view(found->second);
  }

  static void join(std::string& sentences, std::string_view more) {
    if (!sentences.empty()) sentences += "; ";
    sentences += more;
  }
  void wrong(std::string_view why) { join(parsed_.error, why); }
  void remark(std::string_view what) { join(parsed_.remarks, what); }
  void wrong_value(std::string_view name, std::string_view why) {
    constexpr std::size_t shown_bytes_max = 40;
    wrong(std::string(name) + " `" + scrub(field(name).substr(0, shown_bytes_max)) + "` " + std::string(why));
  }

  void check_sizes() {
    for (const auto& [name, value] : fields_)
      if (value.size() > field_bytes_max) wrong(name.substr(0, 64) + " is longer than " + std::to_string(field_bytes_max) + " bytes");
  }

  template <class Number>
  std::optional<Number> whole_number(std::string_view name) {
    const std::string_view value = field(name);
    if (value.empty()) return std::nullopt;
    const auto number = number_of<Number>(value);
    if (!number || *number < 0) return wrong_value(name, "is no whole number that fits"), std::nullopt;
    return number;
  }

  std::optional<std::string> text(std::string_view name) {
    const std::string decoded = decode_html(field(name));
    const std::string_view value = ascii::trimmed(decoded);
    return value.empty() ? std::nullopt : std::optional(std::string(value));
  }

  /// `2024-05-17`, `2024-05-00`, `2024-00-00`; `0000-00-00` is none.
  std::optional<PartialDate> date(std::string_view name) {
    const std::string_view value = field(name);
    if (value.empty()) return std::nullopt;
    const bool shaped = value.size() == 10 && value[4] == '-' && value[7] == '-';
    const auto year = shaped ? number_of<std::int16_t>(value.substr(0, 4)) : std::nullopt;
    const auto month = shaped ? number_of<std::int16_t>(value.substr(5, 2)) : std::nullopt;
    const auto day = shaped ? number_of<std::int16_t>(value.substr(8, 2)) : std::nullopt;
    if (!year || !month || !day) return remark(std::string(name) + " is no date and was left out"), std::nullopt;
    if (*year == 0) return std::nullopt;
    PartialDate date{.year = *year};
    if (*month != 0) {
      date.month = month;
      if (*day != 0) date.day = day;
    }
    if (!date.is_possible()) return remark(std::string(name) + " is a day that never was and was left out"), std::nullopt;
    return date;
  }

  std::optional<double> score() {
    const std::string_view value = field("my_score");
    if (value.empty()) return std::nullopt;
    const auto number = number_of<double>(value);
    if (!number || !(*number >= 0 && *number <= 10)) return wrong_value("my_score", "is not between 0 and 10"), std::nullopt;
    return *number == 0 ? std::nullopt : number;
  }

  /// In words or MyAnimeList's numbers. Some exporters leave it empty: then progress tells, if there is any.
  std::optional<TrackingStatus> status() {
    std::string letters;
    for (const char c : field("my_status"))
      if (c != ' ' && c != '-' && c != '_') letters += ascii::lower(c);
    const Row& row = parsed_.row;
    if (letters.empty()) {
      if (!row.episodes_watched) return std::nullopt;
      if (row.episodes_watched == 0) return TrackingStatus::backlog;
      return row.episodes_watched == row.episode_count ? TrackingStatus::finished : TrackingStatus::watching;
    }
    static const std::map<std::string, TrackingStatus, std::less<>> known = {
        {"watching", TrackingStatus::watching}, {"1", TrackingStatus::watching},    {"completed", TrackingStatus::finished},
        {"2", TrackingStatus::finished},        {"onhold", TrackingStatus::paused}, {"3", TrackingStatus::paused},
        {"dropped", TrackingStatus::dropped},   {"4", TrackingStatus::dropped},     {"plantowatch", TrackingStatus::backlog},
        {"6", TrackingStatus::backlog},
    };
    const auto found = known.find(letters);
    if (found == known.end()) return wrong_value("my_status", "is no status that MyAnimeList has"), std::nullopt;
    return found->second;
  }

  const Fields& fields_;
  ParsedRow parsed_;
};

// -------------------------------------------------------------------------------------------------------------------------- elements

/// The children of one element's XML by name; nothing if not even libxml2's recovery makes an element of it. No entity is expanded, no
/// document type loaded, nothing fetched.
std::optional<Fields> parse_fields(const std::string& xml) {
  constexpr int options = XML_PARSE_RECOVER | XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING | XML_PARSE_COMPACT;
  const std::unique_ptr<xmlDoc, void (*)(xmlDocPtr)> document(
      xmlReadMemory(xml.data(), static_cast<int>(xml.size()), nullptr, "UTF-8", options), xmlFreeDoc);
  const xmlNode* const root = document ? xmlDocGetRootElement(document.get()) : nullptr;
  if (root == nullptr) return std::nullopt;
  return fields_of(root);
}

ParsedRow parse_row(const Splitter::RowText& row) {
  if (!row.damage.empty()) return {.error = row.damage};
  const auto fields = parse_fields(row.xml);
  if (!fields) return {.error = "the file is damaged in this row"};
  return RowReader(*fields).read();
}

bool is_manga_list(const Splitter::Parts& parts) {
  if (parts.has_manga) return true;
  const std::size_t at = parts.header.find("<myinfo");
  if (at == std::string::npos) return false;
  const auto info = parse_fields(parts.header.substr(at, parts.header.find("</myinfo>") - at) + "</myinfo>");
  return info && info->contains("user_export_type") && info->at("user_export_type") == "2";
}

}  // namespace

std::string repair_text(std::string_view bytes) {
  if (bytes.find('&') != std::string_view::npos) {
    if (const auto undone = undo_latin1_entities(bytes); undone && is_utf8(*undone)) return scrub(*undone);
  }
  return scrub(bytes);
}

std::string decode_html(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    if (const auto reference = html_reference(text)) {
      append_utf8(out, reference->first);
      text.remove_prefix(reference->second);
    } else if (const std::size_t length = line_break(text)) {
      out += '\n';
      text.remove_prefix(length);
    } else {
      out += text.front();
      text.remove_prefix(1);
    }
  }
  return out;
}

std::expected<Export, Unreadable> parse_export(std::string_view file) {
  std::string inflated;
  if (is_gzip(file)) {
    auto result = inflate_gzip(file);
    if (!result) return std::unexpected(std::move(result.error()));
    inflated = std::move(*result);
    file = inflated;
  } else if (file.size() > inflated_bytes_max) {
    return unreadable(Unreadable::Kind::too_large, "The file is larger than " + std::to_string(inflated_bytes_max >> 20) + " MiB.");
  }
  if (ascii::trimmed(file).empty()) return unreadable(Unreadable::Kind::not_an_export, "The file is empty.");
  auto parts = Splitter(file).run();
  if (!parts) return std::unexpected(std::move(parts.error()));
  if (parts->root != "myanimelist")
    return unreadable(Unreadable::Kind::not_an_export, "The file is no MyAnimeList export: its root is not <myanimelist>.");
  if (is_manga_list(*parts))
    return unreadable(Unreadable::Kind::manga_list, "This is an export of a manga list; only anime lists are imported.");
  Export read;
  read.rows.reserve(parts->rows.size() + 1);
  for (Splitter::RowText& row : parts->rows) read.rows.push_back(parse_row(std::exchange(row, {})));  // a row is in memory once
  if (parts->broke_off) read.rows.push_back({.error = "the file breaks off here: what should follow is missing"});
  return read;
}

}  // namespace bloomwatch::mal
