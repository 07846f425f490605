// AniList's answers, the good, the bad and the impossible.
#include "query-service/anilist/protocol.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "runtime/json.h"

namespace bloomwatch::anilist {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Optional;

const Time wall = Time(std::chrono::seconds(1'800'000'000));

std::optional<Trouble> trouble(int status, std::string body, std::string type = "application/json") {
  return judge(http::Response{status, std::move(type), {}, std::move(body)}, wall).trouble;
}

TEST(AniListAnswers, are_judged_by_status_and_by_what_they_carry) {
  EXPECT_EQ(trouble(200, R"({"data":{"Page":{"media":[]}}})"), std::nullopt);
  EXPECT_EQ(trouble(429, R"({"data":null,"errors":[{"message":"Too Many Requests.","status":429}]})"), Trouble::rate_limited);
  EXPECT_EQ(trouble(429, "slow down", "text/plain"), Trouble::rate_limited);
  EXPECT_EQ(trouble(403, R"({"errors":[{"message":"disabled"}]})"), Trouble::outage);
  EXPECT_EQ(trouble(403, "<html>", "text/html"), Trouble::banned);
  EXPECT_EQ(trouble(200, "  <!DOCTYPE html>", ""), Trouble::banned);
  EXPECT_EQ(trouble(502, "<html>Bad gateway</html>", "text/html"), Trouble::server_error);
  EXPECT_EQ(trouble(500, R"({"errors":[]})"), Trouble::server_error);
  EXPECT_EQ(trouble(404, R"({"errors":[{"status":404}],"data":{"Media":null}})"), Trouble::not_found);
  EXPECT_EQ(trouble(302, ""), Trouble::nonsense);
  EXPECT_EQ(trouble(200, ""), Trouble::nonsense);
  EXPECT_EQ(trouble(200, "[]"), Trouble::nonsense);
  EXPECT_EQ(trouble(200, R"({"data":null})"), Trouble::nonsense);
}

TEST(AniListAnswers, of_200_that_carry_errors_are_what_the_errors_say) {
  EXPECT_EQ(trouble(200, R"({"data":{"Media":null},"errors":[{"message":"Not Found.","status":404}]})"), Trouble::not_found);
  EXPECT_EQ(trouble(200, R"({"data":null,"errors":[{"message":"Internal"}]})"), Trouble::server_error);
  EXPECT_EQ(trouble(200, R"({"data":{"Media":{"id":1}},"errors":[{"message":"a field is missing","path":["Media","studios"]}]})"),
            std::nullopt)
      << "what there is can be used";
  EXPECT_EQ(trouble(200, R"({"data":null,"errors":[7,null,{"status":"429"},{"status":1e99},{"status":429}]})"), Trouble::rate_limited);
}

TEST(AniListAnswers, name_the_text_that_they_do_not_take) {
  const Verdict verdict = judge(
      http::Response{
          400, "application/json", {}, R"({"errors":[{"message":"validation","status":400,"validation":{"search":["Too long."]}}]})"},
      wall);
  EXPECT_EQ(verdict.trouble, Trouble::invalid);
  EXPECT_TRUE(verdict.invalid_search);
}

TEST(AniListAnswers, tell_of_the_budget_in_their_headers) {
  const auto rate = [](http::Parameters headers) { return judge(http::Response{429, "", std::move(headers), ""}, wall).rate; };
  const RateNews told =
      rate({{"x-ratelimit-limit", "30"}, {"x-ratelimit-remaining", "7"}, {"x-ratelimit-reset", "1800000009"}, {"retry-after", "9"}});
  EXPECT_EQ(told.limit, 30);
  EXPECT_EQ(told.remaining, 7);
  EXPECT_EQ(told.reset_after, std::chrono::seconds(9));
  EXPECT_EQ(told.retry_after, std::chrono::seconds(9));
  EXPECT_TRUE(told.refused);
  const RateNews odd = rate({{"x-ratelimit-limit", "-1"},
                             {"x-ratelimit-remaining", "many"},
                             {"x-ratelimit-reset", "9999999999999999999999"},
                             {"retry-after", "Sat, 28 Nov 2026 05:00:00 GMT"}});
  EXPECT_FALSE(odd.limit || odd.remaining || odd.reset_after || odd.retry_after);
  EXPECT_EQ(rate({{"x-ratelimit-reset", "1"}}).reset_after, std::chrono::seconds(0));
}

TEST(AniListAnswers, hold_all_that_is_shown_of_an_anime) {
  const auto media = read_media(R"json({"data":{"Media":{"id":154587,"idMal":52991,"isAdult":false,
    "title":{"romaji":"Sousou no Frieren","english":"Frieren","native":"葬送のフリーレン"},"synonyms":["Frieren at the Funeral",null,3],
    "format":"TV","status":"NOT_YET_RELEASED","episodes":28,"duration":24,"season":"FALL","seasonYear":2023,"genres":["Adventure"],
    "averageScore":91,"popularity":300000,"coverImage":{"large":"https://img.example/l.jpg","medium":"javascript:alert(1)"},
    "nextAiringEpisode":{"airingAt":1800000000,"episode":5},"description":"<b>Elves</b>","siteUrl":"https://anilist.co/anime/154587",
    "updatedAt":1700000000,"startDate":{"year":2023,"month":9,"day":29},"endDate":{"year":2024,"month":2,"day":31},
    "studios":{"nodes":[{"name":"Madhouse"},{"name":null},{}]}}}})json");
  ASSERT_TRUE(media);
  EXPECT_EQ(media->anilist_media_id, 154587);
  EXPECT_EQ(media->preferred_title, "Sousou no Frieren");
  EXPECT_THAT(media->synonyms, ElementsAre("Frieren at the Funeral"));
  EXPECT_THAT(media->status, Optional(std::string("not-yet-released")));
  EXPECT_THAT(media->season, Optional(std::string("fall")));
  EXPECT_FALSE(media->cover_image_medium_url) << "no place for scripts";
  EXPECT_EQ(media->next_airing_episode->episode, 5);
  EXPECT_THAT(media->start_date, Optional(PartialDate{2023, 9, 29}));
  EXPECT_THAT(media->end_date, Optional(PartialDate{2024, 2, {}})) << "no such day";
  EXPECT_THAT(media->studios, ElementsAre("Madhouse"));
  EXPECT_EQ(json::to_string(*json::read<Media>(json::to_string(*media))), json::to_string(*media)) << "as it is kept in the table";
}

