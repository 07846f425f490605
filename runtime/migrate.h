// Brings a database's schema up to date: forward-only SQL files, each applied once in its own transaction and never changed afterwards.
// `migrations/NNNN_title.sql`; the header of each says who writes and who reads what it makes.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace bloomwatch {

struct MigrationReport {
  std::vector<std::string> applied;  ///< file names, in order; empty if the database was up to date
  int version = 0;                   ///< number of the last migration in the database
};

/// The folder to migrate from: `setting` if not empty, else BLOOMWATCH_MIGRATIONS_DIR of the environment, else the source tree's.
std::filesystem::path migrations_folder(const std::string& setting = {});

/// Applies what is missing, under an advisory lock (several processes may start at once). Throws std::runtime_error when a file that was
/// applied has changed or is gone or has got one before it, when two have one number, and when Postgres refuses.
MigrationReport migrate(const std::string& database_url, const std::filesystem::path& folder);

/// Whether the database's schema is the one that this program was built with, by the number of its last migration; changes nothing. Throws
/// std::runtime_error, in words for an operator, when it is older (or none at all) or newer, and when Postgres cannot be asked.
void check_schema(const std::string& database_url);

}  // namespace bloomwatch
