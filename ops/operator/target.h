// Which instance a subcommand is for: the one running with that home folder, or a database alone where nothing else is needed.
// Value type.
#pragma once

#include <filesystem>
#include <string>

#include "runtime/instance.h"

namespace CLI {
class App;
}

namespace bloomwatch {
struct Config;
}

namespace bloomwatch::ops {

struct Target {
  std::string home;
  std::string database_url;

  std::filesystem::path master_key_file() const { return std::filesystem::path(home) / "master.key"; }
  /// `serve`, or of the services apart the one that takes commands. Throws std::runtime_error that says what to do when none is running
  /// there.
  Instance instance() const;
  /// `--database-url`, else the running instance's.
  std::string database() const;
  /// The settings, and where they do not say where Kafka is, what the running instance was told; not where a database was named instead.
  Config with_kafka(Config settings) const;
};

/// Adds --home (else $BLOOMWATCH_HOME, else var/) and --database-url to a subcommand.
void add_target(CLI::App& subcommand, Target& target);

}  // namespace bloomwatch::ops