TEST(AniListAnswers, may_lack_anything_but_the_id) {
  const auto media = read_media(R"({"data":{"Media":{"id":7}}})");
  ASSERT_TRUE(media);
  EXPECT_EQ(media->preferred_title, "AniList 7");
  const auto odd = read_media(R"({"data":{"Media":{"id":7,"idMal":"x","title":"T","episodes":2147483648,"duration":-1,"season":4,
    "seasonYear":1e300,"genres":{"a":1},"averageScore":101,"coverImage":[],"nextAiringEpisode":{"airingAt":18446744073709551615,"episode":1},
    "description":"a\u0000b","startDate":{"year":2023,"month":13},"studios":{"nodes":"none"},"updatedAt":9223372036854775807}}})");
  ASSERT_TRUE(odd);
  EXPECT_EQ(json::to_string(*odd), R"({"anilistMediaId":7,"malMediaId":null,"preferredTitle":"AniList 7","preferredTitleEnglish":null,)"
                                   R"("preferredTitleNative":null,"synonyms":[],"format":null,"status":null,"episodeCount":null,)"
                                   R"("episodeMinutes":null,"season":null,"seasonYear":null,"genres":[],"averageScore":null,)"
                                   R"("popularity":null,"coverImageUrl":null,"nextAiringEpisode":null,"isAdult":false,"description":null,)"
                                   R"("coverImageMediumUrl":null,"bannerImageUrl":null,"startDate":{"year":2023,"month":null,"day":null},)"
                                   R"("endDate":null,"studios":[],"siteUrl":null,"sourceUpdatedAt":null})");
}

TEST(AniListAnswers, that_hold_no_media_are_none) {
  for (const char* body :
       {"", "null", "{}", R"({"data":{"Media":null}})", R"({"data":{"Media":{"id":0}}})", R"({"data":{"Media":{"id":"7"}}})",
        R"({"data":{"Media":{"id":99999999999999999999999999}}})", "{\"data\":\xff}"})
    EXPECT_FALSE(read_media(body)) << body;
}

TEST(AniListAnswers, of_a_search_hold_those_with_an_id) {
  const auto page = read_search(R"({"data":{"Page":{"pageInfo":{"hasNextPage":true},"media":[{"id":1},{"id":null},null,7,{"id":2}]}}})");
  ASSERT_TRUE(page);
  EXPECT_EQ(page->items.size(), 2u);
  EXPECT_TRUE(page->has_next);
  EXPECT_FALSE(read_search(R"({"data":{"Page":{"media":null}}})"));
  EXPECT_FALSE(read_search(R"({"data":{"Page":{"media":{}}}})"));
}

TEST(AniListAnswers, are_cut_where_a_character_ends) {
  std::string text;
  while (text.size() <= description_bytes_max) text += "フ";
  const auto media = read_media(R"({"data":{"Media":{"id":7,"description":")" + text + "\"}}}");
  ASSERT_TRUE(media && media->description);
  EXPECT_EQ(media->description->size(), description_bytes_max / 3 * 3);
}

TEST(AniListQuestions, carry_what_is_asked_as_variables) {
  EXPECT_THAT(search_body("say \"hi\"", 2), HasSubstr(R"("variables":{"search":"say \"hi\"","page":2,"perPage":50})"));
  EXPECT_THAT(media_body(7), HasSubstr(R"("variables":{"id":7})"));
}

}  // namespace
}  // namespace bloomwatch::anilist
