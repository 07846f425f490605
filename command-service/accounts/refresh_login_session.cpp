// The decision about a refresh token.
#include "command-service/accounts/refresh_login_session.h"

#include "command-service/accounts/refusals.h"

namespace bloomwatch {

using accounts::Refusal;

Decision<LoginSessionRefreshed, LoginSessionEnded> RefreshLoginSession::decide(const Actor& by, const LoginSession& refreshed,
                                                                               const User& account) const {
  if (refreshed.account != user || generation < 0 || generation > refreshed.generation) return refuse(Refusal::refresh_token_unknown);
  if (!refreshed.goes_on(account) || refreshed.is_idle(by.now)) return refuse(Refusal::login_session_ended);
  if (generation == refreshed.generation) return LoginSessionRefreshed{.generation = generation + 1};
  Decision<LoginSessionRefreshed, LoginSessionEnded> decision(LoginSessionEnded{.reason = LoginSessionEnd::refresh_token_reused});
  decision.refuse(refuse(Refusal::refresh_token_reused));
  return decision;
}

}  // namespace bloomwatch
