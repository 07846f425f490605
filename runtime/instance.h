// A running process as others on the machine find it: a small file in its home folder, written once it listens, gone when it stops.
// `serve` writes instance.json; the services run alone write command-service.json and so on. Value types.
#pragma once

#include <boost/describe.hpp>
#include <cstdint>
#include <expected>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace bloomwatch {

struct Instance {
  std::string url;        ///< of the API, `http://127.0.0.1:8080`; empty if it has none
  std::string admin_url;  ///< of health and metrics
  std::string database_url;
  std::int64_t pid = 0;
  std::string kafka_bootstrap = {};              ///< empty: without Kafka
  std::vector<std::string> kafka_property = {};  ///< as the process was told
};
BOOST_DESCRIBE_STRUCT(Instance, (), (url, admin_url, database_url, pid, kafka_bootstrap, kafka_property))

/// One line of a process's route table, as `bloomwatch routes` shows it.
struct RouteLine {
  std::string method;
  std::string pattern;
  std::string access;  ///< who may use it, as http::to_string has it
};
BOOST_DESCRIBE_STRUCT(RouteLine, (), (method, pattern, access))

/// One process of each name a home: two would take each other's file away. Held to the end of the process, however it ends.
class HomeLock {
 public:
  /// Locks `<home>/<name>.lock`. Throws std::runtime_error if another process holds it and does not end at once.
  HomeLock(const std::filesystem::path& home, std::string_view name);
  ~HomeLock();
  HomeLock(const HomeLock&) = delete;
  HomeLock& operator=(const HomeLock&) = delete;

 private:
  int file_;
};

/// Writes `<home>/<name>.json`, whole or not at all, readable by its owner only (a database URL and Kafka's properties may hold passwords).
/// Throws std::runtime_error.
void write_instance(const std::filesystem::path& home, std::string_view name, const Instance& instance);
/// Quiet if it is gone already.
void remove_instance(const std::filesystem::path& home, std::string_view name);
/// Or a sentence that says what is wrong. A process that was killed leaves its file behind.
std::expected<Instance, std::string> read_instance(const std::filesystem::path& home, std::string_view name);

/// The same for the route table, in `<home>/<name>-routes.json`.
void write_routes(const std::filesystem::path& home, std::string_view name, const std::vector<RouteLine>& routes);
std::expected<std::vector<RouteLine>, std::string> read_routes(const std::filesystem::path& home, std::string_view name);

}  // namespace bloomwatch
