// What is remembered of searches, who waits for one, and what counts as the same.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "query-service/anilist/flights.h"
#include "query-service/anilist/recent.h"
#include "query-service/anilist/search_text.h"

namespace bloomwatch::anilist {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;

const Time noon = Time(std::chrono::hours(500'000));

TEST(Recent, is_fresh_for_a_while_and_kept_for_longer) {
  Recent<int> recent({.fresh_for = 10min, .kept_for = 24h});
  recent.put("frieren", 1, 100, noon);
  EXPECT_TRUE(recent.find("frieren", noon + 10min - 1ms)->fresh);
  EXPECT_FALSE(recent.find("frieren", noon + 10min)->fresh);
  EXPECT_EQ(recent.find("frieren", noon + 24h)->at, noon);
  EXPECT_FALSE(recent.find("frieren", noon + 24h + 1ms));
  EXPECT_EQ(recent.size(), 0u);
}

TEST(Recent, is_bounded_in_entries_and_bytes_and_forgets_the_longest_unused) {
  Recent<int> recent({.entries_max = 3, .bytes_max = 1000});
  for (const char* key : {"a", "b", "c"}) recent.put(key, 1, 99, noon);
  EXPECT_TRUE(recent.find("a", noon));
  recent.put("d", 1, 99, noon);
  EXPECT_TRUE(recent.find("a", noon)) << "it was used";
  EXPECT_FALSE(recent.find("b", noon));
  recent.put("e", 1, 899, noon);
  EXPECT_EQ(recent.bytes(), 1000u);
  EXPECT_EQ(recent.size(), 2u);
  recent.put("f", 1, 1000, noon);
  EXPECT_FALSE(recent.find("f", noon)) << "larger than all may be";
  recent.put("e", 2, 10, noon);
  EXPECT_EQ(recent.find("e", noon)->value, 2);
  EXPECT_EQ(recent.bytes(), 111u);
}

TEST(Flights, ask_once_for_all_who_wait) {
  Flights<int> flights;
  std::vector<int> told;
  const auto waiter = [&told](int number) {
    return Flights<int>::Waiter([&told, number](const int& outcome) { told.push_back(number * outcome); });
  };
  auto first = waiter(1), second = waiter(2), third = waiter(3);
  EXPECT_FALSE(flights.join("q", first));
  EXPECT_EQ(flights.join_or_begin("q", first), Flights<int>::Joined::first);
  EXPECT_TRUE(flights.join("q", second));
  EXPECT_EQ(flights.join_or_begin("other", third), Flights<int>::Joined::first);
  flights.land("q", 10);
  EXPECT_THAT(told, ElementsAre(10, 20));
  flights.land("q", 10);
  EXPECT_EQ(told.size(), 2u) << "nobody waits any more";
}

TEST(SearchText, has_one_form_for_what_is_the_same) {
  EXPECT_EQ(SearchText::from("  Sousou \t no\u3000Frieren ")->text(), "Sousou no Frieren");
  EXPECT_EQ(SearchText::from("FRIEREN")->key(), SearchText::from("frieren")->key());
  EXPECT_EQ(SearchText::from("葬送")->text(), "葬送");
}

TEST(SearchText, says_what_is_wrong) {
  EXPECT_FALSE(SearchText::from(" \u3000 "));
  EXPECT_FALSE(SearchText::from("a\x01"));
  std::string long_text;
  for (int i = 0; i < 200; ++i) long_text += "葬";
  EXPECT_TRUE(SearchText::from(long_text));
  EXPECT_FALSE(SearchText::from(long_text + "葬"));
}

}  // namespace
}  // namespace bloomwatch::anilist
