// Why a command about the catalogue is refused. The name is the stable type of the problem that a client sees.
#pragma once

#include <boost/describe.hpp>
#include <string_view>

namespace bloomwatch {
struct Problem;
}

namespace bloomwatch::catalog {

enum class Refusal { not_a_moderator, title_without_name, too_much_said, no_such_title, title_merged, title_id_taken, reference_held };
BOOST_DESCRIBE_ENUM(Refusal, not_a_moderator, title_without_name, too_much_said, no_such_title, title_merged, title_id_taken,
                    reference_held)

/// What a client is shown; null if the name is no refusal of this context.
const Problem* problem_of(std::string_view refusal);

}  // namespace bloomwatch::catalog
