// `bloomwatch log`: shows the log, readable or as JSON lines, and follows it. Personal texts stay sealed, as they are in the log.
// Reads by position ranges, of one stream by its versions, and holds no snapshot.
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

/// What is shown, and how far it has been.
struct Showing {
  const LogOptions& options;
  LogReader reader;
  std::optional<StreamName> stream;  ///< only this one, which is read by itself
  Position after;
  Version version = 0;  ///< of the stream
};

/// `watch-space-<uuid>`; it refers to `text`.
StreamName stream_named(std::string_view text) {
  constexpr std::size_t uuid_length = 36;
  const std::size_t dash = text.size() > uuid_length ? text.size() - uuid_length - 1 : 0;
  const auto id = Uuid::parse(text.substr(std::min(text.size(), dash + 1)));
  if (dash == 0 || text[dash] != '-' || !id) throw std::runtime_error("--stream is a category and an id, like watch-space-<uuid>");
  return {text.substr(0, dash), *id};
}

/// Prints what has come. What was printed is not printed again, however this ends.
void print_new(Showing& showing) {
  const LogOptions& options = showing.options;
  for (;;) {
    const std::vector<RecordedEvent> events = showing.stream ? showing.reader.stream(*showing.stream, showing.version, shown_per_read_max)
                                                             : showing.reader.read(showing.after, shown_per_read_max);
    if (!events.empty()) showing.reader.await_durable();
    for (const RecordedEvent& event : events) {
      showing.version = event.meta.version;
      if (event.meta.position <= showing.after) continue;
      showing.after = event.meta.position;
      if (options.type.empty() || event.type == options.type) options.json ? print_json(event) : print_readable(event);
    }
    if (std::fflush(stdout) != 0) throw std::runtime_error("standard output cannot be written");
    if (events.size() < shown_per_read_max) return;
  }
}

int show(const LogOptions& options) {
  if (options.from && *options.from < 1) throw std::runtime_error("--from is a position: 1, 2, 3 …");
  if (!options.type.empty()) Filters{.types = {options.type}}.check();
  Showing showing{options, LogReader(options.target.database(), "bloomwatch log"), std::nullopt, options.from.value_or(1) - 1};
  if (!options.stream.empty()) showing.stream = stream_named(options.stream);
  if (!options.from && !showing.stream && options.type.empty())
    showing.after = std::max<Position>(0, showing.reader.head().position - shown_by_default);
  print_new(showing);
  while (options.follow) {
    std::this_thread::sleep_for(follow_every);
    try {
      print_new(showing);
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
