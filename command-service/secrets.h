// Secrets beside the log: data keys, password hashes, invitees' addresses. Each is written first, under a fresh id, in a
// transaction of its own; the event that names the id makes it valid, and what no event names is swept after a day.
// Start at Secrets (blocking, for the flows' pool) and DataKeys (never blocks, for every command).
#pragma once

#include <chrono>
#include <cstdint>
#include <expected>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "events/ids.h"
#include "events/personal.h"
#include "runtime/postgres.h"

namespace bloomwatch {

/// The secrets' tables. Blocks on Postgres and throws pg::Error; safe from all threads. `pool` and `keys` must outlive it.
class Secrets {
 public:
  Secrets(pg::Pool& pool, const MasterKeys& keys) : pool_(pool), keys_(keys) {}

  /// Keeps the data key of a new account and its first password's hash, in one transaction.
  void put_account(const DataKey& key, PasswordId password, std::string_view hash);
  void put_password(PasswordId password, UserId account, std::string_view hash);
  void put_invitation_address(InvitationId invitation, WatchSpaceId watch_space, std::string_view email);

  /// The hash of that account's password; nothing if there is no such row.
  std::optional<std::string> password_hash(PasswordId password, UserId account);
  /// Nothing if the account has no key (any more).
  std::optional<DataKey> data_key(UserId account);

  struct Swept {
    std::int64_t keys = 0;
    std::int64_t passwords = 0;
    std::int64_t invitation_addresses = 0;
  };
  /// Deletes what was made more than `age` ago and nobody needs: what no event names, former passwords, addresses of invitations that were
  /// accepted, and the passwords and addresses of accounts whose key was destroyed. In steps of `step_max` rows, each a transaction of its
  /// own.
  Swept sweep(std::chrono::hours age = std::chrono::hours(24));

 private:
  static constexpr std::int32_t step_max = 1000;

  std::int64_t sweep_by_account(const pg::Statement& step, std::chrono::hours age);
  std::int64_t sweep_addresses(std::chrono::hours age);

  pg::Pool& pool_;
  const MasterKeys& keys_;
};

/// Data keys for sealing, opened and kept in memory: bounded, least recently used go first, none older than `fresh_for`, so that a
/// destroyed key stops sealing within that time. Safe from all threads.
class DataKeys {
 public:
  struct Limits {
    std::size_t keys_max = 50'000;
    std::chrono::seconds fresh_for{60};
  };
  /// The key; nothing inside if the account has none; no answer at all if Postgres gave none.
  using Found = std::expected<std::optional<DataKey>, pg::Error>;
  using Callback = std::move_only_function<void(Found)>;

  /// `pipeline` and `keys` must outlive it, and it must outlive the pipeline's callbacks: destroy the pipeline first.
  DataKeys(pg::Pipeline& pipeline, const MasterKeys& keys) : DataKeys(pipeline, keys, Limits{}) {}
  DataKeys(pg::Pipeline& pipeline, const MasterKeys& keys, Limits limits) : pipeline_(pipeline), keys_(keys), limits_(limits) {}

  /// Calls `callback` with the account's key: at once where it is held (and for the nil account, which has none), else from the pipeline's
  /// thread; it must not block.
  void with_key(UserId account, Callback callback);

 private:
  using Clock = std::chrono::steady_clock;
  struct Held {
    DataKey key;
    Clock::time_point since;
  };

  std::optional<DataKey> held(UserId account);
  void hold(const DataKey& key);

  pg::Pipeline& pipeline_;
  const MasterKeys& keys_;
  const Limits limits_;
  std::mutex mutex_;
  std::list<Held> by_use_;  ///< most recently used first
  std::unordered_map<UserId, std::list<Held>::iterator> entries_;
};

}  // namespace bloomwatch
