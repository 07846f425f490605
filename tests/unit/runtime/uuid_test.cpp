// Version 7: in order of the calls, whatever the clock says, and never twice.
#include "runtime/uuid.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <functional>
#include <thread>
#include <vector>

namespace bloomwatch {
namespace {

using namespace std::chrono_literals;

// A process has one counter: the latest of the times is that of the test that looks at it, so that their order does not matter.
const Time start = Time(1'800'000'000'000ms);

TEST(UuidV7, begins_with_the_milliseconds) { EXPECT_TRUE(Uuid::v7(start + 1h).to_string().starts_with("01a31893-3e80-7")); }

TEST(UuidV7, says_its_time_and_no_other_version_does) {
  const Uuid id = Uuid::v7(std::uint64_t{0x01a318933e80} << 12 | 0xabc, 0x0123456789abcdef);
  EXPECT_EQ(id.to_string(), "01a31893-3e80-7abc-8123-456789abcdef");
  EXPECT_EQ(id.time(), start + 1h);
  EXPECT_EQ(Uuid::v5(Uuid{}, "").time(), std::nullopt);
  EXPECT_EQ(Uuid{}.time(), std::nullopt);
}

TEST(UuidV7, only_rises_within_a_millisecond_and_when_the_clock_goes_back) {
  std::vector<Uuid> made;
  for (int i = 0; i < 10'000; ++i) made.push_back(Uuid::v7(start + 1s));
  for (int i = 0; i < 100; ++i) made.push_back(Uuid::v7(start));
  EXPECT_TRUE(std::ranges::is_sorted(made, std::less_equal()));
}

TEST(UuidV7, is_unique_across_threads) {
  std::vector<std::vector<Uuid>> made(4);
  {
    std::vector<std::jthread> threads;
    for (auto& mine : made)
      threads.emplace_back([&mine] {
        for (int i = 0; i < 10'000; ++i) mine.push_back(Uuid::v7(start + 2s));
      });
  }
  std::vector<Uuid> all;
  for (const auto& mine : made) {
    EXPECT_TRUE(std::ranges::is_sorted(mine));
    all.insert(all.end(), mine.begin(), mine.end());
  }
  std::ranges::sort(all);
  EXPECT_EQ(std::ranges::adjacent_find(all), all.end());
}

}  // namespace
}  // namespace bloomwatch
