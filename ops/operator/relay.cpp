// `bloomwatch relay`: the relay by itself. Several may run; one copies the log to Kafka, the others stand by.
#include "events/relay.h"

#include <CLI/CLI.hpp>
#include <memory>
#include <stdexcept>

#include "events/analytics_views.h"
#include "events/log_news.h"
#include "ops/operator/subcommands.h"
#include "runtime/config.h"
#include "runtime/hub.h"
#include "runtime/process.h"

namespace bloomwatch::ops {
namespace {

int run(const Config& given) {
  if (given.kafka_bootstrap.empty()) throw std::runtime_error("where is Kafka? Say it by --kafka-bootstrap HOST:PORT");
  Process process(given, "relay");
  process.migrate_database();
  const Config& config = process.config();
  make_analytics_views(config.database_url);
  Hub hub;
  const auto news = log_news(config.database_url, hub);
  Relay relay({.database_url = config.database_url,
               .kafka = kafka::options_of(config, "bloomwatch-relay"),
               .hub = hub,
               .metrics = &process.metrics()});
  process.admin().add_check("relay", [&relay] { return relay.not_ready(); });
  relay.start();
  process.run();
  relay.stop();
  return 0;
}

}  // namespace

void add_relay(CLI::App& program, Action& action) {
  using enum SettingGroup;
  auto config = std::make_shared<Config>();
  CLI::App* subcommand = program.add_subcommand("relay", "Copy the log to Kafka, until SIGINT or SIGTERM; `serve` does it too");
  add_settings(*subcommand, *config, {process, database, kafka});
  subcommand->callback([config, &action] { action = [config] { return run(*config); }; });
}

}  // namespace bloomwatch::ops
