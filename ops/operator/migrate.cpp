// `bloomwatch migrate`: brings a database's schema up to date. `serve` does it by itself; this is for who wants to do it before.
#include <fmt/core.h>

#include <CLI/CLI.hpp>
#include <memory>
#include <string>

#include "events/analytics_views.h"
#include "ops/operator/subcommands.h"
#include "ops/operator/target.h"
#include "runtime/migrate.h"

namespace bloomwatch::ops {

void add_migrate(CLI::App& program, Action& action) {
  auto target = std::make_shared<Target>();
  CLI::App* migrate_command = program.add_subcommand("migrate", "Bring the database's schema up to date");
  add_target(*migrate_command, *target);
  migrate_command->callback([target, &action] {
    action = [target] {
      const std::string database_url = target->any_database();
      const MigrationReport report = migrate(database_url, migrations_folder());
      for (const std::string& file : report.applied) fmt::print("applied {}\n", file);
      fmt::print("the database is at version {}\n", report.version);
      const AnalyticsReport views = make_analytics_views(database_url);
      if (views.changed()) fmt::print("analytics: {} views made, {} dropped\n", views.made.size(), views.dropped.size());
      for (const std::string& view : views.stale) fmt::print("analytics: could not be replaced: {}\n", view);
      if (!views.no_role.empty()) fmt::print("analytics: no role {}: {}\n", analyst_role, views.no_role);
      return 0;
    };
  });
}

}  // namespace bloomwatch::ops
