// Finds the instance that a subcommand is for.
#include "ops/operator/target.h"

#include <CLI/CLI.hpp>
#include <stdexcept>

#include "runtime/migrate.h"

namespace bloomwatch::ops {

Instance Target::instance() const {
  const auto whole = read_instance(home, "instance");
  if (whole) return *whole;
  const auto apart = read_instance(home, "command-service");
  if (apart) return *apart;
  throw std::runtime_error("nothing is running there (" + whole.error() + ", and " + apart.error() +
                           "); start it with ops/run, or name another --home");
}

std::string Target::any_database() const { return database_url.empty() ? instance().database_url : database_url; }

std::string Target::database() const {
  std::string url = any_database();
  check_schema(url);
  return url;
}

Config Target::with_kafka() const {
  Config told = settings;
  for (const char* name : {"instance", "relay"}) {
    const auto running = read_instance(home, name);
    if (!told.kafka_bootstrap.empty() || !running || (!database_url.empty() && database_url != running->database_url)) continue;
    told.kafka_bootstrap = running->kafka_bootstrap;
    if (told.kafka_property.empty()) told.kafka_property = running->kafka_property;
  }
  return told;
}

void add_home(CLI::App& subcommand, std::string& home) {
  home = "var";
  subcommand.add_option("--home", home, "The home folder of the running instance")->envname("BLOOMWATCH_HOME")->capture_default_str();
}

void add_target(CLI::App& subcommand, Target& target, std::initializer_list<SettingGroup> groups) {
  add_home(subcommand, target.home);
  subcommand.add_option("--database-url", target.database_url, "Its Postgres, where not the one that the running instance has")
      ->envname("BLOOMWATCH_DATABASE_URL");
  add_settings(subcommand, target.settings, groups);
}

}  // namespace bloomwatch::ops
