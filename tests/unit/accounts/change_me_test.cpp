// What people change of themselves, and the rules of handles.
#include "command-service/accounts/change_me.h"

#include "command-service/accounts/handles.h"
#include "tests/unit/accounts/accounts.h"

namespace bloomwatch::testing {
namespace {

ChangeMe new_handle(std::string_view handle) {
  return {.handle = {value<Handle>(std::string(handle))}, .handle_claim = {handle_key(handle)}};
}
HandleChanged handle_changed(std::string_view from, std::string_view to) {
  return {.profile = mira.profile, .handle = mira.seal(to), .handle_claim = handle_key(to), .former_handle_claim = handle_key(from)};
}
Past was_called(std::string_view from, std::string_view to, Time at) { return stream<User>(mira.account, handle_changed(from, to)).at(at); }

TEST(ChangeMe, writes_one_event_for_each_field_that_differs) {
  const ChangeMe all{.display_name = {value<DisplayName>("Mira S.")},
                     .handle = {value<Handle>("mira_s")},
                     .avatar_url = {true, value<Url>("https://example.org/m.png")},
                     .time_zone = {value<TimeZoneName>("Asia/Tokyo")},
                     .language = {value<LanguageTag>("de")},
                     .privacy = {Privacy::private_},
                     .handle_claim = {handle_key("mira_s")}};
  given(mira_registered)
      .when(all, mira)
      .then(handle_changed("mira", "mira_s"), DisplayNameChanged{.profile = mira.profile, .display_name = mira.seal("Mira S.")},
            AvatarChanged{.profile = mira.profile, .avatar_url = mira.seal("https://example.org/m.png")},
            TimeZoneChanged{.profile = mira.profile, .time_zone = "Asia/Tokyo"}, LanguageChanged{.profile = mira.profile, .language = "de"},
            PrivacyChanged{.profile = mira.profile, .privacy = Privacy::private_})
      .answers(mira.account.uuid)
      .once();
}

TEST(ChangeMe, says_nothing_when_nothing_changes) {
  given(mira_registered).when(ChangeMe{}, mira).says_nothing();
  given(mira_registered)
      .when(ChangeMe{.display_name = {value<DisplayName>("mira")},
                     .avatar_url = {true, std::nullopt},
                     .time_zone = {value<TimeZoneName>(std::string(initial_time_zone))},
                     .language = {value<LanguageTag>(std::string(initial_language))},
                     .privacy = {initial_privacy}},
            mira)
      .says_nothing();
  given(mira_registered).holding<User>(handle_key("mira"), mira.account).when(new_handle("mira"), mira).says_nothing();
}

TEST(ChangeMe, clears_an_avatar) {
  const auto avatar =
      stream<User>(mira.account, AvatarChanged{.profile = mira.profile, .avatar_url = mira.seal("https://example.org/m.png")});
  given(mira_registered, avatar)
      .when(ChangeMe{.avatar_url = {true, std::nullopt}}, mira)
      .then(AvatarChanged{.profile = mira.profile})
      .once();
}

TEST(ChangeMe, takes_the_new_handle_and_retires_the_former) {
  given(mira_registered)
      .holding<User>(handle_key("mira"), mira.account)
      .when(new_handle("mira_s"), mira)
      .then(handle_changed("mira", "mira_s"))
      .takes(handle_key("mira_s"))
      .retires(handle_key("mira"));
}

TEST(ChangeMe, is_refused_a_reserved_handle) { given(mira_registered).when(new_handle("support"), mira).refuses(Refusal::handle_reserved); }

TEST(ChangeMe, is_refused_a_handle_that_somebody_has_or_gave_up_within_a_year) {
  given(mira_registered).holding<User>(handle_key("ken"), ken.account).when(new_handle("ken"), mira).refuses(Refusal::handle_taken);
  given(mira_registered)
      .holding<User>(handle_key("ken"), ken.account, noon - std::chrono::days(364))
      .when(new_handle("ken"), mira)
      .refuses(Refusal::handle_taken);
}

TEST(ChangeMe, gets_a_handle_that_was_given_up_a_year_ago) {
  given(mira_registered)
      .holding<User>(handle_key("ken"), ken.account, noon - std::chrono::days(365))
      .when(new_handle("ken"), mira)
      .then(handle_changed("mira", "ken"))
      .takes(handle_key("ken"));
}

TEST(ChangeMe, changes_a_handle_once_in_30_days) {
  given(mira_registered, was_called("mira", "mira_s", noon - accounts::handle_change_pause + std::chrono::milliseconds(1)))
      .when(new_handle("mira_t"), mira)
      .refuses(Refusal::handle_changed_recently);
  given(mira_registered, was_called("mira", "mira_s", noon - accounts::handle_change_pause))
      .when(new_handle("mira_t"), mira)
      .then(handle_changed("mira_s", "mira_t"));
}

TEST(ChangeMe, gives_back_a_former_handle_of_ones_own_within_its_year) {
  const Time then = noon - std::chrono::days(31);
  given(mira_registered, was_called("mira", "mira_s", then))
      .holding<User>(handle_key("mira"), mira.account, then)
      .when(new_handle("mira"), mira)
      .then(handle_changed("mira_s", "mira"))
      .takes(handle_key("mira"))
      .retires(handle_key("mira_s"));
}

TEST(ChangeMe, changes_nothing_at_all_when_the_handle_is_refused) {
  auto command = new_handle("admin");
  command.language = {value<LanguageTag>("de")};
  given(mira_registered).when(command, mira).refuses(Refusal::handle_reserved);
}

TEST(ChangeMe, is_refused_without_an_account) { given().when(ChangeMe{}, mira).refuses(Refusal::login_session_ended); }

TEST(ChangeMe, takes_null_for_the_avatar_only) {
  EXPECT_TRUE(json::read_command<ChangeMe>({}, R"({"avatarUrl":null})")->avatar_url.present);
  EXPECT_FALSE(json::read_command<ChangeMe>({}, R"({"handle":null})"));
  EXPECT_FALSE(json::read_command<ChangeMe>({}, R"({"privacy":"secret"})"));
  EXPECT_EQ(*json::read_command<ChangeMe>({}, R"({"privacy":"private"})")->privacy, Privacy::private_);
}

}  // namespace
}  // namespace bloomwatch::testing
