// The projector by itself: keeps all read models folded. Several may run: on Kafka they share the partitions, else one works and the others
// stand by.
#include "projector/projector.h"

#include "events/analytics_views.h"
#include "events/log_news.h"
#include "runtime/process.h"

namespace bloomwatch {
namespace {

void run(Process& process) {
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
  return bloomwatch::run_program(
      argc, argv, {"projector", "BloomWatch's projector: folds the log into the read models.", {process, database, feed, projector, kafka}},
      bloomwatch::run);
}
