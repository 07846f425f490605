// `bloomwatch role HANDLE ROLE`: makes somebody a moderator or an admin of the running instance, or a user again. A command like any other,
// by the system: its token comes from the instance's keys and names nobody.
#include <fmt/core.h>

#include <CLI/CLI.hpp>
#include <memory>

#include "events/accounts.h"
#include "ops/operator/instance_client.h"
#include "ops/operator/subcommands.h"
#include "ops/operator/target.h"
#include "ops/operator/token.h"
#include "runtime/json.h"

namespace bloomwatch::ops {
namespace {

constexpr std::chrono::seconds role_takes_max{30};

struct RoleOptions {
  Target target;
  std::string handle;
  std::string role;
};

struct RoleRequest {
  std::string_view handle;
  std::string_view role;
};
BOOST_DESCRIBE_STRUCT(RoleRequest, (), (handle, role))

int change_role(const RoleOptions& options) {
  InstanceClient client(options.target.instance().url, operator_token(options.target, role_takes_max));
  client.post("/api/admin/roles", "application/json", json::to_string(RoleRequest{options.handle, options.role}), role_takes_max);
  fmt::print("{} has the role {}\n", options.handle, options.role);
  return 0;
}

}  // namespace

void add_role(CLI::App& program, Action& action) {
  auto options = std::make_shared<RoleOptions>();
  CLI::App* role = program.add_subcommand("role", "Make somebody a moderator or an admin, or a user again");
  add_target(*role, options->target);
  role->add_option("handle", options->handle, "Whose role")->required();
  role->add_option("role", options->role, "user, moderator or admin")->required()->check(CLI::IsMember({"user", "moderator", "admin"}));
  role->callback([options, &action] { action = [options] { return change_role(*options); }; });
}

}  // namespace bloomwatch::ops
