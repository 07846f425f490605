// Periods and their days in time zones, and the arithmetic of recaps.
#include "query-service/recaps/figures.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "events/recap_period.h"
#include "projector/analytics/analytics.h"

namespace bloomwatch::test {
namespace {

using testing::ElementsAre;
using testing::Field;

Time at(std::string_view text) { return *parse_rfc3339(text); }
RecapPeriod period(const std::string& text) { return *RecapPeriod::from(text); }

TEST(RecapPeriod, is_a_year_or_a_month) {
  EXPECT_EQ(period("2026").number(), 2026);
  EXPECT_EQ(period("2026").first_month(), 202601);
  EXPECT_EQ(period("2026").last_month(), 202612);
  EXPECT_EQ(period("2026-11").number(), 202611);
  EXPECT_EQ(period("2026-11").wire(), "2026-11");
  EXPECT_EQ(date_text(period("2024-02").end_day() - std::chrono::days(1)), "2024-02-29");
  EXPECT_EQ(date_text(period("2025-12").end_day()), "2026-01-01");
  EXPECT_EQ(date_text(period("2025").first_day()), "2025-01-01");
  for (const std::string wrong :
       {"", "26", "2026-", "2026-1", "2026-00", "2026-13", "2026-1a", "20260", "2026-111", "1899", "3000", "+026"})
    EXPECT_FALSE(RecapPeriod::from(wrong)) << wrong;
}

TEST(RecapPeriod, begins_and_ends_where_one_lives) {
  EXPECT_FALSE(period("2025-10").is_over("Europe/Berlin", at("2025-10-31T22:59:59.999Z")));
  EXPECT_TRUE(period("2025-10").is_over("Europe/Berlin", at("2025-10-31T23:00:00Z")));
  EXPECT_TRUE(period("2025").is_over("Pacific/Kiritimati", at("2025-12-31T10:00:00Z")));
  EXPECT_FALSE(period("2025").is_over("America/New_York", at("2026-01-01T04:59:59Z")));
  EXPECT_TRUE(period("2026").has_begun("Asia/Tokyo", at("2025-12-31T15:00:00Z")));
  EXPECT_FALSE(period("2026").has_begun("UTC", at("2025-12-31T15:00:00Z")));
}

TEST(LongestStreak, is_the_first_of_the_longest_runs) {
  const auto day = [](int month, unsigned number) {
    return day_number(Date(std::chrono::local_days(std::chrono::year(2026) / month / static_cast<int>(number))));
  };
  EXPECT_FALSE(longest_streak({}));
  const std::vector<RecapDay> days = {{day(2, 27), 1}, {day(2, 28), 1}, {day(3, 1), 1}, {day(3, 3), 9},
                                      {day(3, 5), 9},  {day(3, 6), 1},  {day(3, 7), 1}};
  EXPECT_EQ(longest_streak(days)->days, 3);
  EXPECT_EQ(longest_streak(days)->from, "2026-02-27");
  EXPECT_EQ(longest_streak(days)->to, "2026-03-01");
  EXPECT_EQ(longest_streak(std::span(days).subspan(3, 1))->to, "2026-03-03");
  EXPECT_EQ(biggest_binge(days)->day, day(3, 3));
  EXPECT_EQ(biggest_binge({}), nullptr);
}

TEST(RecapFigures, round_once_and_halves_up) {
  EXPECT_FALSE(hours_of(std::nullopt));
  EXPECT_EQ(hours_of(0), 0.0);
  EXPECT_EQ(hours_of(2), 0.0);
  EXPECT_EQ(hours_of(3), 0.1);
  EXPECT_EQ(hours_of(330), 5.5);
  const ProfileId one(Uuid::v5({}, "1")), other(Uuid::v5({}, "2")), third(Uuid::v5({}, "3"));
  EXPECT_EQ(mean_score({{one, 95}, {other, 85}, {third, 80}}), 8.67);
  EXPECT_EQ(spread_of({{one, 95}, {other, 85}, {third, 30}}), 65);
  EXPECT_EQ(spread_of({{one, 95}}), 0);
}

TEST(TasteTwins, are_who_differ_least_then_who_share_most) {
  const ProfileId a(Uuid::v5({}, "a")), b(Uuid::v5({}, "b")), c(Uuid::v5({}, "c")), d(Uuid::v5({}, "d"));
  std::vector<TastePair> pairs = {{a, b, 3, 31}, {a, c, 1, 10}, {b, c, 6, 60}, {c, d, 1000, 10'001}};
  sort_by_taste(pairs);
  EXPECT_THAT(pairs, ElementsAre(Field(&TastePair::rated, 6), Field(&TastePair::rated, 1), Field(&TastePair::rated, 1000),
                                 Field(&TastePair::rated, 3)));
}

}  // namespace
}  // namespace bloomwatch::test
