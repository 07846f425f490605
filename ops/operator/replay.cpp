// `bloomwatch replay`: the log, or a part of it, as files or as records of another topic, for the data team and for anyone who folds it.
// Takes a piece of the log, writes it, notes how far it is, takes the next: memory is bounded and any end can be taken up again.
#include <fmt/core.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <filesystem>
#include <memory>
#include <system_error>
#include <thread>

#include "ops/operator/progress.h"
#include "ops/operator/replay/output.h"
#include "ops/operator/replay/selection.h"
#include "ops/operator/replay/state.h"
#include "ops/operator/subcommands.h"
#include "ops/operator/target.h"
#include "runtime/config.h"

namespace bloomwatch::ops {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t replayed_per_read_max = 5000;
constexpr std::uint64_t reads_per_second_when_slowed = 4;
constexpr std::uint64_t rate_max = 1'000'000'000;  // faster than anything, and no negative number in disguise

struct ReplayOptions {
  Target target;
  std::string from;
  std::string until;
  Filters filters;
  std::string format = "ndjson";
  std::string to = "-";
  std::string topic;
  std::string state_file;
  std::uint64_t rate = 0;  // events/s; 0: as fast as it goes
  bool resume = false;

  /// To nothing that can be cut off and gone on with: standard output, a pipe, a device.
  bool to_stream() const {
    if (!topic.empty() || to == "-") return topic.empty();
    std::error_code unknown;
    const auto status = std::filesystem::status(to, unknown);
    return std::filesystem::exists(status) && !std::filesystem::is_regular_file(status);
  }
  std::string where() const { return topic.empty() ? (to == "-" ? "standard output" : to) : "topic " + topic; }
};

/// What must not change between a replay and its going on.
std::string request_of(const ReplayOptions& options) {
  std::string request = options.topic.empty() ? options.format : "topic " + options.topic;
  request += " from " + options.from;
  std::vector<std::string> types = options.filters.types;
  std::ranges::sort(types);
  for (const std::string& type : types) request += " type " + type;
  if (!options.filters.space.empty()) request += " space " + options.filters.space;
  std::vector<std::int16_t> partitions = options.filters.partitions;
  std::ranges::sort(partitions);
  for (const std::int16_t partition : partitions) request += " partition " + std::to_string(partition);
  return request;
}

/// The file that says how far it is; empty: none is kept.
std::string state_file_of(const ReplayOptions& options) {
  if (!options.state_file.empty() || options.to_stream() || !options.topic.empty()) return options.state_file;
  return options.to + ".state";
}

/// Throws std::runtime_error where what was replayed is not what this replay would go on with.
void check_going_on(const ReplayState& state, const ReplayState& begin, LogReader& reader) {
  if (state.epoch != begin.epoch)
    throw std::runtime_error("the log has begun a new epoch (" + begin.epoch + ") since that replay; start it anew");
  if (state.request != begin.request)
    throw std::runtime_error(fmt::format("that replay was asked for '{}', not '{}'", state.request, begin.request));
  if (!state.event) return;
  const auto there = reader.point(state.position);
  if (!there || there->event_id != *state.event)
    throw std::runtime_error(
        fmt::format("the log has {} at position {} than that replay read; if it was restored from a backup, "
                    "`bloomwatch begin-epoch` comes first, and the replay starts anew",
                    there ? "another event" : "less", state.position));
}

/// `last`: where it is to end.
ReplayState begin_or_go_on(const ReplayOptions& options, LogReader& reader, const std::string& state_file, Position last) {
  ReplayState begin{.epoch = reader.epoch(), .request = request_of(options)};
  begin.position = first_position(reader, options.from) - 1;
  if (begin.position > last)
    throw std::runtime_error("--from " + options.from + " is after the last event" +
                             (options.until.empty() ? " of the log" : " that --until " + options.until + " leaves") + ", at position " +
                             std::to_string(last));
  const bool to_file = options.topic.empty() && !options.to_stream();
  if (options.resume) {
    if (state_file.empty())
      throw std::runtime_error("--resume needs a file to go on with: --to FILE (no pipe and no device), or --state FILE for a topic");
    if (const auto state = ReplayState::load(state_file)) {
      check_going_on(*state, begin, reader);
      return *state;
    }
  }
  if (to_file && std::filesystem::exists(options.to) && std::filesystem::file_size(options.to) > 0)
    throw std::runtime_error(options.to + " is there already" +
                             (options.resume ? ", and no state file beside it" : "; --resume goes on with it"));
  // Before the output: so that an output without a state is somebody else's.
  if (!state_file.empty()) begin.save(state_file);
  return begin;
}

/// Throws std::runtime_error when nobody says where Kafka is.
kafka::Options kafka_of(const Target& target) {
  const Config config = target.with_kafka();
  if (config.kafka_bootstrap.empty()) throw std::runtime_error("a topic needs Kafka; say where it is by --kafka-bootstrap HOST:PORT");
  return kafka::options_of(config, "bloomwatch-replay");
}

int replay(const ReplayOptions& options) {
  options.filters.check();
  const kafka::Options broker = options.topic.empty() ? kafka::Options{} : kafka_of(options.target);
  LogReader reader(options.target.database(), "bloomwatch replay");
  const std::string state_file = state_file_of(options);
  const Position last = last_position(reader, options.until);
  ReplayState state = begin_or_go_on(options, reader, state_file, last);
  reader.await_durable();
  const TextFormat format = options.format == "csv" ? TextFormat::csv : TextFormat::ndjson;
  const auto output =
      options.topic.empty() ? text_output(options.to, format, state.epoch, state.bytes) : topic_output(broker, options.topic, state.epoch);
  const std::size_t piece = options.rate == 0
                                ? replayed_per_read_max
                                : std::clamp<std::size_t>(options.rate / reads_per_second_when_slowed, 1, replayed_per_read_max);
  Selection selection(reader, options.filters);
  Progress progress;
  const auto started = Clock::now();
  const std::int64_t events_before = state.events;
  const auto settle = [&] {
    state.bytes = output->settle();
    if (!state_file.empty()) {
      if (const auto point = reader.point(state.position)) state.event = point->event_id;
      state.save(state_file);
    }
    progress.show(fmt::format("replaying: {} events, position", state.events), state.position, last);
  };
  if (state.position >= last) settle();  // a header, if nothing else
  while (state.position < last) {
    state.position = selection.read(state.position, last, piece, [&](const RawEvent& event) {
      Position& previous = state.previous.at(static_cast<std::size_t>(event.meta.partition));
      output->put(event, previous);
      previous = event.meta.position;
      ++state.events;
    });
    settle();
    if (options.rate > 0)
      std::this_thread::sleep_until(started + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(
                                                  static_cast<double>(state.events - events_before) / static_cast<double>(options.rate))));
  }
  progress.clear();
  const std::chrono::duration<double> took = Clock::now() - started;
  fmt::print(stderr, "bloomwatch replay: {} events up to position {} to {} in {:.1f} s\n", state.events - events_before, state.position,
             options.where(), took.count());
  return 0;
}

