// Edit distance and the sieve before it: nothing that is near is lost.
#include "query-service/search/texts.h"

#include <gtest/gtest.h>

#include <map>
#include <random>

#include "query-service/search/edit_distance.h"

namespace bloomwatch::search {
namespace {

/// The textbook's table.
int slow_distance(std::string_view a, std::string_view b) {
  std::vector table(a.size() + 1, std::vector<int>(b.size() + 1));
  for (std::size_t i = 0; i <= a.size(); ++i) table[i][0] = static_cast<int>(i);
  for (std::size_t j = 0; j <= b.size(); ++j) table[0][j] = static_cast<int>(j);
  for (std::size_t i = 1; i <= a.size(); ++i)
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const int same = a[i - 1] == b[j - 1] ? 0 : 1;
      table[i][j] = std::min({table[i - 1][j] + 1, table[i][j - 1] + 1, table[i - 1][j - 1] + same});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) table[i][j] = std::min(table[i][j], table[i - 2][j - 2] + 1);
    }
  return table[a.size()][b.size()];
}

int slow_prefix_distance(std::string_view a, std::string_view b) {
  int least = static_cast<int>(a.size());
  for (std::size_t n = 0; n <= b.size(); ++n) least = std::min(least, slow_distance(a, b.substr(0, n)));
  return least;
}

std::string random_text(std::mt19937& random, std::size_t longest) {
  std::string text(1 + random() % longest, 'a');
  for (char& c : text) c = "abcde0\xe6"[random() % 7];
  return text;
}

TEST(EditDistance, is_that_of_the_textbook) {
  std::mt19937 random(7);
  for (int i = 0; i < 1500; ++i) {
    const std::string a = random_text(random, i % 10 == 0 ? EditPattern::bytes_max : 9), b = random_text(random, 12);
    const EditPattern::Distance distance = EditPattern(a).to(b);
    EXPECT_EQ(distance.whole, slow_distance(a, b)) << a << ' ' << b;
    EXPECT_EQ(distance.prefix, slow_prefix_distance(a, b)) << a << ' ' << b;
  }
}

TEST(Texts, finds_all_that_is_near_and_nothing_else) {
  std::mt19937 random(8);
  Texts texts;
  for (int i = 0; i < 300; ++i) texts.add(random_text(random, 8));
  std::vector<TextId> maybe;
  for (int i = 0; i < 60; ++i) {
    const std::string text = random_text(random, 7);
    const Wanted wanted{
        .text = text, .prefix = i % 2 == 0, .distance_max = i % 4 - 1, .prefix_distance_max = i % 3 - 1, .infix = i % 5 == 0};
    std::vector<Near> found;
    texts.find(wanted, maybe, found);
    std::map<TextId, Near> by_id;
    for (const Near& near : found) EXPECT_TRUE(by_id.emplace(near.text, near).second) << "found twice";
    for (TextId id = 0; id < texts.size(); ++id) {
      const std::string_view other = texts[id];
      const bool near = (wanted.prefix && other.starts_with(text)) || slow_distance(text, other) <= wanted.distance_max ||
                        slow_prefix_distance(text, other) <= wanted.prefix_distance_max ||
                        (wanted.infix && other.find(text) != std::string_view::npos);
      EXPECT_EQ(by_id.contains(id), near) << text << ' ' << other;
    }
  }
}

}  // namespace
}  // namespace bloomwatch::search
