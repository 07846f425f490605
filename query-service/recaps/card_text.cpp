// Character by character, by Unicode's properties as GLib knows them.
#include "query-service/recaps/card_text.h"

#include <glib.h>

#include <utility>

namespace bloomwatch {
namespace {

void append(std::string& out, gunichar c) {
  char bytes[6];
  out.append(bytes, static_cast<std::size_t>(g_unichar_to_utf8(c, bytes)));
}

bool is_mark(GUnicodeType type) {
  return type == G_UNICODE_NON_SPACING_MARK || type == G_UNICODE_ENCLOSING_MARK || type == G_UNICODE_SPACING_MARK;
}

/// Zero-width joiners shape Arabic and Indic letters and hold emoji together; all other invisible characters only do harm here.
bool is_harmful(gunichar c, GUnicodeType type) {
  constexpr gunichar zero_width_non_joiner = 0x200C, zero_width_joiner = 0x200D;
  if (c == zero_width_non_joiner || c == zero_width_joiner) return false;
  return type == G_UNICODE_FORMAT || type == G_UNICODE_PRIVATE_USE || type == G_UNICODE_SURROGATE || type == G_UNICODE_UNASSIGNED;
}

bool is_gap(gunichar c, GUnicodeType type) {
  return type == G_UNICODE_CONTROL || type == G_UNICODE_LINE_SEPARATOR || type == G_UNICODE_PARAGRAPH_SEPARATOR || g_unichar_isspace(c);
}

}  // namespace

std::string fit_for_card(std::string_view text) {
  gchar* valid = g_utf8_make_valid(text.data(), static_cast<gssize>(text.size()));
  std::string fit;
  std::size_t length = 0, marks = 0;
  bool gap = false;
  for (const gchar* at = valid; *at != '\0'; at = g_utf8_next_char(at)) {
    const gunichar c = g_utf8_get_char(at);
    const GUnicodeType type = g_unichar_type(c);
    if (is_gap(c, type)) {
      gap = !fit.empty();
      continue;
    }
    marks = is_mark(type) ? marks + 1 : 0;
    if (is_harmful(c, type) || marks > card_marks_max) continue;
    if (length >= card_text_length_max) {
      fit += "…";
      break;
    }
    if (std::exchange(gap, false)) fit += ' ';
    append(fit, c);
    ++length;
  }
  g_free(valid);
  return fit;
}

std::string isolated(std::string_view text) {
  constexpr std::string_view first_strong_isolate = "\u2068", pop_isolate = "\u2069";
  return std::string(first_strong_isolate) + std::string(text) + std::string(pop_isolate);
}

std::string escape_xml(std::string_view text) {
  std::string escaped;
  for (const char c : text) {
    switch (c) {
      case '&':
        escaped += "&amp;";
        break;
      case '<':
        escaped += "&lt;";
        break;
      case '>':
        escaped += "&gt;";
        break;
      case '"':
        escaped += "&quot;";
        break;
      case '\'':
        escaped += "&apos;";
        break;
      default:
        escaped += c;
    }
  }
  return escaped;
}

}  // namespace bloomwatch
