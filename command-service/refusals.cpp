// Every refusal as a problem: the contexts' tables together, and the two that any command may meet. A new context adds its line here.
#include <fmt/core.h>

#include "command-service/accounts/refusals.h"
#include "command-service/audit/refusals.h"
#include "command-service/catalog/refusals.h"
#include "command-service/edge.h"
#include "command-service/recaps/refusals.h"
#include "command-service/spaces/refusals.h"
#include "command-service/tracking/refusals.h"
#include "command-service/undo/refusals.h"
#include "runtime/invariant.h"

namespace bloomwatch {
namespace {

const Problem* problem_of_any_command(std::string_view refusal) {
  static const Problem stream_full{.status = 409,
                                   .type = "stream-full",
                                   .title = "Too much has happened to this",
                                   .detail = "It has reached the number of changes that are kept of one thing."};
  static const Problem data_key_missing{.status = 409,
                                        .type = "data-key-missing",
                                        .title = "This account is being forgotten",
                                        .detail = "Nothing personal can be kept for it any more."};
  if (refusal == "stream_full") return &stream_full;
  if (refusal == "data_key_missing") return &data_key_missing;
  return nullptr;
}

}  // namespace

const Problem& problem_of(std::string_view refusal) {
  for (const auto of_context : {accounts::problem_of, audit::problem_of, catalog::problem_of, recaps::problem_of, spaces::problem_of,
                                tracking::problem_of, undo::problem_of, problem_of_any_command})
    if (const Problem* problem = of_context(refusal)) return *problem;
  invariant(false, fmt::format("the refusal {} has a problem that it is shown as", refusal));
  std::unreachable();
}

}  // namespace bloomwatch
