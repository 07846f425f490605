// What readers say that they have, in every form that RFC 9110 allows, and what they are answered.
#include "runtime/entity_tag.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace bloomwatch::http {
namespace {

using testing::Contains;
using testing::IsEmpty;
using testing::MatchesRegex;
using testing::Pair;

const std::string mine = R"("12345678-abc")";

std::string tag_of(const std::string& body, const std::string& type = "application/json", const std::string& epoch = "12345678") {
  return entity_tag(epoch, {.content_type = type, .body = body});
}

TEST(EntityTag, is_strong_and_follows_from_epoch_type_and_body) {
  EXPECT_THAT(tag_of("{}"), MatchesRegex(R"("12345678-[0-9a-f]{32}")"));
  EXPECT_EQ(tag_of("{}"), tag_of("{}"));
  EXPECT_NE(tag_of("{}"), tag_of("{ }"));
  EXPECT_NE(tag_of("", "text/csv"), tag_of("", "application/x-ndjson"));
  EXPECT_NE(tag_of("{}"), tag_of("{}", "application/json", "87654321"));
}

TEST(EntityTag, is_found_in_any_list_that_has_it) {
  for (const std::string& list : {mine, "W/" + mine, R"("other", )" + mine, mine + R"(,"other")", R"(W/"other" ,	W/)" + mine + " ,",
                                  ", ," + mine, R"("a,b", )" + mine, R"("", )" + mine, std::string("*"), std::string(" *")})
    EXPECT_TRUE(none_match_has(list, mine)) << list;
  EXPECT_TRUE(none_match_has(mine, "W/" + mine));
}

TEST(EntityTag, is_found_in_no_other_text) {
  for (const std::string& list :
       {std::string(), std::string(","), std::string(R"("other")"), std::string("12345678-abc"), std::string(R"("12345678-abcd")"),
        std::string(R"("12345678-ab")"), "w/" + mine, "W/ " + mine, "x" + mine, R"("unfinished)" + mine, R"("a" b, )" + mine,
        R"(*, )" + mine, std::string("**"), R"("with )" + mine, std::string("\"")})
    EXPECT_FALSE(none_match_has(list, mine)) << list;
}

TEST(KnownTags, are_those_of_all_lines) {
  Request request;
  EXPECT_EQ(known_tags(request), std::nullopt);
  request.add_header("if-none-match", R"("a")");
  request.add_header("Accept", "*/*");
  request.add_header("If-None-Match", mine);
  EXPECT_EQ(known_tags(request), R"("a", )" + mine);
}

TEST(KeptPrivately, answers_304_without_body_to_who_has_it) {
  const Response page{.content_type = "application/json", .headers = {{"Bloomwatch-Position", "7"}}, .body = "{}"};
  const Response first = kept_privately(page, "12345678", std::nullopt);
  const std::string tag = tag_of("{}");
  EXPECT_EQ(first.status, 200);
  EXPECT_EQ(first.body, "{}");
  EXPECT_THAT(first.headers, Contains(Pair("ETag", tag)));
  const Response again = kept_privately(page, "12345678", tag);
  EXPECT_EQ(again.status, 304);
  EXPECT_THAT(again.body, IsEmpty());
  EXPECT_THAT(again.content_type, IsEmpty());
  EXPECT_EQ(again.headers, first.headers);
  EXPECT_THAT(again.headers, Contains(Pair("Cache-Control", "private, no-cache")));
  EXPECT_EQ(kept_privately(page, "87654321", tag).status, 200) << "of an epoch that has ended";
}

}  // namespace
}  // namespace bloomwatch::http