constexpr const char* shapes = R"(What comes out:
  ndjson   one object a line, in CloudEvents' JSON format: id, type, source (/bloomwatch/<epoch>), time (recorded
           at), subject (the stream) and the extensions position, previous, streamversion, schemaversion, partition,
           partitionkey, account, profile, origin, provider, reference, commandid, correlationid, causationid,
           undoes; the event itself is `data`. Absent ones are left out. `previous` is the position of the event
           before it in the same partition of this output (0: none), which proves that nothing is missing.
  csv      RFC 4180 with a header; the same names as columns, `data` as JSON text; absent ones are empty.
  --topic  records as in the log's own topic (CloudEvents, binary mode: the same names with `ce_` before them);
           `ce_previous` speaks of the new topic. A replay that is taken up again may repeat records (at least once).
Texts about people stay sealed in all of them. An output file is gone on with after any end, kill -9 included:
the state file beside it says how far it is good, and --resume cuts off what is beyond. Without --until, --resume
also adds what the log has got since.)";

}  // namespace

void add_replay(CLI::App& program, Action& action) {
  auto options = std::make_shared<ReplayOptions>();
  CLI::App* replay_command = program.add_subcommand("replay", "Write the log, or a part of it, to a file or to another Kafka topic");
  add_target(*replay_command, options->target, {SettingGroup::kafka});
  const auto add = [&](const char* flag, auto& value, const char* help) { return replay_command->add_option(flag, value, help); };
  add("--from", options->from, "A position, or a time at or after which events were recorded (default: the first event)");
  add("--until", options->until, "A position, or a time before which events were recorded (default: the last event as of now)");
  add("--type", options->filters.types, "Only of this type, e.g. AnimeRated; may be given several times");
  add("--space", options->filters.space, "Only of this watch space");
  add("--partition", options->filters.partitions, "Only of this partition; may be given several times")
      ->check(CLI::Range(0, partition_count - 1));
  add("--format", options->format, "ndjson or csv")->capture_default_str()->check(CLI::IsMember({"ndjson", "csv"}));
  CLI::Option* to = add("--to", options->to, "The file, pipe or device to write; - is standard output (default)");
  add("--topic", options->topic, "Write records to this Kafka topic instead (made if it is not there)")->excludes(to);
  add("--rate", options->rate, "At most so many events a second")->check(CLI::Range(std::uint64_t{1}, rate_max));
  add("--state", options->state_file, "Where it is noted how far it is (default: the file's name and .state; none for a topic)");
  replay_command->add_flag("--resume", options->resume, "Go on where the last replay with the same output ended; begin if there was none");
  replay_command->footer(shapes);
  replay_command->callback([options, &action] { action = [options] { return replay(*options); }; });
}

}  // namespace bloomwatch::ops
