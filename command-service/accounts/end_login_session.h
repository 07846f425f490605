// Somebody ends one of their log-in sessions, on another device perhaps.
#pragma once

#include "command-service/accounts/login_session.h"
#include "command-service/accounts/refusals.h"
#include "command-service/decision.h"

namespace bloomwatch {

/// Refused: no_such_login_session where it is somebody else's or nobody's. Quiet where it has ended, or was left behind by a new password.
struct EndLoginSession {
  SessionId session = {};

  Decision<LoginSessionEnded> decide(const Actor& by, const LoginSession& ending, By<User> user) const {
    if (ending.account != by.account) return refuse(accounts::Refusal::no_such_login_session);
    if (!ending.goes_on(user.state)) return nothing;
    return LoginSessionEnded{.reason = LoginSessionEnd::ended_by_owner};
  }
};
BOOST_DESCRIBE_STRUCT(EndLoginSession, (), (session))

}  // namespace bloomwatch
