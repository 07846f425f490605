// A date as people remember it: a year, perhaps a month, perhaps a day. On the wire `{year, month?, day?}`.
// Plain numbers, so that whatever was written always decodes; commands check with is_possible().
#pragma once

#include <boost/describe.hpp>
#include <chrono>
#include <compare>
#include <cstdint>
#include <optional>

#include "events/title_limits.h"

namespace bloomwatch {

struct PartialDate {
  std::int16_t year = 0;
  std::optional<std::int16_t> month = {};
  std::optional<std::int16_t> day = {};

  auto operator<=>(const PartialDate&) const = default;

  /// Year year_min–year_max, a day only with a month, and a day which that month has.
  bool is_possible() const {
    if (year < year_min || year > year_max) return false;
    if (!month) return !day;
    if (*month < 1 || *month > 12) return false;
    if (!day) return true;
    return *day >= 1 && *day <= 31 &&
           std::chrono::year_month_day(std::chrono::year(year), std::chrono::month(static_cast<unsigned>(*month)),
                                       std::chrono::day(static_cast<unsigned>(*day)))
               .ok();
  }
};
BOOST_DESCRIBE_STRUCT(PartialDate, (), (year, month, day))

}  // namespace bloomwatch
