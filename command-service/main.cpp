// command-service alone: takes commands, decides, appends. Several may run on one database: one writes, the others stand by.
// Wiring only. `bloomwatch serve` is the same with the other services in one process.
#include <fmt/core.h>

#include <CLI/CLI.hpp>

#include "command-service/service.h"
#include "runtime/process.h"

namespace {

void run(const bloomwatch::Config& config) {
  using namespace bloomwatch;
  Process process(config, "command-service");
  process.migrate_database();
  const MasterKeys keys = MasterKeys::load_or_create(process.master_key_file());
  Hub hub;
  Authenticator who(keys, process.config().database_url, hub);
  CommandService commands(process.config(), keys, who, hub, process.metrics());
  process.admin().add_check("writer", [&]() -> std::optional<std::string> {
    if (commands.ready()) return std::nullopt;
    return "it stands by, or Postgres cannot be reached";
  });
  process.admin().add_check("sessions", [&]() -> std::optional<std::string> {
    if (who.ready()) return std::nullopt;
    return "the log cannot be followed for ended sessions";
  });
  process.shutdown().on_stop("writer", [&] { commands.stop(); });
  http::Routes routes;
  commands.add_routes(routes);
  commands.start();
  process.run(std::move(routes));
}

}  // namespace

int main(int argc, char** argv) {
  using enum bloomwatch::SettingGroup;
  CLI::App program("BloomWatch's command-service: takes commands and writes the log", "command-service");
  bloomwatch::Config config;
  bloomwatch::add_settings(program, config, {process, database, api, writer, accounts});
  try {
    program.parse(argc, argv);
    run(config);
    return 0;
  } catch (const CLI::ParseError& error) {
    return program.exit(error);
  } catch (const std::exception& error) {
    fmt::print(stderr, "command-service: {}\n", error.what());
    return 1;
  }
}
