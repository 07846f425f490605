// Reading and writing periods, and the days that they are made of.
#include "events/recap_period.h"

#include <algorithm>

#include "runtime/ascii.h"

namespace bloomwatch {
namespace {

constexpr std::string_view expected_form = "must be a year (2026) or a month (2026-11) from 1900 to 2999";

std::int32_t number_of(std::string_view digits) {
  std::int32_t number = 0;
  for (const char c : digits) number = number * 10 + (c - '0');
  return number;
}

std::string padded(std::int64_t number, std::size_t width) {
  std::string text = std::to_string(number);
  if (text.size() < width) text.insert(0, width - text.size(), '0');
  return text;
}

Date first_of(std::int32_t year, std::int32_t month) {
  return Date(std::chrono::year(year) / std::chrono::month(static_cast<unsigned>(month)) / std::chrono::day(1));
}

}  // namespace

std::expected<RecapPeriod, std::string> RecapPeriod::from(const Wire& text) {
  const bool is_month = text.size() == 7 && text[4] == '-' && ascii::is_digit(text[5]) && ascii::is_digit(text[6]);
  const bool is_year = text.size() == 4;
  if ((!is_year && !is_month) || !std::ranges::all_of(std::string_view(text).substr(0, 4), ascii::is_digit))
    return std::unexpected(std::string(expected_form));
  RecapPeriod period{.year = number_of(std::string_view(text).substr(0, 4)), .month = 0};
  if (is_month) period.month = number_of(std::string_view(text).substr(5));
  if (period.year < 1900 || period.year > 2999 || period.month > 12 || (is_month && period.month == 0))
    return std::unexpected(std::string(expected_form));
  return period;
}

RecapPeriod::Wire RecapPeriod::wire() const { return month == 0 ? padded(year, 4) : padded(year, 4) + '-' + padded(month, 2); }

Date RecapPeriod::first_day() const { return first_of(year, month == 0 ? 1 : month); }

Date RecapPeriod::end_day() const { return month == 0 || month == 12 ? first_of(year + 1, 1) : first_of(year, month + 1); }

std::string date_text(Date date) {
  const std::chrono::year_month_day parts(date);
  return padded(static_cast<int>(parts.year()), 4) + '-' + padded(static_cast<unsigned>(parts.month()), 2) + '-' +
         padded(static_cast<unsigned>(parts.day()), 2);
}

}  // namespace bloomwatch
