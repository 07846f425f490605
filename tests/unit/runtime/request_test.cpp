// What a request says beyond its headers' texts.
#include <gtest/gtest.h>

#include "runtime/http.h"

namespace bloomwatch::http {
namespace {

TEST(BearerToken, follows_its_scheme_in_any_case_and_any_number_of_spaces) {
  const auto token_in = [](std::string_view credentials) {
    Request request;
    request.add_header("Authorization", credentials);
    return std::string(request.bearer_token().value_or("none"));
  };
  EXPECT_EQ(token_in("Bearer abc"), "abc");
  EXPECT_EQ(token_in("bEARER   abc"), "abc");
  for (const std::string_view wrong :
       {"", "Bearer", "Bearer ", "abc", "Basic abc", "Bearer2 abc", "Bearerabc", " Bearer abc", "Bearer\tabc"})
    EXPECT_EQ(token_in(wrong), "none") << wrong;
  EXPECT_FALSE(Request().bearer_token());
}

}  // namespace
}  // namespace bloomwatch::http
