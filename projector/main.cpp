// The projector by itself: keeps all read models folded. Several may run: on Kafka they share the partitions, else one works and the others
// stand by.
#include "projector/projector.h"

#include <fmt/core.h>

#include <CLI/CLI.hpp>
#include <exception>
#include <string_view>

#include "events/analytics_views.h"
#include "events/log_news.h"
#include "runtime/process.h"

namespace bloomwatch {
namespace {

void run(const Config& config) {
  Process process(config, "projector");
  process.migrate_database();
  make_analytics_views(process.config().database_url);
  Hub hub;
  const std::unique_ptr<pg::Listener> news = log_news(process.config().database_url, hub);
  projection::Projector projector(projection::options_of(process.config(), hub, process.metrics()));
  process.admin().add_check("read models", [&projector] { return projector.not_ready(); });
  projector.start();
  process.run();
  projector.stop();
}

}  // namespace
}  // namespace bloomwatch

int main(int argc, char** argv) {
  using enum bloomwatch::SettingGroup;
  CLI::App program("BloomWatch's projector: folds the log into the read models.", "projector");
  bloomwatch::Config config;
  bloomwatch::add_settings(program, config, {process, database, projector, kafka});
  CLI11_PARSE(program, argc, argv);
  try {
    bloomwatch::run(config);
    return 0;
  } catch (const std::exception& error) {
    fmt::print(stderr, "projector: {}\n", error.what());
    return 1;
  }
}
