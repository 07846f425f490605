// `bloomwatch routes`: the route table of the running instance, and who may use each. A test walks it, so that none is forgotten.
// The instance writes it when it starts, services apart write theirs; nothing is asked of them.
#include <fmt/core.h>

#include <CLI/CLI.hpp>
#include <memory>
#include <stdexcept>
#include <vector>

#include "ops/operator/subcommands.h"
#include "ops/operator/target.h"
#include "runtime/json.h"

namespace bloomwatch::ops {
namespace {

/// Of services apart, those that say in this home where they are. Throws std::runtime_error.
std::vector<RouteLine> routes_of(const std::string& home) {
  const bool apart = !read_instance(home, "instance") && read_instance(home, "command-service");
  auto routes = read_routes(home, apart ? "command-service" : "instance");
  if (!routes)
    throw std::runtime_error(routes.error() + (apart ? "" : ", and command-service does not run there by itself") +
                             "; start the instance with ops/run, or name another --home");
  if (apart && read_instance(home, "query-service"))
    if (const auto pages = read_routes(home, "query-service")) routes->insert(routes->end(), pages->begin(), pages->end());
  return *routes;
}

}  // namespace

void add_routes(CLI::App& program, Action& action) {
  struct Options {
    std::string home;
    bool json = false;
  };
  auto options = std::make_shared<Options>();
  CLI::App* subcommand = program.add_subcommand("routes", "List the routes of the API and who may use them");
  add_home(*subcommand, options->home);
  subcommand->add_flag("--json", options->json, "As JSON");
  subcommand->callback([options, &action] {
    action = [options] {
      const std::vector<RouteLine> routes = routes_of(options->home);
      if (options->json) {
        fmt::print("{}\n", json::to_string(routes));
        return 0;
      }
      for (const RouteLine& route : routes) fmt::print("{:<7} {:<80} {}\n", route.method, route.pattern, route.access);
      return 0;
    };
  });
}

}  // namespace bloomwatch::ops
