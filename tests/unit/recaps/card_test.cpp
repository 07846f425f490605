// Cards: what texts become before they are drawn, and that a picture comes out whole whatever is in them.
#include "query-service/recaps/card.h"

#include <gtest/gtest.h>

#include "query-service/recaps/card_route.h"
#include "query-service/recaps/card_text.h"
#include "query-service/recaps/card_words.h"

namespace bloomwatch::test {
namespace {

TEST(CardText, keeps_letters_of_every_script) {
  for (const std::string text : {"Sousou no Frieren", "葬送のフリーレン", "مغامرات عدنان", "עולם", "Pokémon", "👩‍❤️‍👨🌸"})
    EXPECT_EQ(fit_for_card(text), text);
}

TEST(CardText, loses_what_would_turn_or_cover_its_neighbours) {
  EXPECT_EQ(fit_for_card("a\u202Eb\u2066c\u200Fd\uFEFFe"), "abcde");
  EXPECT_EQ(fit_for_card(" a\n\t\x01 b\u2028c "), "a b c");
  EXPECT_EQ(fit_for_card("Z\u0300\u0301\u0302\u0303\u0304x"), "Z\u0300\u0301\u0302x");
  EXPECT_EQ(fit_for_card("broken \xC3( text"), "broken \uFFFD( text");
  EXPECT_EQ(fit_for_card(std::string("nul\0nul", 7)), "nul\uFFFDnul");
  EXPECT_EQ(fit_for_card("\u0007\u200B"), "");
}

TEST(CardText, is_not_longer_than_anybody_reads) {
  std::string expected(card_text_length_max, 'w');
  EXPECT_EQ(fit_for_card(std::string(500, 'w')), expected + "…");
  EXPECT_EQ(fit_for_card(expected), expected);
}

TEST(CardText, is_escaped_and_isolated) {
  EXPECT_EQ(escape_xml("<a & \"b'>"), "&lt;a &amp; &quot;b&apos;&gt;");
  EXPECT_EQ(isolated("x"), "\u2068x\u2069");
}

SpaceRecap recap() {
  SpaceRecap recap;
  recap.name = "<script>alert(1)</script> & \u202E 葬送 مغامرات";
  recap.period = "2026-11";
  recap.episodes = 1234;
  recap.sessions = 1;
  recap.hours = 84.6;
  recap.longest_streak = RecapStreak{3, "2026-10-30", "2026-11-01"};
  recap.binge = Binge{"2026-11-09", 1, {}};
  recap.members.resize(6);
  for (RecapMember& member : recap.members) member.user_id = ProfileId(Uuid::v7(now()));
  recap.members[5].display_name = "Ken";
  recap.members[5].episodes = 9;
  recap.best_rated = {{{TitleId(), AnimeId(), std::string(400, 'W')}, 8.67, {}}};
  return recap;
}

TEST(RecapCard, says_a_recap_in_words) {
  const RecapCard card = card_of(recap());
  EXPECT_EQ(card.period, "November 2026");
  ASSERT_EQ(card.numbers.size(), 3U);
  EXPECT_EQ(card.numbers[0].value + ' ' + card.numbers[0].text, "1,234 episodes");
  EXPECT_EQ(card.numbers[1].value + ' ' + card.numbers[1].text, "84.6 hours");
  EXPECT_EQ(card.numbers[2].value + ' ' + card.numbers[2].text, "1 session");
  EXPECT_EQ(card.titles[0].value, "8.67");
  ASSERT_EQ(card.facts.size(), 2U);
  EXPECT_EQ(card.facts[0].value + ", " + card.facts[0].note, "3 days, 30 Oct – 1 Nov");
  EXPECT_EQ(card.facts[1].value + ", " + card.facts[1].note, "1 episode, 9 Nov");
  ASSERT_EQ(card.members.size(), card_members_max);
  EXPECT_EQ(card.members[0].text, "Ken");
  EXPECT_EQ(card.members[1].text, "Somebody");
}

TEST(RecapCard, of_an_empty_period_says_so) {
  MyRecap empty;
  empty.period = "2026";
  const RecapCard card = card_of(empty);
  EXPECT_FALSE(card.empty_note.empty());
  EXPECT_EQ(card.numbers.size(), 2U);
  EXPECT_TRUE(draw_card(card, CardTheme::dark, CardFormat::svg).contains("</svg>"));
}

TEST(RecapCard, is_drawn_whole_whatever_it_says) {
  const RecapCard card = card_of(recap());
  const std::string png = draw_card(card, CardTheme::pastel, CardFormat::png);
  EXPECT_EQ(png.substr(0, 8), "\x89PNG\r\n\x1a\n");
  EXPECT_EQ(png.substr(16, 8), std::string("\0\0\x04\x38\0\0\x05\x46", 8));  // 1080 × 1350
  const std::string svg = draw_card(card, CardTheme::dark, CardFormat::svg);
  EXPECT_FALSE(svg.contains("<script"));
  EXPECT_FALSE(svg.contains("<text"));
  EXPECT_TRUE(svg.contains("<title>&lt;script&gt;alert(1)&lt;/script&gt; &amp; 葬送"));
  EXPECT_EQ(svg, draw_card(card, CardTheme::dark, CardFormat::svg));
}

TEST(CardCache, is_bounded_and_forgets_what_was_not_used) {
  CardCache cache(100);
  const auto picture = [](std::size_t size) { return std::make_shared<const std::string>(size, 'x'); };
  cache.put("a", picture(40));
  cache.put("b", picture(40));
  EXPECT_NE(cache.find("a"), nullptr);
  cache.put("c", picture(40));
  EXPECT_EQ(cache.find("b"), nullptr);
  EXPECT_NE(cache.find("a"), nullptr);
  cache.put("huge", picture(101));
  EXPECT_EQ(cache.find("huge"), nullptr);
  EXPECT_NE(cache.find("c"), nullptr);
}

}  // namespace
}  // namespace bloomwatch::test
