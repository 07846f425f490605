// `bloomwatch begin-epoch`: what a restore from a backup has to be followed by, before any service starts. Positions may mean other events
// than they did: tokens, cursors, tags, the topic and what data teams kept are then known to be of another life of the log.
#include <fmt/core.h>
#include <fmt/ranges.h>

#include <CLI/CLI.hpp>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "events/log.h"
#include "ops/operator/subcommands.h"
#include "ops/operator/target.h"
#include "projector/parked.h"

namespace bloomwatch::ops {
namespace {

/// Services know their epoch from their start on.
void refuse_while_services_run(pg::Connection& connection) {
  std::vector<std::string> running;
  for (const pg::Row row : connection.query("SELECT DISTINCT application_name FROM pg_stat_activity WHERE datname = current_database() AND "
                                            "pid <> pg_backend_pid() AND application_name LIKE 'bloomwatch %' ORDER BY 1"))
    running.push_back(row.get<std::string>(0));
  if (!running.empty())
    throw std::runtime_error(fmt::format("stop all services of this database first; connected are: {}", fmt::join(running, ", ")));
}

int begin(const Target& target) {
  pg::Connection connection({.url = target.database(), .application_name = "bloomwatch begin-epoch"});
  refuse_while_services_run(connection);
  pg::Transaction transaction(connection);
  projection::forget_lost_discards(connection);
  const std::string epoch = begin_epoch(connection);
  transaction.commit();
  fmt::print(
      "epoch {} has begun: read models fill anew when the services start, and so does the topic bloomwatch.events.{} with the relay\n",
      epoch, epoch);
  return 0;
}

}  // namespace

void add_begin_epoch(CLI::App& program, Action& action) {
  auto target = std::make_shared<Target>();
  CLI::App* command = program.add_subcommand("begin-epoch", "After a restore from a backup, before the services start: begin a new epoch");
  add_target(*command, *target);
  command->callback([target, &action] { action = [target] { return begin(*target); }; });
}

}  // namespace bloomwatch::ops
