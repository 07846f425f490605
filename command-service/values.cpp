// The rules of texts, scores and references as people send them. Pure, but for the time zone database of the machine.
#include "command-service/values.h"

#include <fmt/format.h>
#include <unicode/uchar.h>

#include <algorithm>
#include <boost/describe/enum_to_string.hpp>
#include <charconv>
#include <cmath>

#include "runtime/ascii.h"
#include "runtime/time.h"

namespace bloomwatch {
namespace {

/// Takes the first code point off valid UTF-8; what is not valid comes out as something, never past the end.
char32_t take_code_point(std::string_view& utf8) {
  const auto lead = static_cast<unsigned char>(utf8.front());
  const std::size_t length = lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
  char32_t code = lead < 0x80 ? lead : lead & (0xffU >> (length + 1));
  for (std::size_t i = 1; i < std::min(length, utf8.size()); ++i) code = (code << 6) | (static_cast<unsigned char>(utf8[i]) & 0x3fU);
  utf8.remove_prefix(std::min(length, utf8.size()));
  return code;
}

/// Unicode's White_Space.
bool is_space(char32_t c) {
  return (c >= 0x09 && c <= 0x0d) || c == 0x20 || c == 0x85 || c == 0xa0 || c == 0x1680 || (c >= 0x2000 && c <= 0x200a) || c == 0x2028 ||
         c == 0x2029 || c == 0x202f || c == 0x205f || c == 0x3000;
}

/// Shown as nothing: Unicode's Default_Ignorable_Code_Point (zero-width characters, controls of direction, Hangul's fillers, selectors of
/// variants; Unicode 5.21), and those that it counts as visible though their glyph is blank: Braille without dots, a note without a head,
/// blanks of Egyptian hieroglyphs and Khitan.
bool is_invisible(char32_t c) {
  return u_hasBinaryProperty(static_cast<UChar32>(c), UCHAR_DEFAULT_IGNORABLE_CODE_POINT) || c == 0x2800 || c == 0x1d159 || c == 0x13441 ||
         c == 0x13442 || c == 0x16fe4;
}

/// C0, DEL, C1, the line and paragraph separators, and what turns the direction of the text around it.
bool is_control(char32_t c) {
  return c < 0x20 || (c >= 0x7f && c <= 0x9f) || c == 0x2028 || c == 0x2029 || (c >= 0x202a && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069);
}

std::string_view trimmed(std::string_view text) {
  std::size_t first = std::string_view::npos;
  std::size_t end = 0;
  for (std::string_view rest = text; !rest.empty();) {
    const std::size_t at = text.size() - rest.size();
    if (is_space(take_code_point(rest))) continue;
    if (first == std::string_view::npos) first = at;
    end = text.size() - rest.size();
  }
  return first == std::string_view::npos ? std::string_view() : text.substr(first, end - first);
}

std::unexpected<std::string> wrong(std::string_view why) { return std::unexpected(std::string(why)); }

constexpr std::string_view must_be_email = "must be an e-mail address such as mira@example.org";

/// RFC 5321's Dot-string.
bool is_local_part(std::string_view local) {
  constexpr std::string_view special = "!#$%&'*+-/=?^_`{|}~";
  if (local.empty() || local.size() > 64 || local.front() == '.' || local.back() == '.' || local.contains("..")) return false;
  return std::ranges::all_of(local, [&](char c) { return ascii::is_alnum(c) || c == '.' || special.contains(c); });
}

bool is_label(std::string_view label) {
  if (label.empty() || label.size() > 63 || label.front() == '-' || label.back() == '-') return false;
  return std::ranges::all_of(label, [](char c) { return ascii::is_alnum(c) || c == '-'; });
}

bool is_domain(std::string_view domain) {
  std::size_t labels = 0;
  while (true) {
    const std::size_t dot = domain.find('.');
    if (!is_label(domain.substr(0, dot))) return false;
    ++labels;
    if (dot == std::string_view::npos) return labels >= 2;
    domain.remove_prefix(dot + 1);
  }
}

constexpr std::string_view must_be_language = "must be a BCP 47 language tag such as en or de-AT";

}  // namespace

std::size_t length_of(std::string_view utf8) {
  return static_cast<std::size_t>(std::ranges::count_if(utf8, [](char c) { return (static_cast<unsigned char>(c) & 0xc0U) != 0x80U; }));
}

std::expected<std::string, std::string> checked_text(std::string_view text, std::size_t length_max, Lines lines) {
  const std::string_view kept = trimmed(text);
  std::string out;
  out.reserve(kept.size());
  bool visible = false;
  for (std::string_view rest = kept; !rest.empty();) {
    const std::size_t at = kept.size() - rest.size();
    const char32_t c = take_code_point(rest);
    if (lines == Lines::many && c == '\r' && rest.starts_with('\n')) continue;
    if (is_control(c) && !(lines == Lines::many && (c == '\n' || c == '\t')))
      return wrong(lines == Lines::one ? "must be one line without control characters" : "must not contain control characters");
    visible = visible || !(is_space(c) || is_invisible(c));
    out.append(kept.substr(at, kept.size() - rest.size() - at));
  }
  if (!visible) return wrong("must not be blank: no character of it can be seen");
  if (length_of(out) > length_max) return std::unexpected("must have at most " + std::to_string(length_max) + " characters");
  return out;
}

CheckedText checked_email(std::string_view text) {
  const std::string_view email = trimmed(text);
  const std::size_t at = email.rfind('@');
  if (at == std::string_view::npos || email.size() > email_bytes_max || !is_local_part(email.substr(0, at)) ||
      !is_domain(email.substr(at + 1)))
    return wrong(must_be_email);
  return std::string(email);
}

CheckedText checked_handle(std::string_view text) {
  if (text.size() < handle_length_min || text.size() > handle_length_max ||
      !std::ranges::all_of(text, [](char c) { return ascii::is_lower(c) || ascii::is_digit(c) || c == '_'; }))
    return wrong(fmt::format("must be {} to {} of the characters a-z, 0-9 and _", handle_length_min, handle_length_max));
  return std::string(text);
}

CheckedText checked_region(std::string_view text) {
  const auto is_capital = [](char c) { return c >= 'A' && c <= 'Z'; };
  if (text.size() != 2 || !std::ranges::all_of(text, is_capital)) return wrong("must be two capital letters (ISO 3166-1)");
  return std::string(text);
}

CheckedText checked_title_format(std::string_view text) {
  auto checked = checked_text(text, format_length_max, Lines::one);
  if (checked) checked = ascii::upper_case(*checked);
  return checked;
}

CheckedText checked_url(std::string_view text) {
  static const std::string must_be_url = fmt::format("must be an http or https URL of at most {} characters", url_bytes_max);
  constexpr std::string_view never = "\"<>\\^`{|}";
  const std::string_view url = trimmed(text);
  if (url.size() > url_bytes_max) return wrong(must_be_url);
  std::string_view rest = url;
  if (rest.starts_with("https://"))
    rest.remove_prefix(8);
  else if (rest.starts_with("http://"))
    rest.remove_prefix(7);
  else
    return wrong(must_be_url);
  const std::string_view authority = rest.substr(0, rest.find_first_of("/?#"));
  const std::string_view host = authority.substr(0, authority.find(':'));
  if (host.empty() || authority.contains('@')) return wrong(must_be_url);
  if (!std::ranges::all_of(url, [&](char c) { return c > ' ' && c < 0x7f && !never.contains(c); })) return wrong(must_be_url);
  return std::string(url);
}

CheckedText checked_language(std::string_view text) {
  if (text.size() > language_bytes_max) return wrong(must_be_language);
  std::string_view rest = text;
  for (bool primary = true;; primary = false) {
    const std::size_t dash = rest.find('-');
    const std::string_view subtag = rest.substr(0, dash);
    const bool ok = primary ? subtag.size() >= 2 && subtag.size() <= 8 && std::ranges::all_of(subtag, ascii::is_letter)
                            : !subtag.empty() && subtag.size() <= 8 && std::ranges::all_of(subtag, ascii::is_alnum);
    if (!ok) return wrong(must_be_language);
    if (dash == std::string_view::npos) return std::string(text);
    rest.remove_prefix(dash + 1);
  }
}

CheckedText checked_time_zone(std::string_view text) {
  if (!is_time_zone(text)) return wrong("must be a name of the IANA time zone database such as Europe/Berlin");
  return std::string(text);
}

std::expected<Score, std::string> Score::from(Wire wire) {
  const double halves = wire * 2;
  if (!(halves >= 1 && halves <= 20) || halves != std::floor(halves)) return wrong("must be 0.5 to 10 in halves");
  return Score(static_cast<std::int16_t>(halves * 5));
}

/// The same range as `anilistMediaId` has.
static bool is_media_number(std::string_view digits) {
  std::int32_t number = 0;
  const auto [end, failed] = std::from_chars(digits.begin(), digits.end(), number);
  return failed == std::errc() && end == digits.end() && AniListMediaId::from(number) && digits.front() != '0';
}

std::expected<Media, std::string> Media::from(const Wire& wire) {
  std::string_view id = wire.id.text;
  Media media;
  media.reference_.source = boost::describe::enum_to_string(wire.source, "");
  if (wire.source == MediaSource::imdb) {
    if (!id.starts_with("\"tt") || id.size() < 10 || id.size() > 15 || !std::ranges::all_of(id.substr(3, id.size() - 4), ascii::is_digit))
      return wrong("its id must be a string such as tt0213338");
    id = id.substr(1, id.size() - 2);
  } else if (wire.source == MediaSource::bloomwatch) {
    const auto title = id.size() > 2 && id.front() == '"' ? Uuid::parse(id.substr(1, id.size() - 2)) : std::nullopt;
    if (!title) return wrong("its id must be a string: the title's id, a UUID");
    media.reference_.id = title->to_string();
    return media;
  } else if (!is_media_number(id)) {
    return wrong("its id must be a whole number between 1 and 2147483647");
  }
  media.reference_.id = id;
  return media;
}

Media::Wire Media::wire() const {
  Wire wire;
  boost::describe::enum_from_string(reference_.source.c_str(), wire.source);
  const bool is_text = wire.source == MediaSource::imdb || wire.source == MediaSource::bloomwatch;
  wire.id.text = is_text ? '"' + reference_.id + '"' : reference_.id;
  return wire;
}

std::expected<OutsideMedia, std::string> OutsideMedia::from(const Wire& wire) {
  auto media = Media::from(wire);
  if (!media) return std::unexpected(std::move(media.error()));
  if (wire.source == MediaSource::bloomwatch) return wrong("must be of another source: a title's own id is a reference to it in any case");
  OutsideMedia outside;
  static_cast<Media&>(outside) = std::move(*media);
  return outside;
}

}  // namespace bloomwatch
