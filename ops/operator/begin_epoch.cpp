// `bloomwatch begin-epoch`: what a restore from a backup has to be followed by, before any service starts. Positions may mean other events
// than they did: tokens, cursors, tags, the topic and what data teams kept are then known to be of another life of the log.
#include <fmt/core.h>
#include <fmt/ranges.h>

#include <CLI/CLI.hpp>
#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "events/lease.h"
#include "events/log.h"
#include "ops/operator/subcommands.h"
#include "ops/operator/target.h"
#include "projector/parked.h"

namespace bloomwatch::ops {
namespace {

/// Services know their epoch from their start on. Their sessions are known by their names, unless the database's URL or PGAPPNAME gives
/// them others, and by two things that nothing gives others: the lease of the writer or the relay, and that every service listens for news
/// of the log. Whoever else is connected is not refused: an operator's psql, a monitor, a pool in between.
constexpr std::string_view services_sql = R"(
SELECT DISTINCT CASE
  WHEN s.application_name LIKE 'bloomwatch %' THEN s.application_name
  WHEN l.pid IS NOT NULL THEN format('"%s" (process %s, which holds a lease)', s.application_name, s.pid)
  ELSE format('"%s" (process %s, which listens for news of the log)', s.application_name, s.pid) END
FROM pg_stat_activity s
LEFT JOIN pg_locks l ON l.pid = s.pid AND l.database = s.datid AND l.locktype = 'advisory' AND l.objsubid = 2 AND l.classid::bigint = $1
WHERE s.datname = current_database() AND s.pid <> pg_backend_pid()
  AND (s.application_name LIKE 'bloomwatch %' OR l.pid IS NOT NULL OR s.query = 'LISTEN "log"')
ORDER BY 1)";

void refuse_while_services_run(pg::Connection& connection) {
  std::vector<std::string> running;
  for (const pg::Row row : connection.query(std::string(services_sql), pg::Params(std::int64_t{Lease::lock_class})))
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
