// command-service as a part that a program starts and stops: the writer, the secrets, the pools and the routes of every command.
// Used by its own main.cpp and by `bloomwatch serve`, which runs it beside the other services.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "events/access.h"
#include "runtime/config.h"
#include "runtime/http.h"
#include "runtime/hub.h"
#include "runtime/metrics.h"

namespace bloomwatch {

class CommandService {
 public:
  /// Reads the log's epoch, so Postgres must be there (pg::Error) and migrated. All references outlive it.
  CommandService(const Config& config, const MasterKeys& keys, Authenticator& authenticator, Hub& hub, Metrics& metrics);
  /// As `stop()`.
  ~CommandService();
  CommandService(const CommandService&) = delete;
  CommandService& operator=(const CommandService&) = delete;

  /// The routes work once it has started, and must be gone before it is.
  void add_routes(http::Routes& routes);
  /// Stands by, and takes commands as soon as no other process writes.
  void start();
  /// After the HTTP server has stopped: lets what is under way come to its end, for a bounded time. May be repeated.
  void stop();

  /// Why it takes no commands at the moment; nothing if it does. For Admin::add_check; quick.
  std::optional<std::string> not_ready() const;

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace bloomwatch
