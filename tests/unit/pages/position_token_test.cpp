// Position tokens and RFC 7240's wait: what is understood, and what is refused or ignored.
#include "query-service/position_token.h"

#include <gtest/gtest.h>

namespace bloomwatch {
namespace {

using std::chrono::seconds;

TEST(PositionToken, is_a_position_of_the_present_epoch_or_names_its_epoch) {
  EXPECT_EQ(*PositionToken::from("0"), (PositionToken{"", 0}));
  EXPECT_EQ(*PositionToken::from("9223372036854775807"), (PositionToken{"", 9223372036854775807}));
  EXPECT_EQ(*PositionToken::from("01ab23cd.17"), (PositionToken{"01ab23cd", 17}));
  EXPECT_EQ(PositionToken::from("01ab23cd.17")->wire(), "01ab23cd.17");
  EXPECT_EQ(PositionToken::from("17")->wire(), "17");
}

TEST(PositionToken, refuses_everything_else) {
  for (const std::string wrong : {"", ".", "-1", "+1", " 1", "1 ", "01", "1.5", "x", "01ab23cd.", "01AB23CD.1", "01ab23c.1", "01ab23cd.-1",
                                  "01ab23cd.1.2", "9223372036854775808", "01ab23cd", "1e3"})
    EXPECT_FALSE(PositionToken::from(wrong)) << wrong;
}

TEST(PreferredWait, is_read_among_other_preferences) {
  EXPECT_EQ(preferred_wait("wait=5"), seconds(5));
  EXPECT_EQ(preferred_wait("respond-async, Wait = 3; foo=bar"), seconds(3));
  EXPECT_EQ(preferred_wait("handling=lenient, wait=\"7\""), seconds(7));
  EXPECT_EQ(preferred_wait("wait=0"), seconds(0));
}

TEST(PreferredWait, is_ten_seconds_at_most) {
  EXPECT_EQ(preferred_wait("wait=10"), seconds(10));
  EXPECT_EQ(preferred_wait("wait=3600"), seconds(10));
  EXPECT_EQ(preferred_wait("wait=9223372036854775807"), seconds(10));
}

TEST(PreferredWait, is_ignored_where_it_makes_no_sense) {
  for (const std::string wrong : {"", "wait", "wait=", "wait=-1", "wait=x", "waiting=3", "wait=1.5", ",,;"})
    EXPECT_EQ(preferred_wait(wrong), std::nullopt) << wrong;
}

}  // namespace
}  // namespace bloomwatch
