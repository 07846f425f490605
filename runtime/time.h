// Time as BloomWatch keeps it: UTC in milliseconds, written as RFC 3339. Deciders and folds are given it, they never read a clock.
// Dates without a time are `std::chrono::year_month_day` where whole and `PartialDate` where people remember less.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace bloomwatch {

using Time = std::chrono::sys_time<std::chrono::milliseconds>;

/// The machine's clock, to the millisecond. Called at the edges only.
inline Time now() { return std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now()); }

/// `2026-11-21T12:04:00.000Z`: always UTC, always three decimals.
std::string to_rfc3339(Time time);

/// RFC 3339 with any offset and any number of decimals (what is beyond milliseconds is cut); years 0001–9999. Nothing if it is not that.
std::optional<Time> parse_rfc3339(std::string_view text);

/// Whether the IANA time zone database of this machine knows `name` (`Europe/Berlin`, `UTC`).
bool is_time_zone(std::string_view name);

}  // namespace bloomwatch
