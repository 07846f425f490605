// Reading and writing periods, and the days that they are made of.
#include "events/recap_period.h"

#include <fmt/format.h>

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

RecapPeriod::Wire RecapPeriod::wire() const { return month == 0 ? fmt::format("{:04}", year) : fmt::format("{:04}-{:02}", year, month); }

Date RecapPeriod::first_day() const { return first_of(year, month == 0 ? 1 : month); }

Date RecapPeriod::end_day() const { return month == 0 || month == 12 ? first_of(year + 1, 1) : first_of(year, month + 1); }

std::string date_text(Date date) {
  const std::chrono::year_month_day parts(date);
  return fmt::format("{:04}-{:02}-{:02}", static_cast<int>(parts.year()), static_cast<unsigned>(parts.month()),
                     static_cast<unsigned>(parts.day()));
}

}  // namespace bloomwatch
