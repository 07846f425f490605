// How often is too often.
#include "runtime/token_buckets.h"

#include <gtest/gtest.h>

namespace bloomwatch {
namespace {

using namespace std::chrono_literals;

TEST(TokenBuckets, give_as_many_as_they_hold_and_more_as_time_goes_by) {
  TokenBuckets buckets(2, 0.5);
  const TokenBuckets::Clock::time_point start{};
  EXPECT_FALSE(buckets.take(1, start));
  EXPECT_FALSE(buckets.take(1, start));
  EXPECT_EQ(buckets.take(1, start), 2s);
  EXPECT_FALSE(buckets.take(2, start)) << "another key";
  EXPECT_FALSE(buckets.take(1, start + 2s));
  EXPECT_TRUE(buckets.take(1, start + 2s));
}

TEST(TokenBuckets, give_many_at_once_or_none_of_them) {
  TokenBuckets buckets(10, 2);
  const TokenBuckets::Clock::time_point start{};
  EXPECT_FALSE(buckets.take(1, start, 7));
  EXPECT_EQ(buckets.take(1, start, 7), 2s);
  EXPECT_FALSE(buckets.take(1, start, 3)) << "what was refused took none";
  EXPECT_TRUE(buckets.take(1, start));
}

TEST(TokenBuckets, do_not_forget_who_has_none_left_for_many_others) {
  TokenBuckets buckets(2, 1e-9);
  const TokenBuckets::Clock::time_point start{};
  for (int i = 0; i < 3; ++i) buckets.take(0, start);
  for (std::size_t key = 1; key <= 3 * TokenBuckets::buckets_max; ++key) EXPECT_FALSE(buckets.take(key, start));
  EXPECT_TRUE(buckets.take(0, start));
}

}  // namespace
}  // namespace bloomwatch
