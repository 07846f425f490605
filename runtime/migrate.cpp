// The migrate runner. It uses libpqxx, as everything may that runs once: text parameters cost nothing here (postgres.h says where they do).
// What an operator waits for at each command, the check, goes over a connection of ours, with its timeouts.
// Each file is one transaction together with its line in public.schema_migrations.
#include "runtime/migrate.h"

#include <sodium.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <map>
#include <pqxx/pqxx>
#include <stdexcept>

#include "runtime/ascii.h"
#include "runtime/postgres.h"

namespace bloomwatch {

namespace {

struct Migration {
  int number = 0;
  std::string name;  // of the file
  std::string sql;
  std::string hash;  // SHA-256 of the file, hex
};

std::string sha256_hex(const std::string& text) {
  std::array<unsigned char, crypto_hash_sha256_BYTES> hash;
  crypto_hash_sha256(hash.data(), reinterpret_cast<const unsigned char*>(text.data()), text.size());
  std::array<char, crypto_hash_sha256_BYTES * 2 + 1> hex;
  sodium_bin2hex(hex.data(), hex.size(), hash.data(), hash.size());
  return hex.data();
}

Migration read_migration(const std::filesystem::path& file) {
  Migration migration;
  migration.name = file.filename().string();
  if (migration.name.size() < 6 || !std::all_of(migration.name.begin(), migration.name.begin() + 4, ascii::is_digit) ||
      migration.name[4] != '_')
    throw std::runtime_error("a migration's file is named NNNN_title.sql, not " + migration.name);
  migration.number = std::stoi(migration.name.substr(0, 4));
  std::ifstream in(file, std::ios::binary);
  migration.sql.assign(std::istreambuf_iterator<char>(in), {});
  if (!in && !in.eof()) throw std::runtime_error("cannot read " + file.string());
  migration.hash = sha256_hex(migration.sql);
  return migration;
}

std::vector<Migration> read_migrations(const std::filesystem::path& folder) {
  std::vector<Migration> all;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (entry.path().extension() == ".sql") all.push_back(read_migration(entry.path()));
  }
  std::ranges::sort(all, {}, &Migration::number);
  for (std::size_t i = 1; i < all.size(); ++i) {
    if (all[i].number == all[i - 1].number)
      throw std::runtime_error("two migrations have one number: " + all[i - 1].name + ", " + all[i].name);
  }
  return all;
}

/// What is in the database must be the beginning of what is in the folder, unchanged.
std::size_t check_applied(pqxx::connection& connection, const std::vector<Migration>& all) {
  pqxx::nontransaction work(connection);
  const pqxx::result applied = work.exec("SELECT number, name, sha256 FROM public.schema_migrations ORDER BY number");
  std::size_t count = 0;
  for (const auto& row : applied) {
    if (count >= all.size())
      throw std::runtime_error("the database is newer than this program: it has migration " + row[1].as<std::string>());
    const Migration& migration = all[count];
    if (row[0].as<int>() != migration.number || row[2].as<std::string>() != migration.hash)
      throw std::runtime_error("migration " + row[1].as<std::string>() + " was applied, but now " + migration.name +
                               " is in its place or it has changed; new migrations have higher numbers");
    ++count;
  }
  return count;
}

void apply(pqxx::connection& connection, const Migration& migration) {
  pqxx::work work(connection);
  try {
    work.exec(migration.sql);
  } catch (const pqxx::sql_error& error) {
    throw std::runtime_error("migration " + migration.name + " failed: " + error.what());
  }
  work.exec_params("INSERT INTO public.schema_migrations (number, name, sha256) VALUES ($1, $2, $3)", migration.number, migration.name,
                   migration.hash);
  work.commit();
}

}  // namespace

std::filesystem::path migrations_folder(const std::string& setting) {
  if (!setting.empty()) return setting;
  if (const char* given = std::getenv("BLOOMWATCH_MIGRATIONS_DIR"); given != nullptr && *given != '\0') return given;
  return BLOOMWATCH_SOURCE_MIGRATIONS;
}

MigrationReport migrate(const std::string& database_url, const std::filesystem::path& folder) {
  const std::vector<Migration> all = read_migrations(folder);
  // libpqxx takes nothing but the URL, which may name a longer or a shorter one.
  ::setenv("PGCONNECT_TIMEOUT", "10", 0);
  pg::check_url(database_url);  // what pqxx says of one that cannot be read may hold its password
  pqxx::connection connection(database_url);
  {
    pqxx::nontransaction work(connection);
    work.exec("SET client_min_messages = warning");
    work.exec("SELECT pg_advisory_lock(7243392)");  // held until the connection closes
    work.exec(
        "CREATE TABLE IF NOT EXISTS public.schema_migrations (number integer PRIMARY KEY, name text NOT NULL, sha256 text NOT NULL, "
        "applied_at timestamptz NOT NULL DEFAULT now())");
  }
  MigrationReport report;
  for (std::size_t i = check_applied(connection, all); i < all.size(); ++i) {
    apply(connection, all[i]);
    report.applied.push_back(all[i].name);
  }
  report.version = all.empty() ? 0 : all.back().number;
  return report;
}

void check_schema(const std::string& database_url) {
  pg::Connection connection({.url = database_url, .application_name = "bloomwatch schema"});
  const bool is_there = connection.query("SELECT to_regclass('public.schema_migrations') IS NOT NULL")[0].get<bool>(0);
  const int version = is_there ? connection.query("SELECT coalesce(max(number), 0) FROM public.schema_migrations")[0].get<int>(0) : 0;
  const std::string versions =
      " (its schema is at version " + std::to_string(version) + ", this program's is " + std::to_string(BLOOMWATCH_SCHEMA_VERSION) + ")";
  if (version < BLOOMWATCH_SCHEMA_VERSION) throw std::runtime_error("this database is not migrated: run `bloomwatch migrate`" + versions);
  if (version > BLOOMWATCH_SCHEMA_VERSION) throw std::runtime_error("this database is newer than this program" + versions);
}

}  // namespace bloomwatch
