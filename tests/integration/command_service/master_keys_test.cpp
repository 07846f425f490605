// A database knows its master key.
#include "events/master_keys.h"

#include <gmock/gmock.h>

#include <filesystem>
#include <fstream>

#include "tests/integration/command_service/service_fixture.h"

namespace bloomwatch::test {
namespace {

class MasterKeyOf : public testing::Test {
 protected:
  ~MasterKeyOf() override { std::filesystem::remove_all(folder_); }

  std::filesystem::path file(const std::string& home) const { return folder_ / home / "master.key"; }
  void expect_refused(const std::filesystem::path& key, const std::string& why) const {
    try {
      master_keys_of(url_, key);
      ADD_FAILURE() << key << " is taken";
    } catch (const std::runtime_error& error) {
      EXPECT_THAT(error.what(), testing::HasSubstr(key.string() + ' ' + why));
    }
  }

  const std::string url_ = fresh_database();
  const std::filesystem::path folder_ = std::filesystem::temp_directory_path() / ("bloomwatch-keys-" + Uuid::v7(now()).to_string());
};

TEST_F(MasterKeyOf, a_database_is_made_once_and_no_other_is_taken) {
  const MasterKeys made = master_keys_of(url_, file("first"));
  const MasterKeys again = master_keys_of(url_, file("first"));
  EXPECT_TRUE(std::ranges::equal(made.claims.bytes(), again.claims.bytes()));
  expect_refused(file("second"), "does not exist");
  EXPECT_FALSE(std::filesystem::exists(file("second"))) << "nothing is made that would only mislead";
  master_keys_of(fresh_database(), file("second"));
  expect_refused(file("second"), "does not fit");
  std::filesystem::copy_file(file("first"), file("second"), std::filesystem::copy_options::overwrite_existing);
  master_keys_of(url_, file("second"));
}

class MasterKeyOfUsed : public CommandServiceTest {};

TEST_F(MasterKeyOfUsed, a_database_from_before_is_known_by_what_it_opens) {
  register_person("mira");
  const auto home = std::filesystem::temp_directory_path() / ("bloomwatch-keys-" + Uuid::v7(now()).to_string());
  master_keys_of(fresh_database(), home / "master.key");
  EXPECT_THROW(master_keys_of(url_, home / "master.key"), std::runtime_error);
  EXPECT_EQ(count("secrets.master_key"), 0);
  std::filesystem::remove_all(home);
  EXPECT_THROW(master_keys_of(url_, home / "master.key"), std::runtime_error);
}

}  // namespace
}  // namespace bloomwatch::test
