// command-service by itself: takes commands and writes the log. Several may run; one writes, the others stand by.
#include <fmt/core.h>

#include <CLI/CLI.hpp>
#include <exception>

#include "command-service/service.h"
#include "events/analytics_views.h"
#include "events/log_news.h"
#include "runtime/process.h"

namespace bloomwatch {
namespace {

void run(const Config& config) {
  Process process(config, "command-service");
  process.migrate_database();
  make_analytics_views(process.config().database_url);
  const MasterKeys keys = MasterKeys::load_or_create(process.master_key_file());
  Hub hub;
  const auto news = log_news(process.config().database_url, hub);  // of another instance that writes
  Authenticator authenticator(keys, process.config().database_url, hub);
  CommandService service(process.config(), keys, authenticator, hub, process.metrics());
  http::Routes routes;
  service.add_routes(routes);
  process.admin().add_check("commands", [&service] { return service.not_ready(); });
  service.start();
  process.run(std::move(routes));
  service.stop();
}

}  // namespace
}  // namespace bloomwatch

int main(int argc, char** argv) {
  using enum bloomwatch::SettingGroup;
  CLI::App program("BloomWatch's command-service: takes commands, decides them and writes the log.", "command-service");
  bloomwatch::Config config;
  bloomwatch::add_settings(program, config, {process, database, api, writer, accounts});
  CLI11_PARSE(program, argc, argv);
  try {
    bloomwatch::run(config);
    return 0;
  } catch (const std::exception& error) {
    fmt::print(stderr, "command-service: {}\n", error.what());
    return 1;
  }
}
