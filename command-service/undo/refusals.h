// Why an undo is refused. The name is the stable type of the problem that a client sees.
// Strangers to the space get no_such_space of spaces/refusals.h, before anything here.
#pragma once

#include <boost/describe.hpp>
#include <string_view>

namespace bloomwatch {
struct Problem;
}

namespace bloomwatch::undo {

enum class Refusal {
  no_such_change,
  cannot_be_undone,
  change_of_another,
  already_undone,
  changed_since,
  no_such_import,
  importer_only,
};
BOOST_DESCRIBE_ENUM(Refusal, no_such_change, cannot_be_undone, change_of_another, already_undone, changed_since, no_such_import,
                    importer_only)

/// What a client is shown; null if the name is no refusal of this context.
const Problem* problem_of(std::string_view refusal);

}  // namespace bloomwatch::undo
