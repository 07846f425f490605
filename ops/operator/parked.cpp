// `bloomwatch parked`: the partition keys that a read model could not fold, for people to look at: list, retry, discard.
// Works on the database alone.
#include <fmt/core.h>

#include <CLI/CLI.hpp>
#include <memory>
#include <stdexcept>

#include "ops/operator/subcommands.h"
#include "ops/operator/target.h"
#include "projector/parked.h"

namespace bloomwatch::ops {
namespace {

/// Of one subcommand: the environment speaks to the options of all, so that each has its own.
struct ParkedOptions {
  Target target;
  std::string model;
  std::string key;
  std::string reason;

  PartitionKey partition_key() const {
    const auto uuid = Uuid::parse(key);
    if (!uuid) throw std::runtime_error("the partition key must be a UUID");
    return PartitionKey(*uuid);
  }
};

int list(const Target& target) {
  pg::Connection connection(pg::Options{.url = target.database(), .application_name = "bloomwatch parked"});
  const auto parked = projection::parked_keys(connection);
  for (const projection::ParkedKey& one : parked)
    fmt::print("{}  {}  since {} at position {} ({})\n  {}\n", one.model, one.key.to_string(), to_rfc3339(one.parked_at), one.position,
               one.event_type, one.reason);
  if (parked.empty()) fmt::print("nothing is parked\n");
  return 0;
}

int tell(const projection::RetryOutcome& outcome) {
  fmt::print("{} events folded\n", outcome.events);
  if (!outcome.parked) return 0;
  fmt::print("parked again at position {} ({}): {}\n", outcome.parked->position, outcome.parked->event_type, outcome.parked->reason);
  return 1;
}

std::shared_ptr<ParkedOptions> add_key(CLI::App& subcommand) {
  auto options = std::make_shared<ParkedOptions>();
  add_target(subcommand, options->target);
  subcommand.add_option("model", options->model, "The read model")->required();
  subcommand.add_option("key", options->key, "The partition key, a UUID")->required();
  return options;
}

}  // namespace

void add_parked(CLI::App& program, Action& action) {
  CLI::App* parked = program.add_subcommand("parked", "What read models could not fold: list it, retry it, discard it");
  parked->require_subcommand(1);
  CLI::App* list_command = parked->add_subcommand("list", "Every parked key, and why");
  auto target = std::make_shared<Target>();
  add_target(*list_command, *target);
  list_command->callback([target, &action] { action = [target] { return list(*target); }; });

  CLI::App* retry = parked->add_subcommand("retry", "Fold what a parked key has missed, after a fix; status 1 if it is parked again");
  retry->callback([options = add_key(*retry), &action] {
    action = [options] { return tell(projection::retry_parked(options->target.database(), options->model, options->partition_key())); };
  });

  CLI::App* discard = parked->add_subcommand("discard", "Leave the event out of the model for good, rebuilds included, and go on");
  auto options = add_key(*discard);
  discard->add_option("--reason", options->reason, "Why, for whoever asks later")->required();
  discard->callback([options, &action] {
    action = [options] {
      return tell(projection::discard_parked(options->target.database(), options->model, options->partition_key(), options->reason));
    };
  });
}

}  // namespace bloomwatch::ops
