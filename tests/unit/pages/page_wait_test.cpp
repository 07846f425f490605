// RFC 7240's wait: what is understood, and what is ignored.
#include "query-service/page_wait.h"

#include <gtest/gtest.h>

namespace bloomwatch {
namespace {

using std::chrono::seconds;

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
