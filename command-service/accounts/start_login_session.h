// Somebody logs in. The edge has checked the password against the row that the account named when it looked.
#pragma once

#include "command-service/accounts/login_session.h"
#include "command-service/decision.h"
#include "command-service/values.h"

namespace bloomwatch {

/// Longest device text that is kept, in characters.
inline constexpr std::size_t device_length_max = 256;

/// A User-Agent as it is kept: its visible ASCII, cut to device_length_max; nothing if that leaves nothing.
std::optional<std::string> device_from(std::string_view user_agent);

/// Refused: wrong_credentials if there is no such account, or its password is no longer the one that was proved.
/// The device is sealed under the account's key, which the actor carries.
struct StartLoginSession {
  Minted<SessionId> session = {};
  UserId user = {};
  PasswordId proven = {};  ///< the password row that the given password matched
  std::optional<std::string> device = {};

  static constexpr bool creates = true;
  Decision<LoginSessionStarted> decide(const Actor& by, const LoginSession& started, const User& account) const;
};
BOOST_DESCRIBE_STRUCT(StartLoginSession, (), (session, user, proven, device))

}  // namespace bloomwatch
