// `bloomwatch log`: shows the log, readable or as JSON lines, and follows it. Personal texts stay sealed, as they are in the log.
// Reads by position ranges and holds no snapshot.
#include <fmt/core.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <memory>
#include <stdexcept>
#include <thread>

#include "events/log.h"
#include "ops/operator/replay/selection.h"
#include "ops/operator/subcommands.h"
#include "ops/operator/target.h"
#include "runtime/json.h"

namespace bloomwatch::ops {
namespace {

constexpr std::size_t shown_per_read_max = 1000;
constexpr Position shown_by_default = 20;
constexpr std::chrono::milliseconds follow_every{250};

struct LogOptions {
  Target target;
  std::optional<Position> from;
  std::string stream;
  std::string type;
  bool follow = false;
  bool json = false;
};

/// One line of `--json`: the whole envelope and the data.
struct Line {
  Position position = 0;
  std::string stream;
  Version version = 0;
  std::string type;
  std::int32_t schema_version = 1;
  EventId event_id;
  PartitionKey partition_key;
  std::int16_t partition = 0;
  Time recorded_at = {};
  std::optional<UserId> account;
  std::optional<ProfileId> profile;
  Origin origin;
  CommandId command;
  CorrelationId correlation;
  std::optional<EventId> causation;
  std::optional<EventId> undoes;
  json::Raw data;
};
BOOST_DESCRIBE_STRUCT(Line, (),
                      (position, stream, version, type, schema_version, event_id, partition_key, partition, recorded_at, account, profile,
                       origin, command, correlation, causation, undoes, data))

void print_json(const RecordedEvent& event) {
  const Meta& meta = event.meta;
  std::string text;
  json::write(text, Line{meta.position, meta.stream.to_string(), meta.version, event.type, event.schema_version, meta.event_id,
                         meta.partition_key, meta.partition, meta.recorded_at, meta.by.account, meta.by.profile, meta.by.origin,
                         meta.by.command, meta.by.correlation, meta.by.causation, meta.undoes, json::Raw{event.data}});
  fmt::print("{}\n", text);
}

void print_readable(const RecordedEvent& event) {
  const Meta& meta = event.meta;
  const std::string who = meta.by.profile ? meta.by.profile->to_string() : "the system";
  const std::string via = meta.by.origin.kind == OriginKind::app ? "" : " by " + std::string(json::name_of(meta.by.origin.kind));
  fmt::print("{:>8}  {}  {}  {}/{}\n          {}{}  {}\n", meta.position, to_rfc3339(meta.recorded_at), event.type, meta.stream.to_string(),
             meta.version, who, via, event.data);
}

/// Prints the events after `after` and returns the position of the last one looked at.
Position print_after(LogReader& reader, const LogOptions& options, Position after) {
  for (;;) {
    const std::vector<RecordedEvent> events = reader.read(after, shown_per_read_max);
    if (!events.empty()) reader.await_durable();
    for (const RecordedEvent& event : events) {
      after = event.meta.position;
      if (!options.stream.empty() && event.meta.stream.to_string() != options.stream) continue;
      if (!options.type.empty() && event.type != options.type) continue;
      options.json ? print_json(event) : print_readable(event);
    }
    if (std::fflush(stdout) != 0) throw std::runtime_error("standard output cannot be written");
    if (events.size() < shown_per_read_max) return after;
  }
}

int show(const LogOptions& options) {
  if (options.from && *options.from < 1) throw std::runtime_error("--from is a position: 1, 2, 3 …");
  if (!options.type.empty()) Filters{.types = {options.type}}.check();
  LogReader reader(options.target.database(), "bloomwatch log");
  const bool filtered = !options.stream.empty() || !options.type.empty();
  const Position from = options.from ? *options.from : filtered ? 1 : std::max<Position>(1, reader.head().position - shown_by_default + 1);
  Position after = print_after(reader, options, from - 1);
  while (options.follow) {
    std::this_thread::sleep_for(follow_every);
    try {
      after = print_after(reader, options, after);
    } catch (const pg::Error& error) {
      if (!error.connection_lost()) throw;
      fmt::print(stderr, "bloomwatch log: Postgres cannot be reached, still trying\n");
      std::this_thread::sleep_for(std::chrono::seconds(1));
    }
  }
  return 0;
}

}  // namespace

void add_log(CLI::App& program, Action& action) {
  auto options = std::make_shared<LogOptions>();
  CLI::App* log = program.add_subcommand("log", "Show the events of the log, and follow it");
  add_target(*log, options->target);
  log->add_option("--from", options->from, "The first position to show (default: the last 20 events)");
  log->add_option("--stream", options->stream, "Only of this stream, e.g. watch-space-<uuid>");
  log->add_option("--type", options->type, "Only of this type, e.g. AnimeRated");
  log->add_flag("--follow,-f", options->follow, "Go on with what comes, until Ctrl-C");
  log->add_flag("--json", options->json, "One JSON object a line, with the whole envelope");
  log->callback([options, &action] { action = [options] { return show(*options); }; });
}

}  // namespace bloomwatch::ops
