// The date library behind two functions; its exceptions end here.
#include "runtime/zones.h"

#include <date/tz.h>

#include <stdexcept>

namespace bloomwatch {
namespace {

/// Null if it is not known. What is found stays for the program's life.
const date::time_zone* find_zone(std::string_view name) {
  if (!is_time_zone(name)) return nullptr;
  try {
    return date::locate_zone(name);
  } catch (const std::runtime_error&) {
    return nullptr;  // a file in /usr/share/zoneinfo that is no zone
  }
}

}  // namespace

Date date_in(std::string_view zone, Time time) {
  std::chrono::seconds offset{0};
  if (const auto* known = find_zone(zone)) offset = known->get_info(std::chrono::floor<std::chrono::seconds>(time)).offset;
  return Date(std::chrono::floor<std::chrono::days>(time.time_since_epoch() + offset));
}

Time start_of(std::string_view zone, Date date) {
  const std::chrono::seconds wall = date.time_since_epoch();
  const auto* known = find_zone(zone);
  if (known == nullptr) return Time(wall);
  const date::local_info info = known->get_info(date::local_seconds(wall));
  // Skipped: the moment of the skip. Twice there: the first of the two.
  if (info.result == date::local_info::nonexistent) return info.first.end;
  return Time(wall - info.first.offset);
}

}  // namespace bloomwatch
