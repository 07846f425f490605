// Who a request speaks for, told without asking the database: access, refresh and operator tokens, and the log-in sessions that have ended.
// Every process that checks tokens follows the log for ends, so that ending a session holds within a second everywhere.
// Start at Authenticator; AccessTokens and EndedSessions are what it asks.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <expected>
#include <memory>
#include <mutex>
#include <optional>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <thread>
#include <unordered_map>

#include "events/ids.h"
#include "runtime/crypto.h"
#include "runtime/hub.h"
#include "runtime/problem.h"
#include "runtime/time.h"

namespace bloomwatch {

/// How long an access token lives, and so how long an ended session has to be remembered.
inline constexpr std::chrono::minutes access_token_life{15};
/// Ends are kept a little longer than tokens live, for clocks that differ.
inline constexpr std::chrono::minutes ended_session_memory{16};

/// Who a request speaks for: an account, as one of its profiles, in one log-in session.
struct Principal {
  UserId account;
  ProfileId profile;
  SessionId session;
  PasswordId password;  ///< the account's password when the token was made; another since then ends all sessions but one
  Time expires_at;

  bool operator==(const Principal&) const = default;
};

/// Makes and checks access tokens: base64url of version, the principal's ids, expiry and a keyed hash of these. Opaque to clients.
/// Safe from all threads.
class AccessTokens {
 public:
  explicit AccessTokens(const MasterKeys& keys);

  std::string mint(const Principal& principal) const;
  /// Nothing if the token is none of ours, was changed or has expired. Tokens that were right are remembered, a bounded number in each
  /// thread, so that a client's next request costs no hash.
  std::optional<Principal> check(std::string_view token, Time now) const;

 private:
  std::optional<Principal> verify(std::string_view token) const;

  SecretKey key_;
  std::uint64_t instance_;  ///< tells the remembered tokens of several AccessTokens in one process apart
};

/// What a refresh token says. It is checked by itself; whether it is still the session's latest is the decider's to say.
struct RefreshClaim {
  SessionId session;
  UserId account;
  std::int32_t generation = 0;

  bool operator==(const RefreshClaim&) const = default;
};

/// Makes and checks refresh tokens. The same generation always gives the same token, so a repeat of a refresh shows what was shown before,
/// and nothing of it needs to be stored.
class RefreshTokens {
 public:
  explicit RefreshTokens(const MasterKeys& keys) : key_(keys.access_tokens) {}

  std::string mint(const RefreshClaim& claim) const;
  /// Nothing if the token is none of ours.
  std::optional<RefreshClaim> check(std::string_view token) const;

 private:
  SecretKey key_;
};

/// Makes and checks the tokens of whoever runs an instance: made from its master key, so by those who may read that, and good for what no
/// person may do, an admin neither. They name nobody; what is done with one is done by the system.
class OperatorTokens {
 public:
  explicit OperatorTokens(const MasterKeys& keys) : key_(keys.access_tokens) {}

  std::string mint(Time expires_at) const;
  /// False if the token is none of ours or has expired.
  bool admits(std::string_view token, Time now) const;

 private:
  SecretKey key_;
};

/// The ends of the last minutes: a pure value, what EndedSessions keeps.
class SessionEnds {
 public:
  void session_ended(SessionId session, Time at);
  /// Every session of the account but `continuing` has ended; tokens made under `current` are newer than that.
  void password_changed(UserId account, PasswordId current, SessionId continuing, Time at);
  /// Forgets ends before `time`: the tokens that they concern have expired.
  void forget_before(Time time);

  bool allows(const Principal& principal) const;
  std::size_t size() const { return sessions_.size() + passwords_.size(); }

 private:
  struct Password {
    PasswordId current;
    SessionId continuing;
    Time at;
  };
  std::unordered_map<SessionId, Time> sessions_;
  std::unordered_map<UserId, Password> passwords_;
};

/// Follows the log for ended sessions and changed passwords, in a thread of its own.
class EndedSessions {
 public:
  /// Longest time since the last look at the log for which its answers are relied on; beyond it `ready` is false and nobody is let in.
  static constexpr std::chrono::seconds staleness_max{5};
  static constexpr std::chrono::milliseconds poll_every{200};   ///< where no wake-up comes
  static constexpr std::chrono::milliseconds poll_spacing{20};  ///< at most so often where they come fast

  /// Starts reading at once; wakes on the hub's log topic. `hub` must outlive it.
  EndedSessions(std::string database_url, Hub& hub);
  ~EndedSessions();
  EndedSessions(const EndedSessions&) = delete;
  EndedSessions& operator=(const EndedSessions&) = delete;

  /// True once all ends of the last minutes have been read, while the log can be followed.
  bool ready() const;
  bool allows(const Principal& principal) const;
  /// Takes an end that this process just saw answered, ahead of the log's own word.
  void session_ended(SessionId session, Time at);
  void password_changed(UserId account, PasswordId current, SessionId continuing, Time at);

 private:
  class Follower;
  void run(const std::stop_token& stop);
  void pause(const std::stop_token& stop, std::chrono::milliseconds least);

  std::string database_url_;
  mutable std::shared_mutex ends_mutex_;
  SessionEnds ends_;
  std::atomic<std::chrono::steady_clock::rep> looked_at_{0};  ///< 0: not yet whole

  std::mutex wake_mutex_;
  std::condition_variable_any woken_;
  bool wake_ = false;
  Hub::Subscription subscription_;
  std::jthread thread_;
};

/// Tells who a request speaks for. One a process; safe from all threads.
class Authenticator {
 public:
  /// `hub` must outlive it.
  Authenticator(const MasterKeys& keys, std::string database_url, Hub& hub);

  /// Who the request's bearer token (RFC 6750) speaks for: 401 with WWW-Authenticate if there is none, or a wrong, expired or ended one;
  /// 503 while ends are not known. `answer` is told whose token it was, refused or not.
  std::expected<Principal, Problem> authenticate(const http::Request& request, http::Responder& answer, Time now) const;

  const AccessTokens& tokens() const { return tokens_; }
  EndedSessions& ended() { return ended_; }
  const EndedSessions& ended() const { return ended_; }
  bool ready() const { return ended_.ready(); }

 private:
  AccessTokens tokens_;
  EndedSessions ended_;
};

}  // namespace bloomwatch
