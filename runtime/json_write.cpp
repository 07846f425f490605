// The tight loops of writing.
#include "runtime/json_write.h"

#include <array>
#include <charconv>
#include <cmath>

namespace bloomwatch::json::detail {
namespace {

template <class Number, class... Format>
void append_digits(std::string& out, Number value, Format... format) {
  char digits[32];
  const auto end = std::to_chars(digits, digits + sizeof digits, value, format...).ptr;
  out.append(digits, end);
}

/// 1: must be escaped in a JSON string.
constexpr auto must_escape = [] {
  std::array<bool, 256> table{};
  for (std::size_t i = 0; i < 0x20; ++i) table[i] = true;
  table['"'] = table['\\'] = true;
  return table;
}();

void append_escape(std::string& out, char c) {
  switch (c) {
    case '"':
      out += "\\\"";
      return;
    case '\\':
      out += "\\\\";
      return;
    case '\n':
      out += "\\n";
      return;
    case '\r':
      out += "\\r";
      return;
    case '\t':
      out += "\\t";
      return;
    case '\b':
      out += "\\b";
      return;
    case '\f':
      out += "\\f";
      return;
    default:
      break;
  }
  constexpr std::string_view hex = "0123456789abcdef";
  out += "\\u00";
  out += hex[static_cast<unsigned char>(c) >> 4];
  out += hex[static_cast<unsigned char>(c) & 15];
}

void append_padded(std::string& out, unsigned value, int width) {
  for (int divisor = width == 4 ? 1000 : 10; divisor > 0; divisor /= 10)
    out += static_cast<char>('0' + value / static_cast<unsigned>(divisor) % 10);
}

}  // namespace

void append_date(std::string& out, std::chrono::year_month_day date) {
  out += '"';
  append_padded(out, static_cast<unsigned>(static_cast<int>(date.year())), 4);
  out += '-';
  append_padded(out, static_cast<unsigned>(date.month()), 2);
  out += '-';
  append_padded(out, static_cast<unsigned>(date.day()), 2);
  out += '"';
}

void append_string(std::string& out, std::string_view text) {
  out += '"';
  std::size_t from = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (!must_escape[static_cast<unsigned char>(text[i])]) [[likely]]
      continue;
    out.append(text, from, i - from);
    append_escape(out, text[i]);
    from = i + 1;
  }
  out.append(text, from, text.size() - from);
  out += '"';
}

void append_number(std::string& out, double value) {
  constexpr double whole_max = 1e15;
  if (!std::isfinite(value))
    out += "null";
  else if (std::trunc(value) == value && std::fabs(value) < whole_max)
    append_digits(out, static_cast<std::int64_t>(value));  // 100000, where the shortest form would be 1e+05
  else if (std::fabs(value) >= whole_max)
    append_digits(out, value, std::chars_format::scientific);  // as digits it would read as an integer that does not fit
  else
    append_digits(out, value);
}

void append_number(std::string& out, std::int64_t value) { append_digits(out, value); }
void append_number(std::string& out, std::uint64_t value) { append_digits(out, value); }

void append_enum(std::string& out, std::string_view name) {
  if (name.empty()) {
    out += "null";
    return;
  }
  out += '"';
  out += name;
  out += '"';
}

void append_uuid(std::string& out, const Uuid& uuid) {
  constexpr std::string_view hex = "0123456789abcdef";
  char text[38];
  std::size_t at = 0;
  text[at++] = '"';
  for (std::size_t i = 0; i < uuid.bytes.size(); ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) text[at++] = '-';
    text[at++] = hex[uuid.bytes[i] >> 4];
    text[at++] = hex[uuid.bytes[i] & 15];
  }
  text[at++] = '"';
  out.append(text, at);
}

}  // namespace bloomwatch::json::detail
