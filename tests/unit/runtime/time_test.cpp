// Times: what RFC 3339 allows is read to the millisecond, what it does not is refused, and zone names cannot leave their directory.
#include "runtime/time.h"

#include <gtest/gtest.h>

namespace bloomwatch {
namespace {

std::string again(std::string_view text) {
  const auto time = parse_rfc3339(text);
  return time ? to_rfc3339(*time) : "refused";
}

TEST(Time, is_written_in_utc_with_three_decimals) {
  EXPECT_EQ(to_rfc3339(Time(std::chrono::milliseconds(0))), "1970-01-01T00:00:00.000Z");
  EXPECT_EQ(to_rfc3339(Time(std::chrono::milliseconds(-1))), "1969-12-31T23:59:59.999Z");
  EXPECT_EQ(again("2026-11-21T12:04:05.678Z"), "2026-11-21T12:04:05.678Z");
}

TEST(Time, is_read_with_any_offset_and_any_number_of_decimals) {
  EXPECT_EQ(again("2026-11-21T12:04:05Z"), "2026-11-21T12:04:05.000Z");
  EXPECT_EQ(again("2026-11-21t12:04:05.5z"), "2026-11-21T12:04:05.500Z");
  EXPECT_EQ(again("2026-11-21 12:04:05.123999999999999999+01:30"), "2026-11-21T10:34:05.123Z");
  EXPECT_EQ(again("2026-12-31T23:30:00-01:00"), "2027-01-01T00:30:00.000Z");
  EXPECT_EQ(again("2016-12-31T23:59:60Z"), "2017-01-01T00:00:00.000Z");
  EXPECT_EQ(again("2024-02-29T00:00:00Z"), "2024-02-29T00:00:00.000Z");
  EXPECT_EQ(again("0001-01-01T00:00:00Z"), "0001-01-01T00:00:00.000Z");
  EXPECT_EQ(again("9999-12-31T23:59:59.999Z"), "9999-12-31T23:59:59.999Z");
}

TEST(Time, is_refused_when_it_is_not_rfc_3339) {
  for (const char* text : {"",
                           "2026",
                           "2026-11-21",
                           "2026-11-21T12:04Z",
                           "2026-11-21T12:04:05",
                           "2026-11-21T12:04:05.Z",
                           "2026-02-29T00:00:00Z",
                           "2026-13-01T00:00:00Z",
                           "2026-00-01T00:00:00Z",
                           "2026-11-31T00:00:00Z",
                           "2026-11-21T24:00:00Z",
                           "2026-11-21T12:60:00Z",
                           "2026-11-21T12:04:61Z",
                           "2026-11-21T12:04:05+24:00",
                           "2026-11-21T12:04:05+0100",
                           "2026-11-21T12:04:05Z ",
                           " 2026-11-21T12:04:05Z",
                           "0000-01-01T00:00:00Z",
                           "0001-01-01T00:00:00+01:00",
                           "9999-12-31T23:59:59-01:00",
                           "2026\r11-21T12:04:05Z",
                           "2026-11-21T12\03204:05Z",
                           "+026-11-21T12:04:05Z",
                           "20261121T120405Z"})
    EXPECT_EQ(again(text), "refused") << text;
}

TEST(TimeZone, is_known_when_the_machine_has_it) {
  for (const char* name : {"UTC", "Europe/Berlin", "America/Argentina/Buenos_Aires", "Etc/GMT+5", "America/Port-au-Prince"})
    EXPECT_TRUE(is_time_zone(name)) << name;
}

TEST(TimeZone, is_unknown_when_it_is_a_path_or_another_file) {
  for (const char* name :
       {"", "/", "Europe", "Europe/", "/Europe/Berlin", "Europe//Berlin", "../../etc/passwd", "Europe/../UTC", "zone.tab", "tzdata.zi",
        "posix/UTC", "right/UTC", "localtime", "Mars/Olympus", "europe/berlin", "Europe/Berlin\n", "posixrules", "Factory"})
    EXPECT_FALSE(is_time_zone(name)) << name;
  EXPECT_FALSE(is_time_zone(std::string_view("UTC\0", 4)));
  EXPECT_FALSE(is_time_zone(std::string(1000, 'A')));
}

}  // namespace
}  // namespace bloomwatch
