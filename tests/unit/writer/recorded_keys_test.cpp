// The filter of recorded Idempotency-Keys: what it may never do, and how seldom it is wrong.
#include "command-service/recorded_keys.h"

#include <gtest/gtest.h>

#include <vector>

#include "tests/unit/writer_simulation/bank.h"

namespace bloomwatch {
namespace {

constexpr Time began{std::chrono::hours(1000)};

IdempotencyKey key(std::uint64_t number) { return IdempotencyKey(simulation::small_uuid(4, number)); }

/// A filter that has read that nothing was recorded before.
void fill(RecordedKeys& keys) {
  keys.begin();
  keys.grow_old(began);
  keys.take(*keys.next_page(), {});
}

TEST(RecordedKeys, says_maybe_of_every_key_until_all_pages_are_read) {
  RecordedKeys keys(1000, 2, std::chrono::hours(24));
  EXPECT_TRUE(keys.may_hold(key(9)));
  keys.begin();
  const KeyPage first = keys.next_page().value();
  EXPECT_FALSE(keys.next_page()) << "one page at a time";
  keys.take(first, std::vector{key(1), key(2)});
  EXPECT_TRUE(keys.may_hold(key(9)));
  keys.give_up(keys.next_page().value());
  const KeyPage second = keys.next_page().value();
  EXPECT_EQ(second.after, key(2));
  keys.take(second, std::vector{key(3)});
  EXPECT_TRUE(keys.whole());
  EXPECT_FALSE(keys.may_hold(key(9)));
  for (std::uint64_t number = 1; number <= 3; ++number) EXPECT_TRUE(keys.may_hold(key(number)));
  EXPECT_FALSE(keys.next_page());
}

TEST(RecordedKeys, reads_all_again_and_ignores_pages_asked_for_before) {
  RecordedKeys keys(1000, 2, std::chrono::hours(24));
  fill(keys);
  keys.add(key(1));
  keys.read_again();
  const KeyPage old = keys.next_page().value();
  keys.read_again();
  keys.take(old, {});
  EXPECT_FALSE(keys.whole());
  keys.take(keys.next_page().value(), {});
  EXPECT_TRUE(keys.whole());
  EXPECT_TRUE(keys.may_hold(key(1))) << "what was known stays";
}

TEST(RecordedKeys, is_seldom_wrong_when_full_and_never_about_what_it_took) {
  constexpr std::uint64_t many = 100'000;
  RecordedKeys keys(many, 2, std::chrono::hours(24));
  fill(keys);
  for (std::uint64_t number = 0; number < many; ++number) keys.add(key(number));
  std::uint64_t missed = 0, wrong = 0;
  for (std::uint64_t number = 0; number < many; ++number) {
    missed += !keys.may_hold(key(number));
    wrong += keys.may_hold(key(many + number));
  }
  EXPECT_EQ(missed, 0U);
  EXPECT_LT(wrong, many / 200);
}

TEST(RecordedKeys, forgets_a_key_after_two_lives_and_not_after_one) {
  RecordedKeys keys(1000, 2, std::chrono::hours(24));
  fill(keys);
  keys.add(key(1));
  keys.grow_old(began + std::chrono::hours(24));
  EXPECT_TRUE(keys.may_hold(key(1)));
  keys.grow_old(began + std::chrono::hours(47));
  EXPECT_TRUE(keys.may_hold(key(1)));
  keys.grow_old(began + std::chrono::hours(48));
  EXPECT_FALSE(keys.may_hold(key(1)));
}

}  // namespace
}  // namespace bloomwatch
