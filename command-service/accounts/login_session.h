// A log-in session: from the proof of a password to its end, refresh by refresh.
// A new password ends it without an event of its own, unless it is the session that changed the password.
#pragma once

#include <boost/describe.hpp>
#include <cstdint>
#include <optional>

#include "command-service/accounts/user.h"
#include "events/accounts.h"
#include "events/envelope.h"

namespace bloomwatch {

/// What the past of one log-in session means for the next decision. Stream login-session-<id>.
struct LoginSession {
  using Key = SessionId;
  using Partition = UserId;
  using Events = LoginSessionEvents;
  static constexpr std::string_view category = "login-session";
  static constexpr std::int32_t snapshot_shape = 1;

  SessionId id;
  std::optional<UserId> account;  ///< none: no such session
  PasswordId password;            ///< that it was proved with
  std::int32_t generation = 0;    ///< of the refresh token that is good now
  bool ended = false;

  /// Whether it still opens anything: neither ended nor left behind by a new password. `user` is its account.
  bool goes_on(const User& user) const {
    return account && !ended && user.exists() && (password == user.password || user.continuing_session == id);
  }

  void evolve(const LoginSessionStarted& e, const Meta& meta) {
    id = meta.key<SessionId>();
    account = UserId(meta.partition_key.uuid);
    password = e.password;
  }
  void evolve(const LoginSessionRefreshed& e) { generation = e.generation; }
  void evolve(const LoginSessionEnded&) { ended = true; }
};
BOOST_DESCRIBE_STRUCT(LoginSession, (), (id, account, password, generation, ended))

}  // namespace bloomwatch
