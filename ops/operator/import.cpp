// `bloomwatch import mal`: sends a MyAnimeList export to the running instance, as the person named, and shows what became of its rows.
// The same request that a client app makes; the token comes from the instance's keys.
#include <fmt/core.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <fstream>
#include <iterator>
#include <map>
#include <memory>
#include <stdexcept>
#include <thread>
#include <vector>

#include "events/log.h"
#include "ops/operator/instance_client.h"
#include "ops/operator/subcommands.h"
#include "ops/operator/target.h"
#include "ops/operator/token.h"
#include "runtime/json.h"
#include "runtime/sleep.h"

namespace bloomwatch::ops {
namespace {

constexpr std::chrono::seconds import_takes_max{600};

struct ImportOptions {
  Target target;
  std::string file;
  std::string space;
  std::string handle;
  bool shared = false;
  bool dry_run = false;
};

/// The parts of the answer that are shown.
struct ImportRow {
  std::int64_t index = 0;
  std::string outcome;
  std::optional<std::string> anime_id;
  json::Raw row;
  std::optional<std::string> reason;
};
BOOST_DESCRIBE_STRUCT(ImportRow, (), (index, outcome, anime_id, row, reason))
struct ImportReport {
  std::string id;
  std::int64_t position = 0;
  bool dry_run = false;
  std::map<std::string, std::int64_t> counts;
  std::vector<ImportRow> rows;
};
BOOST_DESCRIBE_STRUCT(ImportReport, (), (id, position, dry_run, counts, rows))

/// Says every second, on a terminal, how many events the space has got since: the answer itself comes when the last row is done.
class Watch {
 public:
  Watch(const std::string& database_url, PartitionKey space) {
    if (isatty(STDERR_FILENO) == 0) return;
    thread_ = std::jthread([database_url, space](const std::stop_token& stop) {
      LogReader reader(database_url, "bloomwatch import");
      std::optional<Position> seen;
      std::int64_t events = 0;
      // Even an import that is over before the log was reached has been shown once.
      do {
        try {
          const Position head = reader.head().position;
          for (const RecordedEvent& event : reader.read_partition(partition_of(space), seen.value_or(head), head, 100'000))
            if (event.meta.partition_key == space) ++events;
          seen = head;
          fmt::print(stderr, "\rimporting: {} changes so far\033[K", events);
        } catch (const pg::Error&) {  // how the import ends is the instance's to say
          fmt::print(stderr, "\rimporting: {} changes so far; Postgres cannot be reached\033[K", events);
        }
      } while (sleep_for(stop, std::chrono::milliseconds(500)));
      fmt::print(stderr, "\r\033[K");
    });
  }

 private:
  std::jthread thread_;
};

std::string read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw std::runtime_error("cannot read " + path);
  return {std::istreambuf_iterator<char>(file), {}};
}

int show(const ImportReport& report) {
  for (const ImportRow& row : report.rows) {
    if (row.reason) fmt::print("row {} ({}): {}\n", row.index, row.outcome, *row.reason);
  }
  std::string counts;
  for (const std::string_view what : {"added", "changed", "unchanged", "failed"}) {
    const auto found = report.counts.find(std::string(what));
    counts += fmt::format("{}{} {}", counts.empty() ? "" : ", ", found == report.counts.end() ? 0 : found->second, what);
  }
  fmt::print("{} rows: {}{}\n", report.rows.size(), counts, report.dry_run ? " (a dry run: nothing was written)" : "");
  const auto failed = report.counts.find("failed");
  return failed != report.counts.end() && failed->second > 0 ? 1 : 0;
}

int import_mal(const ImportOptions& options) {
  const auto space = Uuid::parse(options.space);
  if (!space) throw std::runtime_error("--space must be the UUID of a watch space");
  const Instance instance = options.target.instance();
  const std::string export_text = read_file(options.file);
  const std::string token = token_as(options.target, options.handle, import_takes_max);
  const std::string path =
      fmt::format("/api/watch-spaces/{}/imports/mal?dryRun={}&shared={}", space->to_string(), options.dry_run, options.shared);
  std::string answer;
  {
    const Watch watch(options.target.database(), PartitionKey(*space));
    answer = InstanceClient(instance.url, token).post(path, "application/octet-stream", export_text, import_takes_max);
  }
  const auto report = json::read<ImportReport>(answer);
  if (!report)
    throw std::runtime_error("the instance's answer cannot be read: " + report.error().front().pointer + " " +
                             report.error().front().detail);
  return show(*report);
}

}  // namespace

void add_import(CLI::App& program, Action& action) {
  auto options = std::make_shared<ImportOptions>();
  CLI::App* import = program.add_subcommand("import", "Bring in what somebody kept elsewhere");
  import->require_subcommand(1);
  CLI::App* mal = import->add_subcommand("mal", "A MyAnimeList export (XML, gzip or plain) into a watch space");
  add_target(*mal, options->target);
  mal->add_option("file", options->file, "The export")->required()->check(CLI::ExistingFile);
  mal->add_option("--space", options->space, "The watch space's id")->required();
  mal->add_option("--as", options->handle, "The handle of the member whose list it is")->required();
  mal->add_flag("--shared", options->shared, "Also move the shared status and progress");
  mal->add_flag("--dry-run", options->dry_run, "Say what would happen and write nothing");
  mal->callback([options, &action] { action = [options] { return import_mal(*options); }; });
}

}  // namespace bloomwatch::ops
