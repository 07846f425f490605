// `bloomwatch rebuild`: folds a read model anew beside the live one and switches to it; pages go on meanwhile.
// Works on the database alone, whether or not an instance runs on it.
#include <fmt/core.h>

#include <CLI/CLI.hpp>
#include <cstdint>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "ops/operator/progress.h"
#include "ops/operator/subcommands.h"
#include "ops/operator/target.h"
#include "projector/models.h"
#include "projector/rebuild.h"
#include "runtime/config.h"

namespace bloomwatch::ops {
namespace {

struct RebuildCommand {
  Target target;
  std::vector<std::string> models;
};

/// With Kafka in them if the events are to come from there.
projection::RebuildOptions rebuild_options(const RebuildCommand& command, const std::string& database_url) {
  projection::RebuildOptions options;
  if (command.target.settings.feed != "kafka") return options;
  const Config config = command.target.with_kafka();
  if (config.kafka_bootstrap.empty()) throw std::runtime_error("the Kafka feed needs --kafka-bootstrap");
  options.kafka = KafkaFeedOptions{kafka::options_of(config, "bloomwatch-rebuild"), database_url};
  return options;
}

std::string counted(const std::optional<std::int64_t>& rows) { return rows ? std::to_string(*rows) : "uncounted"; }

void rebuild_one(const std::string& database_url, const std::string& model, projection::RebuildOptions options) {
  Progress progress;
  options.progress = [&](Position done, Position of) { progress.show(model + ": event", done, of); };
  const projection::RebuildReport report = projection::rebuild(database_url, model, options);
  progress.clear();
  const double seconds = std::chrono::duration<double>(report.took).count();
  if (options.kafka) fmt::print("{}: {} events came from Kafka\n", model, report.from_kafka);
  fmt::print("{}: {} events in {:.1f} s ({:.0f}/s), {} partition keys parked, {}\n", model, report.events, seconds,
             seconds > 0 ? static_cast<double>(report.events) / seconds : 0, report.parked, report.switched ? "switched" : "NOT switched");
  for (const auto& table : report.tables)
    fmt::print("  {}: {} rows, were {}\n", table.name, counted(table.rows_after), counted(table.rows_before));
}

}  // namespace

void add_rebuild(CLI::App& program, Action& action) {
  auto options = std::make_shared<RebuildCommand>();
  CLI::App* subcommand = program.add_subcommand("rebuild", "Fold a read model anew beside the live one, and switch to it");
  add_target(*subcommand, options->target, {SettingGroup::feed, SettingGroup::kafka});
  std::vector<std::string> names;
  for (const auto& model : projection::all_models()) names.emplace_back(model->name());
  subcommand->add_option("models", options->models, "Which (default: all)")->check(CLI::IsMember(names));
  subcommand->callback([options, names, &action] {
    action = [options, names] {
      if (options->models.empty()) options->models = names;
      const std::string database_url = options->target.database();
      for (const std::string& model : options->models) rebuild_one(database_url, model, rebuild_options(*options, database_url));
      return 0;
    };
  });
}

}  // namespace bloomwatch::ops
