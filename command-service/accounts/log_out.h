// Somebody ends the log-in session that they are in.
#pragma once

#include "command-service/accounts/login_session.h"
#include "command-service/decision.h"

namespace bloomwatch {

/// Never refused; quiet where the session has ended.
struct LogOut {
  Decision<LoginSessionEnded> decide(const Actor&, By<LoginSession> own) const {
    if (!own->account || own->ended) return nothing;
    return LoginSessionEnded{.reason = LoginSessionEnd::logged_out};
  }
};
BOOST_DESCRIBE_STRUCT(LogOut, (), ())

}  // namespace bloomwatch
