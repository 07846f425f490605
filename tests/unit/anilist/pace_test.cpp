// The budget of requests: kept as AniList tells it, and carefully where it tells nothing.
#include "query-service/anilist/pace.h"

#include <gtest/gtest.h>

namespace bloomwatch::anilist {
namespace {

using namespace std::chrono_literals;

constexpr TimePoint first_asked = TimePoint(1000h);
const Pace::Options of_three = {.limit_assumed = 3, .window = 60s, .spacing_min = 0ms};

RateNews left(int remaining) { return {.remaining = remaining}; }

/// Sends and is answered at once, with the same news each time.
void ask(Pace& pace, TimePoint at, const RateNews& news = {}) {
  pace.sent(at);
  pace.answered(news, at);
}

TEST(Pace, lets_a_fresh_process_ask_at_once) { EXPECT_LE(Pace(of_three).next(), first_asked); }

TEST(Pace, never_exceeds_its_own_count_where_answers_say_nothing) {
  Pace pace(of_three);
  for (int i = 0; i < 3; ++i) {
    EXPECT_LE(pace.next(), first_asked + i * 1s);
    ask(pace, first_asked + i * 1s);
  }
  EXPECT_EQ(pace.next(), first_asked + 60s);
  ask(pace, first_asked + 60s);
  EXPECT_EQ(pace.next(), first_asked + 61s) << "the window slides";
}

TEST(Pace, keeps_bursts_apart) {
  Pace pace({.limit_assumed = 30, .window = 60s, .spacing_min = 200ms});
  ask(pace, first_asked);
  EXPECT_EQ(pace.next(), first_asked + 200ms);
}

TEST(Pace, takes_the_limit_of_the_answers_up_and_down) {
  Pace pace(of_three);
  ask(pace, first_asked, {.limit = 90, .remaining = 80});
  for (int i = 0; i < 5; ++i) ask(pace, first_asked, {.limit = 90, .remaining = 70 - i});
  EXPECT_LE(pace.next(), first_asked);
  ask(pace, first_asked, {.limit = 2, .remaining = 60});
  EXPECT_EQ(pace.next(), first_asked + 60s) << "more than two have gone within a minute";
}

TEST(Pace, waits_the_window_out_when_nothing_is_left_of_it) {
  Pace pace(of_three);
  ask(pace, first_asked, left(1));
  EXPECT_LE(pace.next(), first_asked + 1s);
  ask(pace, first_asked + 1s, left(0));
  EXPECT_EQ(pace.next(), first_asked + 60s) << "counted from when the window was first seen";
}

TEST(Pace, counts_what_is_under_way_against_what_is_left) {
  Pace pace({.limit_assumed = 30, .window = 60s, .spacing_min = 0ms});
  pace.sent(first_asked);
  pace.sent(first_asked);
  pace.answered(left(1), first_asked);
  EXPECT_EQ(pace.next(), first_asked + 60s) << "the one left may be the other one's";
}

TEST(Pace, believes_a_reset_over_its_own_reckoning) {
  Pace pace(of_three);
  ask(pace, first_asked, {.remaining = 0, .reset_after = 7s});
  EXPECT_EQ(pace.next(), first_asked + 7s);
}

TEST(Pace, comes_back_when_it_is_told_to) {
  Pace pace(of_three);
  ask(pace, first_asked, {.remaining = 0, .retry_after = 12s, .refused = true});
  EXPECT_EQ(pace.next(), first_asked + 12s);
}

TEST(Pace, waits_a_whole_window_after_a_refusal_that_says_nothing) {
  Pace pace(of_three);
  ask(pace, first_asked, {.refused = true});
  EXPECT_EQ(pace.next(), first_asked + 60s);
}

TEST(Pace, cuts_waits_that_nobody_means) {
  Pace pace(of_three);
  ask(pace, first_asked, {.retry_after = std::chrono::hours(10'000), .refused = true});
  EXPECT_EQ(pace.next(), first_asked + Pace::told_wait_max);
}

TEST(Pace, forgets_what_was_left_when_the_window_is_over) {
  Pace pace(of_three);
  ask(pace, first_asked, left(0));
  pace.sent(first_asked + 60s);
  EXPECT_LE(pace.next(), first_asked + 60s);
}

}  // namespace
}  // namespace bloomwatch::anilist
