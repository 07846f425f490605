// How the refusals of admins' commands are shown.
#include "command-service/audit/refusals.h"

#include "command-service/refusal_table.h"

namespace bloomwatch::audit {
namespace {

using enum Refusal;
constexpr auto table = std::to_array<RefusalRow<Refusal>>({
    {admins_only, 403, "This is for administrators", "Only administrators may do this."},
    {no_time_between, 422, "There is no time between `from` and `until`", "Give an `until` that is later than `from`."},
});

}  // namespace

const Problem* problem_of(std::string_view refusal) {
  static const RefusalTable rows = make_refusal_table(table);
  return find_refusal(rows, refusal);
}

}  // namespace bloomwatch::audit
