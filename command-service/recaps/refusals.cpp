// How the refusals of recaps are shown.
#include "command-service/recaps/refusals.h"

#include "command-service/refusal_table.h"

namespace bloomwatch::recaps {
namespace {

using enum Refusal;
constexpr auto table = std::to_array<RefusalRow<Refusal>>({
    {period_not_begun, 409, "The period has not begun", "A recap can be shared from the first day of its month or year on."},
    {no_such_recap_share, 404, "There is no such link", "You have shared no recap by a link with this id."},
});

}  // namespace

const Problem* problem_of(std::string_view refusal) {
  static const RefusalTable rows = make_refusal_table(table);
  return find_refusal(rows, refusal);
}

}  // namespace bloomwatch::recaps
