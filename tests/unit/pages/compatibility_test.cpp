// The compatibility score: a worked example, the rounding, groups, and no data.
#include "query-service/dashboard/compatibility.h"

#include <gtest/gtest.h>

namespace bloomwatch {
namespace {

ProfileId person(std::uint8_t number) {
  ProfileId id;
  id.uuid.bytes[15] = number;
  return id;
}

PairGaps pair(std::uint8_t one, std::uint8_t other, std::int64_t rated, std::int64_t gap_tenths) {
  return {{person(one), person(other)}, rated, gap_tenths};
}

Compatibility of(std::initializer_list<PairGaps> pairs, std::int64_t together) {
  return compatibility_of(std::span(pairs.begin(), pairs.size()), together);
}

TEST(Compatibility, is_90_when_three_anime_differ_by_one_each) {
  const auto found = of({pair(1, 2, 3, 30)}, 3);
  EXPECT_EQ(found.score, 90);
  EXPECT_EQ(found.average_gap, 1.0);
  EXPECT_EQ(found.rated_together_count, 3);
  ASSERT_EQ(found.pairs.size(), 1u);
  EXPECT_EQ(found.pairs[0].score, 90);
}

TEST(Compatibility, says_what_the_document_says_at_87) {
  const auto found = of({pair(1, 2, 9, 117)}, 9);
  EXPECT_EQ(found.score, 87);
  EXPECT_EQ(found.average_gap, 1.3);
  EXPECT_EQ(found.label, "Very synced, with a little spice");
  EXPECT_EQ(found.label_key, "very-synced");
}

TEST(Compatibility, is_computed_from_the_exact_mean_and_shown_to_one_decimal) {
  // 4 tenths over 3 anime: 1.333 tenths; 98.67 rounds to 99 though the shown gap is 0.1.
  const auto third = of({pair(1, 2, 3, 4)}, 3);
  EXPECT_EQ(third.score, 99);
  EXPECT_EQ(third.average_gap, 0.1);
}

TEST(Compatibility, rounds_halves_away_from_zero) {
  const auto half = of({pair(1, 2, 2, 5)}, 2);  // mean 2.5 tenths: 97.5
  EXPECT_EQ(half.score, 98);
  EXPECT_EQ(half.average_gap, 0.3);
  const auto below = of({pair(1, 2, 1000, 2501)}, 1000);
  EXPECT_EQ(below.score, 97);
}

TEST(Compatibility, is_never_below_0_and_100_at_most) {
  EXPECT_EQ(of({pair(1, 2, 1, 0)}, 1).score, 100);
  EXPECT_EQ(of({pair(1, 2, 1, 95)}, 1).score, 5);
  EXPECT_EQ(of({pair(1, 2, 1, 100)}, 1).score, 0);
  EXPECT_EQ(of({pair(1, 2, 1, 2000)}, 1).score, 0);
}

TEST(Compatibility, of_a_group_is_the_unweighted_mean_of_its_pairs) {
  // 10 tenths, 20 tenths, and 1/3 of a tenth over many anime: (10 + 20 + 1/3) / 3 = 10.11
  const auto found = of({pair(1, 2, 100, 1000), pair(1, 3, 1, 20), pair(2, 3, 3, 1)}, 101);
  EXPECT_EQ(found.score, 90);
  EXPECT_EQ(found.average_gap, 1.0);
  EXPECT_EQ(found.pairs.size(), 3u);
  EXPECT_EQ(found.rated_together_count, 101);
  // Exactly a half: (1 + 2) / 2 = 1.5.
  EXPECT_EQ(of({pair(1, 2, 7, 7), pair(1, 3, 3, 6)}, 8).score, 99);
  // Seven pairs with denominators whose product needs more than 64 bits, and a mean of exactly 1/2 tenth.
  const std::int64_t p = 1'000'003;
  EXPECT_EQ(of({pair(1, 2, p, 0), pair(1, 3, p, p), pair(1, 4, 999'983, 0), pair(2, 3, 999'983, 999'983), pair(2, 4, 999'979, 1),
                pair(3, 4, 999'979, 999'978)},
               3)
                .score,
            100);
}

TEST(Compatibility, leaves_out_pairs_that_share_nothing) {
  const auto found = of({pair(1, 2, 0, 0), pair(1, 3, 2, 20)}, 2);
  EXPECT_EQ(found.score, 90);
  EXPECT_EQ(found.pairs.size(), 1u);
}

TEST(Compatibility, is_null_and_says_why_without_data) {
  for (const auto& found : {of({}, 0), of({pair(1, 2, 0, 0)}, 0)}) {
    EXPECT_EQ(found.score, std::nullopt);
    EXPECT_EQ(found.average_gap, std::nullopt);
    EXPECT_EQ(found.label_key, "not-enough-data");
    EXPECT_TRUE(found.pairs.empty());
  }
}

}  // namespace
}  // namespace bloomwatch
