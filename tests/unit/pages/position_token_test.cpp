// Position tokens: what is understood, and what is refused.
#include "events/position_token.h"

#include <gtest/gtest.h>

namespace bloomwatch {
namespace {

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

}  // namespace
}  // namespace bloomwatch
