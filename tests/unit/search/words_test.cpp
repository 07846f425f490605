// What becomes of names before they are compared: the same word whatever case, width, accent and, where that makes sense, script.
#include "query-service/search/words.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace bloomwatch::search {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

std::vector<std::string> texts(std::string_view text) {
  Normaliser normaliser;
  std::vector<std::string> words;
  for (const Word& word : normaliser.words(text).list) words.push_back(word.text);
  return words;
}

TEST(Words, are_lower_case_letters_and_digits_without_punctuation) {
  EXPECT_THAT(texts("Fullmetal Alchemist: Brotherhood"), ElementsAre("fullmetal", "alchemist", "brotherhood"));
  EXPECT_THAT(texts("  Steins;Gate 0 "), ElementsAre("steins", "gate", "0"));
  EXPECT_THAT(texts("JoJo's K-On!!"), ElementsAre("jojos", "k", "on"));
  EXPECT_THAT(texts("JoJo\u2019s"), ElementsAre("jojos"));
  EXPECT_THAT(texts("HUNTER\u00d7HUNTER"), ElementsAre("hunter", "x", "hunter"));
}

TEST(Words, have_one_width_and_no_accents) {
  EXPECT_THAT(texts("Ｆａｔｅ／Ｚｅｒｏ"), ElementsAre("fate", "zero"));
  EXPECT_THAT(texts("Pokémon Ūsagi"), ElementsAre("pokemon", "usagi"));
  EXPECT_THAT(texts("Poke\u0301mon"), ElementsAre("pokemon"));
  EXPECT_THAT(texts("Straße Łódź Ångström"), ElementsAre("strasse", "lodz", "angstrom"));
  EXPECT_THAT(texts("Part Ⅲ"), ElementsAre("part", "iii"));
}

TEST(Words, of_other_scripts_are_as_latin_ones) {
  EXPECT_THAT(texts("ナルト"), ElementsAre("naruto"));
  EXPECT_THAT(texts("ﾅﾙﾄ"), ElementsAre("naruto"));
  EXPECT_THAT(texts("なると"), ElementsAre("naruto"));
  EXPECT_THAT(texts("ｶﾞﾝﾀﾞﾑ"), ElementsAre("gandamu"));
  EXPECT_THAT(texts("Наруто"), ElementsAre("naruto"));
  EXPECT_EQ(texts("나루토").size(), 1u);
  EXPECT_THAT(texts("Σαν"), ElementsAre("san"));
}

TEST(Words, of_han_are_its_characters) {
  EXPECT_THAT(texts("進撃の巨人"), ElementsAre("進", "撃", "no", "巨", "人"));
  EXPECT_THAT(texts("ソードアート・オンライン"), ElementsAre("sodoato", "onrain"));
  EXPECT_THAT(texts("Re:ゼロから始める"), ElementsAre("re", "zero", "kara", "始", "meru"));
}

TEST(Words, know_where_in_the_text_they_are) {
  Normaliser normaliser;
  const auto words = normaliser.words("é–星の Gate!").list;
  ASSERT_EQ(words.size(), 4u);
  EXPECT_EQ(words[1], (Word{"星", 2, 3, false}));
  EXPECT_EQ(words[2], (Word{"no", 3, 4, false}));
  EXPECT_EQ(words[3], (Word{"gate", 5, 9, true}));
}

TEST(Words, tell_whether_the_last_one_is_finished) {
  Normaliser normaliser;
  EXPECT_FALSE(normaliser.words("one pie").last_is_whole);
  EXPECT_TRUE(normaliser.words("one pie ").last_is_whole);
  EXPECT_TRUE(normaliser.words("K-On!").last_is_whole);
}

TEST(Words, are_none_where_nothing_is_written) {
  EXPECT_THAT(texts(""), IsEmpty());
  EXPECT_THAT(texts("  \u2606 !? \u2026"), IsEmpty());
}

TEST(Words, are_made_of_anything_without_breaking) {
  EXPECT_THAT(texts("a\xff\xfe"
                    "b\xe3\x81"),
              ElementsAre("a", "b"));
  EXPECT_EQ(texts(std::string(100'000, 'a')).size(), 1u);
  EXPECT_EQ(texts(std::string(100'000, 'a'))[0].size(), Normaliser::characters_max);
  std::string all;
  for (int c = 1; c < 256; ++c) all += static_cast<char>(c);
  for (const std::string& word : texts(all)) EXPECT_FALSE(word.empty());
}

}  // namespace
}  // namespace bloomwatch::search
