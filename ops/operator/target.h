// Which instance a subcommand is for: the one running with that home folder, or a database alone where nothing else is needed.
// Value type.
#pragma once

#include <filesystem>
#include <initializer_list>
#include <string>

#include "runtime/config.h"
#include "runtime/instance.h"

namespace CLI {
class App;
}

namespace bloomwatch::ops {

struct Target {
  std::string home;
  std::string database_url;
  Config settings;  ///< of the groups that were added

  std::filesystem::path master_key_file() const { return std::filesystem::path(home) / "master.key"; }
  /// `serve`, or of the services apart the one that takes commands. Throws std::runtime_error that says what to do when none is running
  /// there.
  Instance instance() const;
  /// `--database-url`, else the running instance's; its schema is this program's. Throws std::runtime_error that says what to do when it is
  /// not.
  std::string database() const;
  /// The same, whatever its schema is.
  std::string any_database() const;
  /// The settings, and where they do not say where Kafka is, what the instance or the relay that runs there was told; not where another
  /// database was named.
  Config with_kafka() const;
};

/// Adds --home (else $BLOOMWATCH_HOME, else var/). `home` must live until the arguments are parsed.
void add_home(CLI::App& subcommand, std::string& home);
/// Adds --home, --database-url and the settings of `groups` to a subcommand. What neither flags nor the
/// environment say, the file of settings in the home does. `target` must live until the arguments are parsed.
void add_target(CLI::App& subcommand, Target& target, std::initializer_list<SettingGroup> groups = {});

}  // namespace bloomwatch::ops
