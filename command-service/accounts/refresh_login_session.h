// A refresh token is used: it is replaced by the next. One used twice ends its whole session (RFC 9700 §4.14.2).
#pragma once

#include "command-service/accounts/login_session.h"
#include "command-service/decision.h"

namespace bloomwatch {

/// What the edge read from a refresh token whose signature is good. Refused, in this order: refresh_token_unknown (no such session of that
/// account, or a generation that it never had), login_session_ended (or too long not refreshed), refresh_token_reused (which is also
/// remembered: it ends the session).
struct RefreshLoginSession {
  SessionId session = {};
  UserId user = {};
  std::int32_t generation = 0;

  Decision<LoginSessionRefreshed, LoginSessionEnded> decide(const Actor& by, const LoginSession& refreshed, const User& account) const;
};
BOOST_DESCRIBE_STRUCT(RefreshLoginSession, (), (session, user, generation))

}  // namespace bloomwatch
