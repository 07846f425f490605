// `bloomwatch routes`: the route table of the running instance, and who may use each. A test walks it, so that none is forgotten.
// The instance writes it when it starts; nothing is asked of it.
#include <fmt/core.h>

#include <CLI/CLI.hpp>
#include <memory>
#include <stdexcept>

#include "ops/operator/subcommands.h"
#include "ops/operator/target.h"
#include "runtime/json.h"

namespace bloomwatch::ops {

void add_routes(CLI::App& program, Action& action) {
  struct Options {
    Target target;
    bool json = false;
  };
  auto options = std::make_shared<Options>();
  CLI::App* subcommand = program.add_subcommand("routes", "List the routes of the API and who may use them");
  add_target(*subcommand, options->target);
  subcommand->add_flag("--json", options->json, "As JSON");
  subcommand->callback([options, &action] {
    action = [options] {
      const auto routes = read_routes(options->target.home, "instance");
      if (!routes) throw std::runtime_error(routes.error() + "; start the instance with ops/run, or name another --home");
      if (options->json) {
        fmt::print("{}\n", json::to_string(*routes));
        return 0;
      }
      for (const RouteLine& route : *routes) fmt::print("{:<7} {:<80} {}\n", route.method, route.pattern, route.access);
      return 0;
    };
  });
}

}  // namespace bloomwatch::ops
