// The operators' own port: `/metrics`, `/health/live` (the process answers) and `/health/ready` (every check says it may take traffic).
// Kept apart from the API, so that neither is in the other's way nor in the other's reach.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace bloomwatch {

class Metrics;

class Admin {
 public:
  /// Why this part may take no traffic yet; nothing if it may. Must be quick (it looks at a flag, it asks no database) and never throw.
  using Check = std::function<std::optional<std::string>()>;

  /// Listens at once on `bind`:`port` (0: any free one); throws std::system_error if it cannot. `metrics` outlives it.
  Admin(Metrics& metrics, const std::string& bind, std::uint16_t port);
  ~Admin();
  Admin(const Admin&) = delete;
  Admin& operator=(const Admin&) = delete;

  /// Adds a check; from any thread, also while it answers.
  void add_check(std::string name, Check check);
  void start();
  void stop();
  std::uint16_t port() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace bloomwatch
