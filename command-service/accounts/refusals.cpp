// How the refusals of accounts are shown.
#include "command-service/accounts/refusals.h"

#include "command-service/accounts/handles.h"
#include "command-service/refusal_table.h"

namespace bloomwatch::accounts {
namespace {

using enum Refusal;
constexpr auto table = std::to_array<RefusalRow<Refusal>>({
    {handle_reserved, 409, "This handle is reserved", "Choose another handle."},
    {email_taken, 409, "This e-mail address has an account", "Log in with it, or register with another address."},
    {handle_taken, 409, "This handle is taken", "Choose another handle. One that was given up is free again after a year."},
    {handle_changed_recently, 409, "The handle was changed not long ago", "A handle can be changed once in {} days.",
     handle_change_pause.count()},
    {wrong_credentials, 401, "The e-mail address or the password is wrong", "Check both and try again."},
    {wrong_password, 403, "The current password is wrong", "The password was not changed."},
    {refresh_token_unknown, 401, "The refresh token is not valid", "Log in again."},
    {refresh_token_reused, 401, "The refresh token was used before",
     "The log-in session was ended, since somebody may have copied it. Log in again."},
    {login_session_ended, 401, "The log-in session has ended", "Log in again."},
    {no_such_login_session, 404, "There is no such log-in session", "You have no log-in session with this id."},
    {no_such_account, 404, "There is no such account", "Nobody has this handle."},
});

}  // namespace

const Problem* problem_of(std::string_view refusal) {
  static const RefusalTable rows = make_refusal_table(table);
  return find_refusal(rows, refusal);
}

}  // namespace bloomwatch::accounts
