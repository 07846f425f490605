// Registration: who gets in, and who holds an e-mail and a handle.
#include "command-service/accounts/register_user.h"

#include "command-service/accounts/handles.h"
#include "tests/unit/accounts/accounts.h"

namespace bloomwatch::testing {
namespace {

RegisterUser mira_registers() {
  return {.email = value<EmailAddress>("mira@example.org"),
          .handle = value<Handle>("mira"),
          .display_name = value<DisplayName>("Mira"),
          .user = {mira.account},
          .email_claim = {email_key("mira")},
          .handle_claim = {handle_key("mira")},
          .password_id = {first_password}};
}

TEST(RegisterUser, makes_an_account_and_takes_both_claims) {
  given()
      .when(mira_registers(), mira)
      .then(UserRegistered{.profile = mira.profile,
                           .email = mira.seal("mira@example.org"),
                           .email_claim = email_key("mira"),
                           .handle = mira.seal("mira"),
                           .handle_claim = handle_key("mira"),
                           .display_name = mira.seal("Mira"),
                           .password = first_password})
      .takes(email_key("mira"))
      .takes(handle_key("mira"))
      .answers(mira.account.uuid)
      .once();
}

TEST(RegisterUser, shows_the_handle_until_there_is_a_display_name) {
  auto command = mira_registers();
  command.display_name.reset();
  auto event = registered(mira, "mira");
  event.email = mira.seal("mira@example.org");
  given().when(command, mira).then(event);
}

TEST(RegisterUser, is_refused_a_reserved_handle) {
  auto command = mira_registers();
  command.handle = value<Handle>("admin");
  given().when(command, mira).refuses(Refusal::handle_reserved);
}

TEST(RegisterUser, is_refused_an_email_that_has_an_account) {
  given().holding<User>(email_key("mira"), ken.account).when(mira_registers(), mira).refuses(Refusal::email_taken);
}

TEST(RegisterUser, is_refused_a_handle_that_somebody_has) {
  given().holding<User>(handle_key("mira"), ken.account).when(mira_registers(), mira).refuses(Refusal::handle_taken);
}

TEST(RegisterUser, gets_a_handle_that_was_given_up_only_after_a_year) {
  const Time retired_at = noon - accounts::handle_rest;
  given()
      .holding<User>(handle_key("mira"), ken.account, retired_at + std::chrono::milliseconds(1))
      .when(mira_registers(), mira)
      .refuses(Refusal::handle_taken);
  given().holding<User>(handle_key("mira"), ken.account, retired_at).when(mira_registers(), mira).takes(handle_key("mira")).once();
}

TEST(RegisterUser, is_refused_without_a_data_key) {
  Actor keyless = mira;
  keyless.key.reset();
  EXPECT_EQ(given().when(mira_registers(), keyless).decided().refusal, "data_key_missing");
}

TEST(RegisterUser, names_every_wrong_field_at_once_and_takes_nothing_that_is_ours_to_mint) {
  const auto wrong = json::read_command<RegisterUser>(
      {}, R"({"email":"x","handle":"Me!","displayName":" ","password":"short","user":"019aa6a0-0000-7000-8000-000000000000"})");
  ASSERT_FALSE(wrong);
  std::vector<std::string> pointers;
  for (const auto& error : wrong.error()) pointers.push_back(error.pointer);
  EXPECT_THAT(pointers, ::testing::UnorderedElementsAre("/email", "/handle", "/displayName", "/password", "/user"));
}

}  // namespace
}  // namespace bloomwatch::testing
