// command-service whole: the writer, the secrets beside the log, the pools for what blocks, and the routes of every context.
// Made by its own main.cpp and by `bloomwatch serve`. A context is added in service.cpp: its aggregates and its routes.
#pragma once

#include <memory>

#include "events/access.h"
#include "runtime/config.h"
#include "runtime/crypto.h"
#include "runtime/http.h"
#include "runtime/hub.h"
#include "runtime/metrics.h"

namespace bloomwatch {

/// All references outlive it. Reads the epoch from the database when it is made: throws pg::Error while Postgres cannot be reached.
class CommandService {
 public:
  CommandService(const Config& config, const MasterKeys& keys, Authenticator& who, Hub& hub, Metrics& metrics);
  /// Stops.
  ~CommandService();
  CommandService(const CommandService&) = delete;
  CommandService& operator=(const CommandService&) = delete;

  /// The routes of all contexts; they must be gone before this is.
  void add_routes(http::Routes& routes);
  /// Begins to stand by, and to write when it may.
  void start();
  /// Finishes what it has accepted, bounded, and lets another one write. May be repeated.
  void stop();
  /// Whether it writes; a standby does not.
  bool ready() const;

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace bloomwatch
