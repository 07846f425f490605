// Log-in sessions from the proof of a password to their end, refresh by refresh.
#include "command-service/accounts/change_password.h"
#include "command-service/accounts/end_login_session.h"
#include "command-service/accounts/log_out.h"
#include "command-service/accounts/refresh_login_session.h"
#include "command-service/accounts/start_login_session.h"
#include "tests/unit/accounts/accounts.h"

namespace bloomwatch::testing {
namespace {

const auto other_session = id_of<SessionId>("Mira's phone");

Past password_changed(SessionId continuing) {
  return stream<User>(mira.account, PasswordChanged{.password = second_password, .continuing_session = continuing});
}
Past refreshed(std::int32_t generation) { return stream<LoginSession>(mira.session, LoginSessionRefreshed{.generation = generation}); }
Past ended() { return stream<LoginSession>(mira.session, LoginSessionEnded{.reason = LoginSessionEnd::logged_out}); }

StartLoginSession log_in() { return {.session = {mira.session}, .user = mira.account, .proven = first_password, .device = "Firefox"}; }

TEST(StartLoginSession, begins_a_session_proved_by_a_password) {
  given(mira_registered)
      .when(log_in(), mira)
      .then(LoginSessionStarted{.profile = mira.profile, .password = first_password, .device = mira.seal("Firefox")})
      .answers(mira.session.uuid)
      .once();
}

TEST(StartLoginSession, is_refused_without_an_account) { given().when(log_in(), mira).refuses(Refusal::wrong_credentials); }

TEST(StartLoginSession, is_refused_when_the_password_was_changed_meanwhile) {
  given(mira_registered, password_changed(other_session)).when(log_in(), mira).refuses(Refusal::wrong_credentials);
}

TEST(StartLoginSession, keeps_of_a_user_agent_what_can_be_shown) {
  EXPECT_EQ(device_from("Mozilla/5.0 \x1b[31m(X11)\xff"), "Mozilla/5.0 [31m(X11)");
  EXPECT_EQ(device_from(std::string(1000, 'x'))->size(), device_length_max);
  EXPECT_EQ(device_from(""), std::nullopt);
  EXPECT_EQ(device_from("  "), std::nullopt);
}

RefreshLoginSession refresh(std::int32_t generation) { return {.session = mira.session, .user = mira.account, .generation = generation}; }

TEST(RefreshLoginSession, replaces_the_token_by_the_next) {
  given(mira_registered, logged_in()).when(refresh(0), mira).then(LoginSessionRefreshed{.generation = 1});
  given(mira_registered, logged_in(), refreshed(1)).when(refresh(1), mira).then(LoginSessionRefreshed{.generation = 2});
}

TEST(RefreshLoginSession, ends_the_whole_session_when_a_token_is_used_twice) {
  given(mira_registered, logged_in(), refreshed(1))
      .when(refresh(0), mira)
      .refuses(Refusal::refresh_token_reused, LoginSessionEnded{.reason = LoginSessionEnd::refresh_token_reused});
}

TEST(RefreshLoginSession, ends_a_session_once_only) {
  given(mira_registered, logged_in(), refreshed(1), ended()).when(refresh(0), mira).refuses(Refusal::login_session_ended);
}

TEST(RefreshLoginSession, is_refused_when_the_session_has_ended) {
  given(mira_registered, logged_in(), ended()).when(refresh(0), mira).refuses(Refusal::login_session_ended);
}

TEST(RefreshLoginSession, is_refused_when_the_session_was_not_used_for_long) {
  const Time idle = noon + login_session_idle_max;
  const auto still = idle - std::chrono::milliseconds(1);
  given(mira_registered, logged_in()).when(refresh(0), later(mira, idle)).refuses(Refusal::login_session_ended);
  given(mira_registered, logged_in()).when(refresh(0), later(mira, still)).then(LoginSessionRefreshed{.generation = 1});
  given(mira_registered, logged_in(), refreshed(1).at(still))
      .when(refresh(1), later(mira, idle))
      .then(LoginSessionRefreshed{.generation = 2});
}

TEST(RefreshLoginSession, is_refused_for_a_session_of_somebody_else_or_none) {
  given(mira_registered).when(refresh(0), mira).refuses(Refusal::refresh_token_unknown);
  given(mira_registered, logged_in())
      .when(RefreshLoginSession{.session = mira.session, .user = ken.account}, ken)
      .refuses(Refusal::refresh_token_unknown);
}

TEST(RefreshLoginSession, is_refused_for_a_generation_that_never_was) {
  given(mira_registered, logged_in()).when(refresh(1), mira).refuses(Refusal::refresh_token_unknown);
  given(mira_registered, logged_in()).when(refresh(-1), mira).refuses(Refusal::refresh_token_unknown);
}

TEST(RefreshLoginSession, is_refused_after_a_new_password_unless_the_session_made_it) {
  given(mira_registered, logged_in(), password_changed(other_session)).when(refresh(0), mira).refuses(Refusal::login_session_ended);
  given(mira_registered, logged_in(), password_changed(mira.session)).when(refresh(0), mira).then(LoginSessionRefreshed{.generation = 1});
}

TEST(RefreshLoginSession, is_refused_after_a_further_password_that_another_session_made) {
  const auto third =
      stream<User>(mira.account, PasswordChanged{.password = id_of<PasswordId>("third password"), .continuing_session = other_session});
  given(mira_registered, logged_in(), password_changed(mira.session), third).when(refresh(0), mira).refuses(Refusal::login_session_ended);
}

TEST(LogOut, ends_the_session_that_one_is_in) {
  given(mira_registered, logged_in())
      .when(LogOut{}, mira)
      .then(LoginSessionEnded{.reason = LoginSessionEnd::logged_out})
      .answers(mira.session.uuid)
      .once();
}

TEST(LogOut, says_nothing_where_there_is_no_session) { given(mira_registered).when(LogOut{}, mira).says_nothing(); }

TEST(EndLoginSession, ends_one_of_ones_own) {
  given(mira_registered, logged_in(other_session))
      .when(EndLoginSession{.session = other_session}, mira)
      .then(LoginSessionEnded{.reason = LoginSessionEnd::ended_by_owner})
      .answers(other_session.uuid)
      .once();
}

TEST(EndLoginSession, cannot_tell_somebody_elses_from_none) {
  given(mira_registered, logged_in()).when(EndLoginSession{.session = mira.session}, ken).refuses(Refusal::no_such_login_session);
  given(mira_registered).when(EndLoginSession{.session = other_session}, mira).refuses(Refusal::no_such_login_session);
}

TEST(EndLoginSession, says_nothing_where_a_new_password_has_ended_it) {
  given(mira_registered, logged_in(other_session), logged_in(), password_changed(mira.session))
      .when(EndLoginSession{.session = other_session}, mira)
      .says_nothing();
}

ChangePassword new_password() { return {.proven = {first_password}, .password = {second_password}}; }

TEST(ChangePassword, names_the_session_that_goes_on) {
  given(mira_registered, logged_in())
      .when(new_password(), mira)
      .then(PasswordChanged{.password = second_password, .continuing_session = mira.session})
      .answers(mira.account.uuid)
      .once();
}

TEST(ChangePassword, is_refused_when_the_password_was_changed_meanwhile) {
  const auto third =
      stream<User>(mira.account, PasswordChanged{.password = id_of<PasswordId>("third password"), .continuing_session = mira.session});
  given(mira_registered, logged_in(), third).when(new_password(), mira).refuses(Refusal::wrong_password);
}

TEST(ChangePassword, is_refused_in_a_session_that_has_ended) {
  given(mira_registered, logged_in(), ended()).when(new_password(), mira).refuses(Refusal::login_session_ended);
  given(mira_registered, logged_in(), password_changed(other_session)).when(new_password(), mira).refuses(Refusal::login_session_ended);
}

}  // namespace
}  // namespace bloomwatch::testing
