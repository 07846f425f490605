// Comparing secrets.
#include "runtime/crypto.h"

#include <gtest/gtest.h>

#include <string>

namespace bloomwatch {
namespace {

TEST(EqualSecrets, AreEqualInEveryByte) {
  for (std::size_t size = 0; size <= 50; ++size) {
    const std::string secret(size, 's');
    EXPECT_TRUE(equal_secrets(secret, std::string(secret))) << size;
    EXPECT_FALSE(equal_secrets(secret, secret + 's')) << size;
    for (std::size_t at = 0; at < size; ++at) {
      std::string other = secret;
      other[at] = 't';
      EXPECT_FALSE(equal_secrets(secret, other)) << size << " bytes, another at " << at;
    }
  }
}

}  // namespace
}  // namespace bloomwatch
