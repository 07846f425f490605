// What the account flows stand on: those commands that need a password checked, a secret written or the log read before they can be
// decided. They run on pools of threads, where blocking is allowed; the decision itself is the writer's as ever.
#pragma once

#include <mutex>
#include <string>
#include <vector>

#include "command-service/accounts/login_limit.h"
#include "command-service/accounts/passwords.h"
#include "command-service/accounts/refusals.h"
#include "command-service/blocking.h"
#include "command-service/secrets.h"
#include "events/log.h"

namespace bloomwatch::accounts {

/// Readers of the log for the threads of the pools: one each at a time, kept for the next.
class Readers {
 public:
  explicit Readers(std::string database_url) : database_url_(std::move(database_url)) {}

  /// One load. Throws pg::Error.
  LoadResult load(const LoadRequest& request);
  /// Lends a reader to `use`.
  template <class Use>
  void with(Use use) {
    LogReader reader = take();
    use(reader);
    give_back(std::move(reader));
  }

 private:
  LogReader take();
  void give_back(LogReader reader);

  const std::string database_url_;
  std::mutex mutex_;
  std::vector<LogReader> idle_;
};

/// Of one network address: each hashes a password, as a log-in does, and an address may be one of many people.
inline constexpr double registrations_max = 200;
inline constexpr double registrations_per_second = 5;

/// Of one account: a refresh reads the account's stream.
inline constexpr double refreshes_max = 60;
inline constexpr double refreshes_per_second = 1;

/// Outlives the flows' routes.
struct Flows {
  const Edge& edge;
  Secrets& secrets;
  Readers& readers;
  WorkPool& password_pool;  ///< for what hashes
  WorkPool& pool;           ///< for what only waits for Postgres
  const Passwords passwords = {};
  const RefreshTokens refresh_tokens{edge.keys};
  LoginLimit login_limit = {};
  TokenBuckets registration_limit{registrations_max, registrations_per_second};  ///< by network address
  TokenBuckets refresh_limit{refreshes_max, refreshes_per_second};               ///< by account
};

/// An account's stream, and what the call's Idempotency-Key was answered before, if it has one and was.
LoadRequest account_and_key(const Call& call, UserId account);

/// A refusal of this context, decided by a flow.
void refuse(Call& call, Refusal why);

// The handlers. Each is one route.
http::Handler register_user(Flows& flows);
http::Handler log_in(Flows& flows);
http::Handler refresh(Flows& flows);
http::Handler change_password(Flows& flows);

}  // namespace bloomwatch::accounts
