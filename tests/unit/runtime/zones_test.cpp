// Dates in time zones, by the machine's own rules.
#include "runtime/zones.h"

#include <gtest/gtest.h>

namespace bloomwatch::test {
namespace {

using namespace std::chrono;

Date on(int y, unsigned m, unsigned d) { return Date(local_days(year(y) / month(m) / day(d))); }
Time at(std::string_view text) { return *parse_rfc3339(text); }

TEST(Zones, the_same_moment_is_another_date_elsewhere) {
  const Time late = at("2026-11-20T23:30:00Z");
  EXPECT_EQ(date_in("UTC", late), on(2026, 11, 20));
  EXPECT_EQ(date_in("Europe/Berlin", late), on(2026, 11, 21));
  EXPECT_EQ(date_in("America/New_York", late), on(2026, 11, 20));
  EXPECT_EQ(date_in("Pacific/Kiritimati", late), on(2026, 11, 21));
  EXPECT_EQ(date_in("Asia/Calcutta", late), on(2026, 11, 21)) << "a link to another name";
}

TEST(Zones, summer_time_counts) {
  EXPECT_EQ(date_in("Europe/Berlin", at("2026-06-30T22:30:00Z")), on(2026, 7, 1));
  EXPECT_EQ(date_in("Europe/Berlin", at("2026-11-30T22:30:00Z")), on(2026, 11, 30));
}

TEST(Zones, before_1970_is_before_1970) {
  EXPECT_EQ(date_in("UTC", at("1969-12-31T23:59:59.999Z")), on(1969, 12, 31));
  EXPECT_EQ(date_in("UTC", at("1900-01-01T00:00:00Z")), on(1900, 1, 1));
}

TEST(Zones, what_is_not_known_is_utc) {
  EXPECT_EQ(date_in("Middle/Earth", at("2026-11-20T23:30:00Z")), on(2026, 11, 20));
  EXPECT_EQ(date_in("", at("2026-11-20T23:30:00Z")), on(2026, 11, 20));
  EXPECT_EQ(start_of("../etc/passwd", on(2026, 11, 20)), at("2026-11-20T00:00:00Z"));
}

TEST(Zones, a_date_begins_at_its_own_midnight) {
  EXPECT_EQ(start_of("UTC", on(2026, 11, 1)), at("2026-11-01T00:00:00Z"));
  EXPECT_EQ(start_of("Europe/Berlin", on(2026, 11, 1)), at("2026-10-31T23:00:00Z"));
  EXPECT_EQ(start_of("Europe/Berlin", on(2026, 7, 1)), at("2026-06-30T22:00:00Z"));
  EXPECT_EQ(start_of("Asia/Tokyo", on(2027, 1, 1)), at("2026-12-31T15:00:00Z"));
}

TEST(Zones, a_midnight_that_clocks_skip_is_when_they_skip_it) {
  // In Beirut, summer time begins at midnight: after 23:59:59 comes 01:00:00.
  EXPECT_EQ(start_of("Asia/Beirut", on(2025, 3, 30)), at("2025-03-29T22:00:00Z"));
  EXPECT_EQ(date_in("Asia/Beirut", at("2025-03-29T22:00:00Z")), on(2025, 3, 30));
  EXPECT_EQ(date_in("Asia/Beirut", at("2025-03-29T21:59:59Z")), on(2025, 3, 29));
}

}  // namespace
}  // namespace bloomwatch::test
