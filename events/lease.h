// Who may write (or relay) now: a session advisory lock that its holder keeps alive every second. For order only, the fence is for truth.
// Whoever hangs, is stopped or is cut off loses it: Postgres ends a session that was idle for 3 s, and the lock with it.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <thread>

#include "runtime/postgres.h"

namespace bloomwatch {

/// What can be held; the numbers are the lock's in Postgres, for ever.
enum class LeaseName : std::int32_t { writer = 1, relay = 2 };

/// Tries to get the lease, keeps it, tries again after a loss; all in a thread of its own.
class Lease {
 public:
  static constexpr std::int32_t lock_class = 0x626c6f6f;  ///< "bloo": the first half of the advisory lock's key; the name is the second
  static constexpr std::chrono::milliseconds idle_session_timeout{3000};
  static constexpr std::chrono::milliseconds heartbeat_every{1000};
  static constexpr std::chrono::milliseconds standby_poll{200};
  static constexpr std::chrono::milliseconds rest{3000};  ///< after let_go()

  /// Called in the lease's thread; must return within a second, must not throw.
  struct Callbacks {
    std::function<void()> gained = [] {};
    std::function<void()> lost = [] {};  ///< also when stopped while held
  };

  Lease(std::string database_url, LeaseName name, Callbacks callbacks);
  Lease(std::string database_url, LeaseName name) : Lease(std::move(database_url), name, Callbacks{}) {}
  /// Releases it and joins.
  ~Lease();
  Lease(const Lease&) = delete;
  Lease& operator=(const Lease&) = delete;

  /// Whether this process holds it: the last heartbeat that Postgres answered was sent less than 3 s ago. A process that was stopped and
  /// wakes up sees false before its thread has noticed.
  bool held() const;
  /// Releases it now (callback `lost`) and stays out; idempotent.
  void stop();
  /// For a holder that cannot do what it is for: releases it within a second and stays out for `rest`, so that another may try. Any thread.
  void let_go();

 private:
  void run(const std::stop_token& stop);
  void stand_by_and_hold(const std::stop_token& stop);
  void hold(pg::Connection& connection, const std::stop_token& stop);

  std::string database_url_;
  LeaseName name_;
  Callbacks callbacks_;
  std::atomic<std::int64_t> held_until_ns_{0};
  std::atomic<bool> let_go_ = false;
  std::jthread thread_;
};

}  // namespace bloomwatch
