// Somebody changes their password: every log-in session but the one they are in ends. The edge checks the current password, hashes the new
// one and writes its row before the command goes on.
#pragma once

#include "command-service/accounts/login_session.h"
#include "command-service/accounts/refusals.h"
#include "command-service/decision.h"
#include "command-service/values.h"

namespace bloomwatch {

/// Refused, in this order: login_session_ended, wrong_password (none was proved, or one that is no longer the account's).
struct ChangePassword {
  GivenPassword current_password = {};  ///< taken out by the edge
  NewPassword new_password = {};        ///< taken out by the edge
  Minted<PasswordId> proven = {};       ///< the row that the current password matched; nil: none
  Minted<PasswordId> password = {};     ///< the row of the new one

  Decision<PasswordChanged> decide(const Actor& by, By<User> user, By<LoginSession> own) const {
    if (!own->goes_on(user.state)) return refuse(accounts::Refusal::login_session_ended);
    if (user->password == *password) return nothing;
    if (user->password != *proven) return refuse(accounts::Refusal::wrong_password);
    return PasswordChanged{.password = *password, .continuing_session = by.session};
  }
};
BOOST_DESCRIBE_STRUCT(ChangePassword, (), (current_password, new_password, proven, password))

}  // namespace bloomwatch
