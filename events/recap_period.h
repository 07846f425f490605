// What a recap is about: a year or a month of the calendar, `2026` or `2026-11`. Commands name it in links, folds keep rows by it, pages
// read them. Days are numbered from 1970-01-01; months are year × 100 + month, years themselves, so that one number tells which it is.
#pragma once

#include <chrono>
#include <cstdint>
#include <expected>
#include <string>
#include <string_view>

#include "runtime/time.h"
#include "runtime/zones.h"

namespace bloomwatch {

/// A year from 1900 to 2999, or a month of one.
struct RecapPeriod {
  std::int32_t year = 2000;
  std::int32_t month = 0;  ///< 1–12; 0: the whole year

  using Wire = std::string;
  static std::expected<RecapPeriod, std::string> from(const Wire& text);
  Wire wire() const;
  bool operator==(const RecapPeriod&) const = default;

  /// As rows are keyed: 2026 or 202611.
  std::int32_t number() const { return month == 0 ? year : year * 100 + month; }
  std::int32_t first_month() const { return year * 100 + (month == 0 ? 1 : month); }
  std::int32_t last_month() const { return year * 100 + (month == 0 ? 12 : month); }
  Date first_day() const;
  /// The day after the last.
  Date end_day() const;
  /// Whether its first day has begun in that zone.
  bool has_begun(std::string_view zone, Time time) const { return start_of(zone, first_day()) <= time; }
  /// Whether its last day has ended there.
  bool is_over(std::string_view zone, Time time) const { return start_of(zone, end_day()) <= time; }
};

/// `2026-11-21`.
std::string date_text(Date date);

}  // namespace bloomwatch
