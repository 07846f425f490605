// What every program of ours is around what it does: a home folder, logs, metrics, the admin port, an HTTP server, a file that says where
// it is, and an end in good order. The programs' main functions make their parts and hand their routes over.
#pragma once

#include <functional>
#include <initializer_list>
#include <memory>
#include <string>

#include "runtime/admin.h"
#include "runtime/config.h"
#include "runtime/http.h"
#include "runtime/instance.h"
#include "runtime/metrics.h"
#include "runtime/shutdown.h"
#include "runtime/trusted_proxies.h"

namespace bloomwatch {

/// One a program; make it first thing, before any thread. Not for use from several threads.
class Process {
 public:
  /// Blocks signals, makes the home folder, sets the log level, listens on the admin port. `name` is that of the file that tells where it
  /// is (runtime/instance.h), and no other process of that name may run in the home. Throws std::runtime_error or std::system_error, in
  /// words for an operator.
  Process(Config config, std::string name);
  /// Says that it has stopped, so that all parts that were made after it have.
  ~Process();
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  /// As given, with `database_url` filled in.
  const Config& config() const { return config_; }
  Metrics& metrics() { return metrics_; }
  /// For checks of readiness.
  Admin& admin() { return admin_; }
  /// For what must stop once no request comes in any more, the last added first.
  Shutdown& shutdown() { return shutdown_; }
  /// `<home>/master.key`.
  std::string master_key_file() const;

  /// Brings the database's schema up to date and says so in the log.
  void migrate_database() const;

  /// Serves the routes (none: no API) until SIGINT, SIGTERM or `shutdown().request()`; then lets answers in flight out and runs the stops.
  void run(http::Routes routes);
  void run();

 private:
  void wait_for_the_end(const std::string& url);

  Config config_;
  std::string name_;
  HomeLock lock_;
  TrustedProxies trusted_proxies_;
  Shutdown shutdown_;
  Metrics metrics_;
  Admin admin_;
  bool started_ = false;
};

/// What `--help` says of a program, and which settings it takes.
struct ProgramInfo {
  const char* name;
  const char* about;
  std::initializer_list<SettingGroup> settings;
};

/// The main function of a program: reads its settings, makes its Process and calls `run`. Answers the exit status; what went wrong is said
/// on standard error.
int run_program(int argc, char** argv, const ProgramInfo& info, const std::function<void(Process&)>& run);

}  // namespace bloomwatch
