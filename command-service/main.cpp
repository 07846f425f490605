// command-service by itself: takes commands and writes the log. Several may run; one writes, the others stand by.
#include "command-service/service.h"
#include "events/analytics_views.h"
#include "events/log_news.h"
#include "events/master_keys.h"
#include "runtime/process.h"

namespace bloomwatch {
namespace {

void run(Process& process) {
  process.migrate_database();
  make_analytics_views(process.config().database_url);
  const MasterKeys keys = master_keys_of(process.config().database_url, process.master_key_file());
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
  return bloomwatch::run_program(argc, argv,
                                 {"command-service",
                                  "BloomWatch's command-service: takes commands, decides them and writes the log.",
                                  {process, database, api, writer, accounts}},
                                 bloomwatch::run);
}
