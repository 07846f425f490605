// query-service by itself: shows the pages that the projector folds, and what AniList knows. Any number may run; none of them writes, but
// for the cache of AniList's media (ops/decisions/0008).
#include "events/access.h"
#include "events/analytics_views.h"
#include "events/log_news.h"
#include "events/master_keys.h"
#include "query-service/anilist/catalogue_titles.h"
#include "query-service/anilist/discovery.h"
#include "query-service/news.h"
#include "query-service/service.h"
#include "runtime/hub.h"
#include "runtime/process.h"

namespace bloomwatch {
namespace {

void run(Process& process) {
  process.migrate_database();
  make_analytics_views(process.config().database_url);
  const MasterKeys keys = master_keys_of(process.config().database_url, process.master_key_file());
  const std::string& database = process.config().database_url;
  Hub hub;
  const auto news_of_the_log = log_news(database, hub);
  const auto news_of_the_models = projection_news(database, hub);
  const Authenticator authenticator(keys, database, hub);
  QueryService service(database, keys, authenticator, hub, process.metrics());
  anilist::Discovery discovery(process.config(), anilist::catalogue_titles(database, service.search()), keys, authenticator,
                               process.metrics());
  http::Routes routes;
  service.add_routes(routes);
  discovery.add_routes(routes);
  process.admin().add_check("pages", [&service] { return service.not_ready(); });
  process.run(std::move(routes));
}

}  // namespace
}  // namespace bloomwatch

int main(int argc, char** argv) {
  using enum bloomwatch::SettingGroup;
  return bloomwatch::run_program(
      argc, argv, {"query-service", "BloomWatch's query-service: shows the pages of the read models.", {process, database, api, anilist}},
      bloomwatch::run);
}
