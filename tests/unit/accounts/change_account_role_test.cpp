// What an operator makes of an account.
#include "command-service/accounts/change_account_role.h"

#include "tests/unit/accounts/accounts.h"

namespace bloomwatch::testing {
namespace {

ChangeAccountRole make_mira(AccountRole role) {
  return {.handle = value<Handle>("mira"), .role = role, .handle_claim = {handle_key("mira")}};
}
World given_mira() { return std::move(given(mira_registered).holding<User>(handle_key("mira"), mira.account)); }

TEST(ChangeAccountRole, gives_a_role_and_takes_it_away) {
  auto world = given_mira();
  world.when(make_mira(AccountRole::admin), Actor{}).then(AccountRoleChanged{.role = AccountRole::admin}).once();
  world.when(make_mira(AccountRole::user), Actor{}).then(AccountRoleChanged{.role = AccountRole::user}).once();
}

TEST(ChangeAccountRole, knows_nobody_by_a_handle_that_is_not_held) {
  given().when(make_mira(AccountRole::admin), Actor{}).refuses(Refusal::no_such_account);
}

TEST(ChangeAccountRole, finds_room_in_a_stream_that_its_person_has_filled) {
  const Outcome taken_away = given_mira()
                                 .take(stream<User>(mira.account, AccountRoleChanged{.role = AccountRole::admin}))
                                 .when(make_mira(AccountRole::user), Actor{});
  ASSERT_EQ(taken_away.decided().events.size(), 1U);
  EXPECT_TRUE(taken_away.decided().events.front().always_fits);
}

}  // namespace
}  // namespace bloomwatch::testing
