// Several runs of one SELECT asked as one: to start and end a page's plan costs Postgres as much as to run it, and is done once for all.
// Not for others than postgres_pipeline.cpp. For one thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "runtime/postgres.h"

namespace bloomwatch::pg {

/// `sql` for several runs: each parameter an array, one element a run; its columns, then the number of the run, from 1, in order.
std::string joined_text(const std::string& sql, std::size_t parameters);

/// The rows of each run of a joined statement.
std::vector<Result> split_runs(const Result& joined, std::size_t runs);

/// The joined forms of statements; made at their first use.
class JoinedStatements {
 public:
  /// Null if the server has refused it.
  const Statement* of(const Statement& one, std::size_t parameters);
  /// The server does not take it: its runs go one by one from now on. Says whether `statement` is a joined one at all.
  bool refuse(const Statement& statement);

 private:
  struct Joined {
    std::unique_ptr<Statement> statement;
    bool refused = false;
  };
  std::unordered_map<std::uint64_t, Joined> by_one_;
};

}  // namespace bloomwatch::pg
