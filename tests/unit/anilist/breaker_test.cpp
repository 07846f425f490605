// The breaker: opens when enough has failed, tries once in a while, and waits longer each time.
#include "query-service/anilist/breaker.h"

#include <gtest/gtest.h>

namespace bloomwatch::anilist {
namespace {

using namespace std::chrono_literals;

constexpr TimePoint start = TimePoint(1000h);
const Breaker::Options of_two = {.failures_max = 2, .open_for = 10s, .open_for_doublings_max = 2};

Breaker opened() {
  Breaker breaker(of_two);
  breaker.failed(start, true);
  return breaker;
}

TEST(Breaker, opens_after_so_many_failures_in_a_row) {
  Breaker breaker(of_two);
  breaker.failed(start, false);
  breaker.succeeded();
  breaker.failed(start, false);
  EXPECT_TRUE(breaker.take(start)) << "a success between them breaks the row";
  breaker.failed(start, false);
  EXPECT_FALSE(breaker.take(start));
  EXPECT_EQ(breaker.closed_until(), start + 10s);
}

TEST(Breaker, opens_at_once_when_there_is_no_service) { EXPECT_EQ(opened().state(), Breaker::State::open); }

TEST(Breaker, lets_one_trial_through_and_nobody_else) {
  Breaker breaker = opened();
  EXPECT_FALSE(breaker.take(start + 9s));
  EXPECT_TRUE(breaker.take(start + 10s));
  EXPECT_FALSE(breaker.take(start + 10s));
  breaker.succeeded();
  EXPECT_EQ(breaker.state(), Breaker::State::closed);
  EXPECT_TRUE(breaker.take(start + 10s));
}

TEST(Breaker, waits_twice_as_long_after_each_trial_that_fails_up_to_a_bound) {
  Breaker breaker = opened();
  TimePoint at = start + 10s;
  for (const auto wait : {20s, 40s, 40s}) {
    ASSERT_TRUE(breaker.take(at));
    breaker.failed(at, false);
    EXPECT_EQ(breaker.closed_until(), at + wait);
    at += wait;
  }
  ASSERT_TRUE(breaker.take(at));
  breaker.succeeded();
  breaker.failed(at, true);
  EXPECT_EQ(breaker.closed_until(), at + 10s) << "a success begins the row anew";
}

TEST(Breaker, gives_up_a_trial_that_never_comes_back) {
  Breaker breaker = opened();
  ASSERT_TRUE(breaker.take(start + 10s));
  EXPECT_TRUE(breaker.take(start + 20s));
}

TEST(Breaker, tries_again_at_once_after_a_trial_that_said_nothing) {
  Breaker breaker = opened();
  ASSERT_TRUE(breaker.take(start + 10s));
  breaker.undecided();
  EXPECT_EQ(breaker.state(), Breaker::State::half_open);
  EXPECT_TRUE(breaker.take(start + 10s));
}

TEST(Breaker, is_not_moved_by_failures_that_were_sent_before_it_opened) {
  Breaker breaker = opened();
  breaker.failed(start + 5s, true);
  EXPECT_EQ(breaker.closed_until(), start + 10s);
}

}  // namespace
}  // namespace bloomwatch::anilist
