// A real Postgres for tests: one private cluster a test program (or the one that BLOOMWATCH_TEST_DATABASE_URL names), a fresh database a
// test. The cluster listens on a unix socket in a folder of mode 0700 under /tmp, runs without fsync, and is gone when the program ends.
#pragma once

#include <filesystem>
#include <memory>
#include <string>

namespace bloomwatch::test {

/// A cluster of one's own, for tests that stop and restart it; most want `fresh_database()`.
class PostgresCluster {
 public:
  /// initdb and start. As root it runs as the user `postgres`, because Postgres refuses root. Throws std::runtime_error.
  explicit PostgresCluster(bool fsync = false);
  /// Stops it and removes its folder.
  ~PostgresCluster();
  PostgresCluster(const PostgresCluster&) = delete;
  PostgresCluster& operator=(const PostgresCluster&) = delete;

  /// Of a database in it; `postgres` is the one to make others from. The role is a superuser.
  std::string url(const std::string& database = "postgres") const;
  void start();
  /// `mode` as pg_ctl has it: fast, immediate (like a crash), smart.
  void stop(const std::string& mode = "fast");
  const std::filesystem::path& folder() const { return folder_; }

 private:
  std::filesystem::path folder_;
  bool fsync_;
  bool running_ = false;
  int owner_pid_ = 0;
};

/// The URL of a new database with all migrations applied (copied from a template, some 50 ms). Dropped when the program ends with the
/// cluster, or left to the owner of BLOOMWATCH_TEST_DATABASE_URL.
std::string fresh_database();

/// The URL of a new empty database.
std::string empty_database();

}  // namespace bloomwatch::test
