// How a context's refusals are shown: one row each, in one table per context, from which comes the problem that a client sees.
// The name of the enumerator is the stable type of the problem: `no_such_space` is shown as `no-such-space`.
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <boost/describe.hpp>
#include <boost/describe/enum_to_string.hpp>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>

#include "runtime/problem.h"

namespace bloomwatch {

template <class Refusal>
struct RefusalRow {
  Refusal why;
  int status;
  std::string_view title;   ///< the same whenever it is refused
  std::string_view detail;  ///< a sentence for whoever was refused
  std::int64_t limit = 0;   ///< what `{}` in the detail stands for, if it has one
};

/// Every refusal of a context by its name. A refusal that has no row does not compile.
using RefusalTable = std::unordered_map<std::string_view, Problem>;

template <class Refusal, std::size_t rows>
RefusalTable make_refusal_table(const std::array<RefusalRow<Refusal>, rows>& table) {
  static_assert(rows == boost::mp11::mp_size<boost::describe::describe_enumerators<Refusal>>::value, "each refusal has one row");
  RefusalTable made;
  for (const auto& row : table) {
    const std::string_view name = boost::describe::enum_to_string(row.why, "unnamed");
    std::string slug(name);
    std::ranges::replace(slug, '_', '-');
    Problem problem{.status = row.status,
                    .type = std::move(slug),
                    .title = std::string(row.title),
                    .detail = fmt::format(fmt::runtime(row.detail), row.limit)};
    if (row.status == 401) problem.headers = problems::unauthorized().headers;
    made.emplace(name, std::move(problem));
  }
  return made;
}

/// The row of that name, or null: another context's.
inline const Problem* find_refusal(const RefusalTable& table, std::string_view name) {
  const auto found = table.find(name);
  return found == table.end() ? nullptr : &found->second;
}

}  // namespace bloomwatch
