// Text and rows of joined statements.
#include "runtime/postgres_joined.h"

#include <algorithm>

#include "runtime/ascii.h"
#include "runtime/invariant.h"

namespace bloomwatch::pg {

/// OFFSET 0 keeps the planner from taking the SELECT apart: it stays the plan that it has alone, run once for each element.
std::string joined_text(const std::string& sql, std::size_t parameters) {
  std::string arrays, names, one;
  for (std::size_t i = 1; i <= parameters; ++i) {
    arrays += (i > 1 ? ", $" : "$") + std::to_string(i);
    names += 'p' + std::to_string(i) + ", ";
  }
  for (std::size_t i = 0; i < sql.size(); ++i) {
    const bool parameter = sql[i] == '$' && i + 1 < sql.size() && ascii::is_digit(sql[i + 1]);
    one += parameter ? "joined_run.p" : sql.substr(i, 1);
  }
  return "SELECT rows.*, joined_run.number FROM unnest(" + arrays + ") WITH ORDINALITY AS joined_run (" + names +
         "number) CROSS JOIN LATERAL (SELECT * FROM (" + one + ") AS one OFFSET 0) AS rows";
}

std::vector<Result> split_runs(const Result& joined, std::size_t runs) {
  std::vector<Result> parts;
  parts.reserve(runs);
  const int number = joined.columns() - 1;
  int at = 0;
  for (std::size_t run = 1; run <= runs; ++run) {
    const int first = at;
    while (at < joined.size() && joined[at].get<std::int64_t>(number) == static_cast<std::int64_t>(run)) ++at;
    parts.push_back(joined.part(first, at));
  }
  invariant(at == joined.size(), "the rows of joined runs come in the order of the runs");
  return parts;
}

const Statement* JoinedStatements::of(const Statement& one, std::size_t parameters) {
  Joined& joined = by_one_[one.id()];
  if (!joined.statement) joined.statement = std::make_unique<Statement>(joined_text(one.sql(), parameters));
  return joined.refused ? nullptr : joined.statement.get();
}

bool JoinedStatements::refuse(const Statement& statement) {
  const auto joined = std::ranges::find_if(by_one_, [&](const auto& entry) { return entry.second.statement.get() == &statement; });
  if (joined == by_one_.end()) return false;
  joined->second.refused = true;
  return true;
}

}  // namespace bloomwatch::pg
