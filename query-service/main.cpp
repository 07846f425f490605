// query-service alone: answers pages from the read models. As many as needed may run.
// Wiring only. `bloomwatch serve` is the same with the other services in one process.
#include <fmt/core.h>

#include <CLI/CLI.hpp>
#include <exception>

#include "events/access.h"
#include "events/log_news.h"
#include "query-service/service.h"
#include "runtime/process.h"

namespace bloomwatch {
namespace {

void run(const Config& config) {
  Process process(config, "query-service");
  process.migrate_database();
  const MasterKeys keys = MasterKeys::load_or_create(process.master_key_file());
  Hub hub;
  const auto news = log_news(process.config().database_url, hub);
  Authenticator authenticator(keys, process.config().database_url, hub);
  QueryService service(process.config().database_url, keys, authenticator, hub, process.metrics());
  http::Routes routes;
  service.add_routes(routes);
  process.admin().add_check("pages", [&service]() -> std::optional<std::string> {
    if (service.ready()) return std::nullopt;
    return "Postgres has not been reached";
  });
  process.admin().add_check("sessions", [&authenticator]() -> std::optional<std::string> {
    if (authenticator.ready()) return std::nullopt;
    return "the log cannot be followed for ended sessions";
  });
  process.run(std::move(routes));
}

}  // namespace
}  // namespace bloomwatch

int main(int argc, char** argv) {
  using enum bloomwatch::SettingGroup;
  CLI::App program("BloomWatch's query-service: answers pages from the read models.", "query-service");
  bloomwatch::Config config;
  bloomwatch::add_settings(program, config, {process, database, api});
  CLI11_PARSE(program, argc, argv);
  try {
    bloomwatch::run(config);
    return 0;
  } catch (const std::exception& error) {
    fmt::print(stderr, "query-service: {}\n", error.what());
    return 1;
  }
}
