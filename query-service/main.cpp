// query-service by itself: shows the pages that the projector folds. Any number may run; none of them writes.
#include <fmt/core.h>

#include <CLI/CLI.hpp>
#include <charconv>
#include <exception>

#include "events/access.h"
#include "events/analytics_views.h"
#include "query-service/page_rows.h"
#include "query-service/service.h"
#include "runtime/hub.h"
#include "runtime/postgres.h"
#include "runtime/process.h"

namespace bloomwatch {
namespace {

/// What other processes say has happened: the log grew, the read models were folded. Wakes pages that wait.
void tell(Hub& hub, const pg::Notification& news) {
  Position position = 0;
  std::from_chars(news.payload.data(), news.payload.data() + news.payload.size(), position);
  if (news.channel == "log") return hub.publish(Hub::log_topic, position);
  for (const Model model : {Model::people, Model::spaces, Model::tracking, Model::dashboard})
    hub.publish(Hub::model_topic(name_of(model)), position);
}

void run(const Config& config) {
  Process process(config, "query-service");
  process.migrate_database();
  make_analytics_views(process.config().database_url);
  const MasterKeys keys = MasterKeys::load_or_create(process.master_key_file());
  const std::string& database = process.config().database_url;
  Hub hub;
  const pg::Listener listener(pg::Options{.url = database, .application_name = "bloomwatch query-service news"}, {"log", "projection"},
                              [&hub](const pg::Notification& news) { tell(hub, news); });
  const Authenticator authenticator(keys, database, hub);
  QueryService service(database, keys, authenticator, hub, process.metrics());
  http::Routes routes;
  service.add_routes(routes);
  process.admin().add_check("pages", [&service] { return service.not_ready(); });
  process.run(std::move(routes));
}

}  // namespace
}  // namespace bloomwatch

int main(int argc, char** argv) {
  using enum bloomwatch::SettingGroup;
  CLI::App program("BloomWatch's query-service: shows the pages of the read models.", "query-service");
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
