// The figures of analytics: whole numbers in, what is shown out; and what is said where there is nothing to count.
#include "query-service/analytics/figures.h"

#include <gmock/gmock.h>

namespace bloomwatch::test {
namespace {

using Days = std::vector<std::int32_t>;

TEST(WatchTime, is_the_minutes_when_every_length_is_known) {
  const WatchTime time = watch_time(5, 120, 0);
  EXPECT_EQ(time.minutes, 120);
  EXPECT_EQ(time.episodes_timed, 5);
  EXPECT_EQ(time.label_key, "all-known");
}

TEST(WatchTime, says_how_many_episodes_are_in_no_minute) {
  const WatchTime time = watch_time(5, 72, 2);
  EXPECT_EQ(time.minutes, 72);
  EXPECT_EQ(time.episodes_timed, 3);
  EXPECT_EQ(time.episodes_untimed, 2);
  EXPECT_EQ(time.label_key, "some-unknown");
}

TEST(WatchTime, is_no_number_when_no_length_is_known) {
  EXPECT_FALSE(watch_time(5, 0, 5).minutes);
  EXPECT_EQ(watch_time(5, 0, 5).label_key, "none-known");
  EXPECT_EQ(watch_time(0, 0, 0).minutes, 0);
  EXPECT_EQ(watch_time(0, 0, 0).label_key, "nothing-watched");
}

TEST(Streaks, go_on_until_a_day_has_passed_without_a_session) {
  EXPECT_EQ(streak_of(Days{100, 99, 98}, 100).current, 3);
  EXPECT_EQ(streak_of(Days{100, 99, 98}, 100).label_key, "watched-today");
  EXPECT_EQ(streak_of(Days{100, 99, 98}, 101).current, 3);
  EXPECT_EQ(streak_of(Days{100, 99, 98}, 101).label_key, "watch-today");
  EXPECT_EQ(streak_of(Days{100, 99, 98}, 102).current, 0);
  EXPECT_EQ(streak_of(Days{100, 99, 98}, 102).longest, 3);
  EXPECT_EQ(streak_of(Days{100, 99, 98}, 102).label_key, "over");
}

TEST(Streaks, the_longest_may_be_any) {
  EXPECT_EQ(streak_of(Days{100, 98, 97, 96, 90, 89}, 100).longest, 3);
  EXPECT_EQ(streak_of(Days{100, 98, 97, 96, 90, 89}, 100).current, 1);
  EXPECT_EQ(streak_of(Days{100, 90, 89, 88, 87}, 100).longest, 4);
  EXPECT_EQ(streak_of(Days{2, 1, 0, -1}, 100).longest, 4) << "over 1970";
}

TEST(Streaks, a_session_may_be_dated_in_a_zone_where_it_is_tomorrow) {
  EXPECT_EQ(streak_of(Days{101, 100}, 100).current, 2);
  EXPECT_EQ(streak_of(Days{101}, 100).label_key, "watched-today");
}

TEST(Streaks, without_a_session_there_is_none) {
  EXPECT_EQ(streak_of({}, 100).current, 0);
  EXPECT_EQ(streak_of({}, 100).longest, 0);
  EXPECT_EQ(streak_of({}, 100).label_key, "no-sessions");
}

Completion counts(std::int64_t backlog, std::int64_t watching, std::int64_t finished) {
  Completion completion;
  completion.backlog = backlog;
  completion.watching = watching;
  completion.finished = finished;
  return completion_of(completion);
}

TEST(Completions, are_of_what_was_started) {
  EXPECT_EQ(counts(10, 1, 3).rate, 0.75);
  EXPECT_EQ(counts(10, 1, 3).total_shows, 14);
  EXPECT_EQ(counts(10, 1, 3).label_key, "under-way");
  EXPECT_EQ(counts(10, 0, 3).rate, 1.0);
  EXPECT_EQ(counts(10, 0, 3).label_key, "all-finished");
}

TEST(Completions, are_none_where_nothing_was_started) {
  EXPECT_FALSE(counts(10, 0, 0).rate);
  EXPECT_EQ(counts(10, 0, 0).label_key, "nothing-started");
  EXPECT_EQ(counts(0, 0, 0).label_key, "no-shows");
}

using Given = std::vector<std::pair<std::int16_t, std::int64_t>>;

std::int64_t count_at(const Distribution& distribution, double score) {
  for (const ScoreCount& each : distribution.scores)
    if (each.score == score) return each.count;
  return -1;
}

TEST(Distributions, have_all_twenty_halves) {
  const Distribution given = distribution_of(Given{{5, 1}, {85, 2}, {100, 3}});
  EXPECT_THAT(given.scores, testing::SizeIs(20));
  EXPECT_EQ(given.rated_count, 6);
  EXPECT_EQ(count_at(given, 0.5), 1);
  EXPECT_EQ(count_at(given, 8.5), 2);
  EXPECT_EQ(count_at(given, 10.0), 3);
  EXPECT_EQ(count_at(given, 9.5), 0);
  EXPECT_EQ(given.average_score, 7.92) << "47.5 by 6";
}

TEST(Distributions, what_is_no_half_counts_as_the_nearest) {
  const Distribution given = distribution_of(Given{{1, 1}, {73, 1}, {72, 1}, {78, 1}});
  EXPECT_EQ(count_at(given, 0.5), 1);
  EXPECT_EQ(count_at(given, 7.0), 1);
  EXPECT_EQ(count_at(given, 7.5), 1);
  EXPECT_EQ(count_at(given, 8.0), 1);
}

TEST(Distributions, without_ratings_have_no_average) {
  const Distribution none = distribution_of({});
  EXPECT_FALSE(none.average_score);
  EXPECT_EQ(none.label_key, "not-enough-data");
  EXPECT_THAT(none.scores, testing::SizeIs(20));
}

TEST(Moods, are_found_whatever_the_case) {
  EXPECT_TRUE(speaks_of("Cosy and Calm", "calm"));
  EXPECT_TRUE(speaks_of("静か、cosy", "静か"));
  EXPECT_FALSE(speaks_of("Cosy", "calm"));
  EXPECT_FALSE(speaks_of("", "calm"));
}

}  // namespace
}  // namespace bloomwatch::test
