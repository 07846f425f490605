// A running instance as its operator finds it: `serve` writes instance.json into its home folder, the other subcommands read it there.
// Value types; the file goes when the instance stops.
#pragma once

#include <boost/describe.hpp>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

namespace CLI {
class App;
}

namespace bloomwatch::ops {

/// What is in instance.json, written once the instance is ready.
struct Instance {
  std::string url;        ///< of the API, `http://127.0.0.1:8080`
  std::string admin_url;  ///< of health and metrics
  std::string database_url;
  std::int64_t pid = 0;
};
BOOST_DESCRIBE_STRUCT(Instance, (), (url, admin_url, database_url, pid))

/// Writes it whole or not at all, readable by its owner only (a database URL may hold a password). Throws std::runtime_error.
void write_instance(const std::filesystem::path& home, const Instance& instance);
void remove_instance(const std::filesystem::path& home);

/// Which instance a subcommand is for: `--home` (else $BLOOMWATCH_HOME, else var/), or `--database-url` alone where nothing else is needed.
struct Target {
  std::string home;
  std::string database_url;

  std::filesystem::path master_key_file() const;
  /// Throws std::runtime_error that says what to do when none is running there.
  Instance instance() const;
  /// `--database-url`, else the running instance's.
  std::string database() const;
};

/// Adds --home and --database-url to a subcommand.
void add_target(CLI::App& subcommand, Target& target);

}  // namespace bloomwatch::ops
