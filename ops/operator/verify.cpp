// `bloomwatch verify`: checks on a live system what must always hold: dense positions and versions, claims, snapshots and
// read models equal to the fold of the log, and where Kafka is used its topic equal to the log. Reads log and claims by position and key
// ranges; a snapshot is held only while rows of read models are compared (projector/verify.h). Prints what it checked and how far it is.
#include <fmt/core.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>

#include "events/log.h"
#include "ops/operator/log_check.h"
#include "ops/operator/progress.h"
#include "ops/operator/snapshot_check.h"
#include "ops/operator/subcommands.h"
#include "ops/operator/target.h"
#include "ops/operator/topic_check.h"
#include "projector/verify.h"
#include "runtime/config.h"

namespace bloomwatch::ops {
namespace {

constexpr std::size_t checked_per_read_max = 5000;
constexpr std::int64_t claims_per_page = 5000;

void take_until(LogReader& reader, LogCheck& check, Position until, Progress& progress) {
  while (check.position() < until) {
    const auto limit = std::min<std::int64_t>(static_cast<std::int64_t>(checked_per_read_max), until - check.position());
    const std::vector<RecordedEvent> events = reader.read(check.position(), static_cast<std::size_t>(limit));
    if (events.empty()) break;
    for (const RecordedEvent& event : events) check.take(event);
    progress.show("log:", check.position(), until);
  }
}

/// Each page of claims names the position that its snapshot saw; the fold is brought there before the two are compared.
std::int64_t compare_claims(LogReader& reader, pg::Connection& connection, LogCheck& check, Progress& progress) {
  static const pg::Statement rows_after(
      "WITH c AS (SELECT key, category, stream_id, retired_at FROM log.claims WHERE key > $1 OR $2 ORDER BY key LIMIT $3) "
      "SELECT (SELECT max(position) FROM log.events), c.key, c.category, c.stream_id, c.retired_at "
      "FROM (SELECT 1) AS one LEFT JOIN c ON true ORDER BY c.key");
  std::int64_t compared = 0;
  std::optional<ClaimKey> after;
  for (;;) {
    const pg::Result result = connection.run(rows_after, pg::Params(after.value_or(ClaimKey{}), !after, claims_per_page));
    take_until(reader, check, result[0].get<Position>(0), progress);
    std::vector<ClaimChange> rows;
    for (const pg::Row row : result) {
      if (row.null(1)) continue;
      rows.push_back({row.get<ClaimKey>(1), ClaimHolder{row.get<std::string>(2), row.get<Uuid>(3), row.get<std::optional<Time>>(4)}});
    }
    const bool last_page = static_cast<std::int64_t>(rows.size()) < claims_per_page;
    check.compare_claims(after, rows, last_page);
    compared += static_cast<std::int64_t>(rows.size());
    if (last_page) return compared;
    after = rows.back().key;
    progress.show("claims:", compared, static_cast<std::int64_t>(check.claims()));
  }
}

void print(const Breaches& found) {
  for (const std::string& breach : found.shown) fmt::print("  {}\n", breach);
  if (found.breaches > found.shown.size()) fmt::print("  and {} more\n", found.breaches - found.shown.size());
}

/// Prints a line for the snapshots of streams; true if all hold.
bool verify_snapshots(LogReader& reader, Progress& progress) {
  const SnapshotVerdict verdict = check_snapshots(reader, [&](std::int64_t done) { progress.show("snapshots:", done, 0); });
  progress.clear();
  fmt::print("snapshots     {} of streams equal the fold of their events{}: {}\n", verdict.snapshots,
             verdict.foreign > 0 ? fmt::format(" ({} of another shape, which are not read)", verdict.foreign) : "",
             verdict.holds() ? "yes" : "NO");
  print(verdict);
  return verdict.holds();
}

/// Prints a line for each read model; true if all hold.
bool verify_read_models(const std::string& database_url, Progress& progress) {
  projection::VerifyOptions options;
  options.progress = [&](std::string_view model, Position done, Position of) { progress.show(std::string(model) + ":", done, of); };
  const std::vector<projection::ModelVerdict> verdicts = projection::verify_models(database_url, options);
  progress.clear();
  bool all = true;
  for (const projection::ModelVerdict& verdict : verdicts) {
    all = all && verdict.holds();
    if (!verdict.skipped.empty()) {
      fmt::print("{:<13} not compared: {}\n", verdict.model, verdict.skipped);
      continue;
    }
    fmt::print("{:<13} {} rows equal the fold of the log up to position {}{}: {}\n", verdict.model, verdict.rows, verdict.position,
               verdict.parked > 0 ? fmt::format(" ({} keys parked)", verdict.parked) : "", verdict.holds() ? "yes" : "NO");
    for (const std::string& difference : verdict.shown) fmt::print("  {}\n", difference);
  }
  return all;
}

/// Prints a line for the topic; true if it holds.
bool verify_topic(LogReader& reader, const Config& config, Progress& progress) {
  const TopicVerdict verdict = check_topic(reader, kafka::options_of(config, "bloomwatch-verify"),
                                           [&](std::int64_t done, std::int64_t of) { progress.show("topic:", done, of); });
  progress.clear();
  fmt::print("topic         {} events as the log has them ({} records repeated, {} of others passed over, {} events not relayed yet): {}\n",
             verdict.events, verdict.repeats, verdict.foreign, verdict.not_yet, verdict.holds() ? "yes" : "NO");
  print(verdict);
  return verdict.holds();
}

int verify(const Target& target) {
  const std::string database = target.database();
  LogReader reader(database, "bloomwatch verify");
  pg::Connection connection(pg::Options{.url = database, .application_name = "bloomwatch verify"});
  Progress progress;
  LogCheck check;
  take_until(reader, check, reader.head().position, progress);
  const std::size_t of_log = check.found().breaches;
  progress.clear();
  fmt::print("log           {} events of {} commands in {} streams: positions and versions dense, times in order: {}\n", check.position(),
             check.commands(), check.streams(), of_log == 0 ? "yes" : "NO");
  const std::int64_t claims = compare_claims(reader, connection, check, progress);
  progress.clear();
  fmt::print("claims        {} equal the fold of the log up to position {}: {}\n", claims, check.position(),
             check.found().breaches == of_log ? "yes" : "NO");
  print(check.found());
  const bool snapshots_hold = verify_snapshots(reader, progress);
  const bool models_hold = verify_read_models(database, progress);
  const Config config = target.with_kafka();
  const bool topic_holds = config.kafka_bootstrap.empty() || verify_topic(reader, config, progress);
  return check.found().holds() && snapshots_hold && models_hold && topic_holds ? 0 : 1;
}

}  // namespace

void add_verify(CLI::App& program, Action& action) {
  auto target = std::make_shared<Target>();
  CLI::App* subcommand = program.add_subcommand("verify", "Check on the live system what must always hold; status 1 if something does not");
  add_target(*subcommand, *target, {SettingGroup::kafka});
  subcommand->callback([target, &action] { action = [target] { return verify(*target); }; });
}

}  // namespace bloomwatch::ops
