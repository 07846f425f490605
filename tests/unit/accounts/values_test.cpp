// What people may send, field by field.
#include "command-service/values.h"

#include <gtest/gtest.h>

namespace bloomwatch {
namespace {

template <class T>
bool takes(typename T::Wire wire) {
  return T::from(std::move(wire)).has_value();
}

template <class T>
std::string kept(const std::string& wire) {
  auto made = T::from(wire);
  return made ? made->text() : "refused: " + made.error();
}

TEST(Text, loses_the_white_space_around_it) {
  EXPECT_EQ(kept<SpaceName>("  Mira & Ken\t\n"), "Mira & Ken");
  EXPECT_EQ(kept<SpaceName>("\u3000花 見\u00a0"), "花 見");
}

TEST(Text, is_never_blank) {
  for (const auto* blank : {"", " ", "\u3000", "\u200b\u200b", "\ufeff \u00ad"}) EXPECT_FALSE(takes<SpaceName>(blank)) << blank;
}

TEST(Text, has_a_character_that_can_be_seen) {
  for (const auto* blank : {"\u3164", "\u115f\u1160", "\u2800", "\uffa0", "\u200d", "\u034f", "\u061c", "\u17b4", "\u180e", "\ufe0f",
                            "\U0001d159", "\U000e0041", "\u200e \u200f", "\u3164 \u2800\u2060"}) {
    EXPECT_EQ(kept<DisplayName>(blank), "refused: must not be blank: no character of it can be seen") << blank;
    EXPECT_EQ(kept<DisplayName>(std::string(blank) + "x"), std::string(blank) + "x");
  }
  for (const auto* bidi : {"\u202e", "\u2066\u2069"}) EXPECT_FALSE(takes<DisplayName>(bidi)) << bidi;
  for (const auto* seen : {"한", "⠃", "花", "👩‍❤️‍👩", "ก็", "."}) EXPECT_TRUE(takes<DisplayName>(seen)) << seen;
}

TEST(Text, is_counted_in_characters_not_in_bytes) {
  std::string flowers;
  for (std::size_t i = 0; i < name_length_max; ++i) flowers += "花";
  EXPECT_TRUE(takes<SpaceName>(flowers));
  EXPECT_FALSE(takes<SpaceName>(flowers + "見"));
  EXPECT_TRUE(takes<Notes>(std::string(notes_length_max, 'x')));
  EXPECT_FALSE(takes<Notes>(std::string(notes_length_max + 1, 'x')));
}

TEST(Text, of_one_line_has_no_control_characters) {
  for (const auto* bad : {"a\nb", "a\tb", "a\x1b[31mb", "a\177b", "a\u0085b", "a\u2028b", "a\u202eb"})
    EXPECT_FALSE(takes<SpaceName>(bad)) << bad;
}

TEST(Text, of_many_lines_may_have_tabs_and_line_feeds) {
  EXPECT_EQ(kept<Notes>("Popcorn.\r\n\tAgain!"), "Popcorn.\n\tAgain!");
  EXPECT_FALSE(takes<Notes>("a\rb"));
  EXPECT_FALSE(
      takes<Notes>("a\x01"
                   "b"));
}

TEST(Text, keeps_what_emoji_are_made_of) { EXPECT_EQ(kept<Mood>("👩‍❤️‍👩"), "👩‍❤️‍👩"); }

TEST(EmailAddress, is_what_can_be_written_without_quotes) {
  for (const auto* good : {"mira@example.org", "Mira.S+anime@mail.example.co.uk", "o'neil@x-y.example", "a@b.cd"})
    EXPECT_TRUE(takes<EmailAddress>(good)) << good;
  for (const auto* bad : {"", "mira", "@example.org", "mira@", "mira@example", "mira@@example.org", "mi ra@example.org",
                          ".mira@example.org", "mi..ra@example.org", "mira@-example.org", "mira@example..org", "mira@exämple.org",
                          "\"mira\"@example.org", "mira@example.org\nBcc: x@example.org", "mira@[127.0.0.1]", "<mira@example.org>"})
    EXPECT_FALSE(takes<EmailAddress>(bad)) << bad;
  EXPECT_TRUE(takes<EmailAddress>(std::string(64, 'a') + "@example.org"));
  EXPECT_FALSE(takes<EmailAddress>(std::string(65, 'a') + "@example.org"));
  EXPECT_FALSE(takes<EmailAddress>("a@" + std::string(60, 'b') + '.' + std::string(60, 'c') + '.' + std::string(60, 'd') + '.' +
                                   std::string(60, 'e') + '.' + std::string(60, 'f')));
  EXPECT_EQ(kept<EmailAddress>(" mira@example.org "), "mira@example.org");
}

TEST(Handle, is_3_to_30_of_its_characters) {
  for (const auto* good : {"mira", "m_2", "___", "abcdefghijklmnopqrstuvwxyz_012"}) EXPECT_TRUE(takes<Handle>(good)) << good;
  for (const auto* bad : {"", "me", "Mira", "mi-ra", "mi ra", "mïra", "abcdefghijklmnopqrstuvwxyz_0123"})
    EXPECT_FALSE(takes<Handle>(bad)) << bad;
}

TEST(Url, is_http_or_https_and_nothing_else) {
  for (const auto* good : {"https://example.org", "http://example.org:8080/a.png?x=1#y", "https://example.org/%E8%8A%B1.jpg"})
    EXPECT_TRUE(takes<Url>(good)) << good;
  for (const auto* bad :
       {"", "example.org", "javascript:alert(1)", "https://", "https:///x", "ftp://example.org", "https://example.org/a b",
        "https://user:pass@example.org", "https://example.org/\"x", "https://example.org/花", "data:image/png;base64,AA"})
    EXPECT_FALSE(takes<Url>(bad)) << bad;
  EXPECT_FALSE(takes<Url>("https://example.org/" + std::string(url_bytes_max, 'x')));
}

TEST(LanguageTag, has_the_shape_of_bcp_47) {
  for (const auto* good : {"en", "de-AT", "zh-Hant-TW", "sr-Latn", "gsw"}) EXPECT_TRUE(takes<LanguageTag>(good)) << good;
  for (const auto* bad : {"", "e", "en_US", "en-", "-en", "en--US", "englishish", "en-toolongsubtag", "12"})
    EXPECT_FALSE(takes<LanguageTag>(bad)) << bad;
}

TEST(TimeZoneName, is_one_that_the_machine_knows) {
  EXPECT_TRUE(takes<TimeZoneName>("Europe/Berlin"));
  EXPECT_TRUE(takes<TimeZoneName>("UTC"));
  EXPECT_FALSE(takes<TimeZoneName>("Europe/Atlantis"));
  EXPECT_FALSE(takes<TimeZoneName>("../../etc/passwd"));
}

TEST(Password, is_8_to_256_characters_when_new_and_never_written) {
  EXPECT_FALSE(takes<NewPassword>("seven77"));
  EXPECT_TRUE(takes<NewPassword>("eight888"));
  EXPECT_TRUE(takes<NewPassword>("花花花花花花花花"));
  EXPECT_TRUE(takes<NewPassword>(std::string(256, 'x')));
  EXPECT_FALSE(takes<NewPassword>(std::string(257, 'x')));
  EXPECT_TRUE(takes<GivenPassword>("x"));
  EXPECT_FALSE(takes<GivenPassword>(""));
  auto password = NewPassword::from("a secret for us");
  EXPECT_EQ(password->wire(), "");
  EXPECT_EQ(password->take(), "a secret for us");
  EXPECT_EQ(password->take(), "");
}

TEST(Score, is_half_to_ten_in_halves) {
  EXPECT_EQ(Score::from(0.5)->tenths(), 5);
  EXPECT_EQ(Score::from(8.5)->tenths(), 85);
  EXPECT_EQ(Score::from(10)->tenths(), 100);
  EXPECT_EQ(Score::from(8.5)->wire(), 8.5);
  for (const double bad : {0.0, -1.0, 0.25, 7.3, 10.5, 1e300, -0.5}) EXPECT_FALSE(takes<Score>(bad)) << bad;
}

TEST(Bounded, says_its_bounds) {
  EXPECT_FALSE(takes<EpisodeCount>(0));
  EXPECT_FALSE(takes<EpisodeCount>(-1));
  EXPECT_TRUE(takes<EpisodesWatched>(0));
  EXPECT_EQ(EpisodesWatched::from(-1).error(), "must be a whole number from 0 to 100000");
}

TEST(PossibleDate, is_one_that_the_calendar_has) {
  EXPECT_TRUE(takes<PossibleDate>({.year = 2020}));
  EXPECT_TRUE(takes<PossibleDate>({.year = 2020, .month = 2, .day = 29}));
  EXPECT_FALSE(takes<PossibleDate>({.year = 2021, .month = 2, .day = 29}));
  EXPECT_FALSE(takes<PossibleDate>({.year = 2021, .month = {}, .day = 3}));
}

TEST(Media, names_a_title_as_its_source_does) {
  const auto read = [](std::string_view text) { return json::read<Media>(text); };
  EXPECT_EQ(read(R"({"source":"mal","id":52991})")->reference(), (MediaReference{"mal", "52991"}));
  EXPECT_EQ(read(R"({"source":"anilist","id":2147483647})")->reference(), (MediaReference{"anilist", "2147483647"}));
  EXPECT_EQ(read(R"({"source":"imdb","id":"tt0213338"})")->reference(), (MediaReference{"imdb", "tt0213338"}));
  for (const auto* bad :
       {R"({"source":"mal","id":"52991"})", R"({"source":"mal","id":0})", R"({"source":"mal","id":-1})", R"({"source":"mal","id":1.5})",
        R"({"source":"mal","id":2147483648})", R"({"source":"imdb","id":213338})", R"({"source":"imdb","id":"0213338"})",
        R"({"source":"vhs","id":1})", R"({"source":"mal"})", R"({"source":"mal","id":null})", R"({"source":"imdb","id":"tt02\"3338"})"})
    EXPECT_FALSE(read(bad)) << bad;
  std::string out;
  json::write(out, *read(R"({"source":"imdb","id":"tt0213338"})"));
  EXPECT_EQ(out, R"({"source":"imdb","id":"tt0213338"})");
}

}  // namespace
}  // namespace bloomwatch
