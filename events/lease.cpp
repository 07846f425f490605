// The lease's thread: stand by, hold, lose, stand by again. Time is CLOCK_BOOTTIME where a process may have been stopped or the machine
// asleep, so that whoever wakes up knows at once that the lease may be somebody else's.
#include "events/lease.h"

#include <ctime>

#include "runtime/logging.h"
#include "runtime/sleep.h"

namespace bloomwatch {

namespace {

std::int64_t boot_time_ns() {
  std::timespec time{};
  ::clock_gettime(CLOCK_BOOTTIME, &time);
  return std::int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
}

pg::Options lease_options(std::string url, LeaseName name) {
  pg::Options options;
  options.url = std::move(url);
  options.application_name = name == LeaseName::writer ? "bloomwatch writer lease" : "bloomwatch relay lease";
  options.connect_timeout = std::chrono::milliseconds(2000);
  options.statement_timeout = std::chrono::milliseconds(2000);
  options.settings = {{"idle_session_timeout", std::to_string(Lease::idle_session_timeout.count())}};
  return options;
}

}  // namespace

Lease::Lease(std::string database_url, LeaseName name, Callbacks callbacks)
    : database_url_(std::move(database_url)),
      name_(name),
      callbacks_(std::move(callbacks)),
      thread_([this](const std::stop_token& stop) { run(stop); }) {}

Lease::~Lease() { stop(); }

void Lease::stop() {
  thread_.request_stop();
  if (thread_.joinable()) thread_.join();
}

void Lease::let_go() { let_go_ = true; }

bool Lease::held() const { return !let_go_ && boot_time_ns() < held_until_ns_.load(); }

void Lease::run(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    try {
      stand_by_and_hold(stop);
    } catch (const pg::Error& error) {
      log::debug("lease", "not reachable, or the session was ended: begins anew", {{"error", error.what()}});
    }
    sleep_for(stop, let_go_.exchange(false) ? rest : standby_poll);
  }
}

void Lease::stand_by_and_hold(const std::stop_token& stop) {
  static const pg::Statement try_lock("SELECT pg_try_advisory_lock($1, $2)");
  pg::Connection connection(lease_options(database_url_, name_));
  while (!stop.stop_requested()) {
    const std::int64_t asked = boot_time_ns();
    if (connection.run(try_lock, pg::Params(lock_class, static_cast<std::int32_t>(name_)))[0].get<bool>(0)) {
      held_until_ns_ = asked + std::chrono::nanoseconds(idle_session_timeout).count();
      return hold(connection, stop);
    }
    sleep_for(stop, standby_poll);
  }
}

/// Returns when asked to stop or to let go; throws when the session is lost. Either way the lease is gone.
void Lease::hold(pg::Connection& connection, const std::stop_token& stop) {
  static const pg::Statement heartbeat("SELECT 1");
  struct Loss {
    Lease& lease;
    ~Loss() {
      lease.held_until_ns_ = 0;
      lease.callbacks_.lost();
    }
  };
  let_go_ = false;  // who let go spoke of an earlier time
  callbacks_.gained();
  const Loss loss{*this};
  while (sleep_for(stop, heartbeat_every) && !let_go_) {
    const std::int64_t asked = boot_time_ns();
    connection.run(heartbeat);
    held_until_ns_ = asked + std::chrono::nanoseconds(idle_session_timeout).count();
  }
}

}  // namespace bloomwatch
