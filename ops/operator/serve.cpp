// `bloomwatch serve`: command-service, projector, query-service and, with Kafka, the relay in one process, on one port. Wiring only.
// One hub wakes the projector after each commit and the pages that wait after each flush, without a round trip to Postgres.
#include <CLI/CLI.hpp>
#include <memory>

#include "command-service/service.h"
#include "events/access.h"
#include "events/analytics_views.h"
#include "events/log_news.h"
#include "events/master_keys.h"
#include "events/relay.h"
#include "ops/operator/subcommands.h"
#include "projector/projector.h"
#include "query-service/anilist/catalogue_titles.h"
#include "query-service/anilist/discovery.h"
#include "query-service/news.h"
#include "query-service/service.h"
#include "runtime/config.h"
#include "runtime/process.h"

namespace bloomwatch::ops {
namespace {

/// None without Kafka.
std::unique_ptr<Relay> make_relay(Process& process, Hub& hub) {
  const Config& config = process.config();
  if (config.kafka_bootstrap.empty()) return nullptr;
  auto relay = std::make_unique<Relay>(RelayOptions{.database_url = config.database_url,
                                                    .kafka = kafka::options_of(config, "bloomwatch-relay"),
                                                    .hub = hub,
                                                    .metrics = &process.metrics()});
  process.admin().add_check("relay", [&relay = *relay] { return relay.trouble(); });
  return relay;
}

int serve(const Config& given) {
  Process process(given, "instance");
  process.migrate_database();
  const Config& config = process.config();
  make_analytics_views(config.database_url);
  const MasterKeys keys = master_keys_of(config.database_url, process.master_key_file());
  Hub hub;
  const auto news = log_news(config.database_url, hub);  // of another instance that writes
  // Of projectors that share partitions or models with ours; without them ours alone is at work, and tells the hub itself.
  const bool shared = config.feed == "kafka" || !config.models.empty();
  const auto folded = shared ? projection_news(config.database_url, hub) : nullptr;
  Authenticator authenticator(keys, config.database_url, hub);
  CommandService commands(config, keys, authenticator, hub, process.metrics());
  projection::Projector projector(projection::options_of(config, hub, process.metrics()));
  const std::unique_ptr<Relay> relay = make_relay(process, hub);
  QueryService pages(config.database_url, keys, authenticator, hub, process.metrics());
  anilist::Discovery discovery(config, anilist::catalogue_titles(config.database_url, pages.search()), keys, authenticator,
                               process.metrics());

  http::Routes routes;
  commands.add_routes(routes);
  pages.add_routes(routes);
  discovery.add_routes(routes);
  process.admin().add_check("commands", [&commands] { return commands.not_ready(); });
  process.admin().add_check("read models", [&projector] { return projector.not_ready(); });
  process.admin().add_check("pages", [&pages] { return pages.not_ready(); });
  commands.start();
  if (relay) relay->start();
  projector.start();
  process.run(std::move(routes));
  commands.stop();
  projector.stop();
  if (relay) relay->stop();
  return 0;
}

}  // namespace

void add_serve(CLI::App& program, Action& action) {
  using enum SettingGroup;
  auto config = std::make_shared<Config>();
  CLI::App* subcommand = program.add_subcommand("serve", "Run all services in this process, until SIGINT or SIGTERM");
  add_settings(*subcommand, *config, {process, database, api, writer, feed, projector, kafka, accounts, SettingGroup::anilist});
  subcommand->callback([config, &action] { action = [config] { return serve(*config); }; });
}

}  // namespace bloomwatch::ops
