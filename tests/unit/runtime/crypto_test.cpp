// Comparing secrets, and the file that all keys come from.
#include "runtime/crypto.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <iterator>
#include <stdexcept>
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

class MasterKeyFile : public testing::Test {
 protected:
  ~MasterKeyFile() override { std::filesystem::remove_all(folder_); }

  void expect_refused(const std::string& why) const {
    try {
      MasterKeys::load_or_create(file_);
      ADD_FAILURE() << "it is taken";
    } catch (const std::runtime_error& error) {
      EXPECT_THAT(error.what(), testing::AllOf(testing::HasSubstr(file_.string()), testing::HasSubstr(why)));
    }
  }

  const std::filesystem::path folder_ = std::filesystem::temp_directory_path() / ("bloomwatch-key-" + Uuid::v7(now()).to_string());
  const std::filesystem::path file_ = folder_ / "home/master.key";
};

TEST_F(MasterKeyFile, is_made_once_and_for_its_owner_only_whatever_the_umask) {
  const mode_t before = ::umask(0);
  const MasterKeys made = MasterKeys::load_or_create(file_);
  ::umask(before);
  EXPECT_EQ(std::filesystem::status(file_).permissions(), std::filesystem::perms{0600});
  EXPECT_EQ(std::filesystem::file_size(file_), SecretKey::size);
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(file_.parent_path()), {}), 1) << "its draft is gone";
  EXPECT_TRUE(std::ranges::equal(MasterKeys::load_or_create(file_).wrapping.bytes(), made.wrapping.bytes()));
}

TEST_F(MasterKeyFile, that_others_may_open_is_refused) {
  MasterKeys::load_or_create(file_);
  for (const unsigned mode : {0640U, 0604U, 0620U, 0601U}) {
    std::filesystem::permissions(file_, std::filesystem::perms{mode});
    expect_refused("is open to others");
  }
  std::filesystem::permissions(file_, std::filesystem::perms{0400});
  EXPECT_NO_THROW(MasterKeys::load_or_create(file_));
}

TEST_F(MasterKeyFile, of_another_size_is_refused) {
  MasterKeys::load_or_create(file_);
  for (const std::uintmax_t size : {0U, 31U, 33U}) {
    std::filesystem::resize_file(file_, size);
    expect_refused("must hold exactly 32 bytes");
  }
}

}  // namespace
}  // namespace bloomwatch
