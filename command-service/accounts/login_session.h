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
  static constexpr std::int32_t snapshot_shape = 2;

  SessionId id;
  std::optional<UserId> account;  ///< none: no such session
  PasswordId password;            ///< that it was proved with
  std::int32_t generation = 0;    ///< of the refresh token that is good now
  bool ended = false;
  Time used_at = {};  ///< last: started or refreshed

  /// Whether it still opens anything: neither ended nor left behind by a new password. `user` is its account.
  bool goes_on(const User& user) const {
    return account && !ended && user.exists() && (password == user.password || user.continuing_session == id);
  }

  bool is_idle(Time now) const { return now - used_at >= login_session_idle_max; }

  void evolve(const LoginSessionStarted& e, const Meta& meta) {
    id = meta.key<SessionId>();
    account = UserId(meta.partition_key.uuid);
    password = e.password;
    used_at = meta.recorded_at;
  }
  void evolve(const LoginSessionRefreshed& e, const Meta& meta) {
    generation = e.generation;
    used_at = meta.recorded_at;
  }
  void evolve(const LoginSessionEnded&) { ended = true; }
};
BOOST_DESCRIBE_STRUCT(LoginSession, (), (id, account, password, generation, ended, used_at))

}  // namespace bloomwatch
