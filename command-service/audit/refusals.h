// Why a command of admins is refused. The name is the stable type of the problem that a client sees.
#pragma once

#include <boost/describe.hpp>
#include <string_view>

namespace bloomwatch {
struct Problem;
}

namespace bloomwatch::audit {

enum class Refusal { admins_only, no_time_between };
BOOST_DESCRIBE_ENUM(Refusal, admins_only, no_time_between)

/// What a client is shown; null if the name is no refusal of this context.
const Problem* problem_of(std::string_view refusal);

}  // namespace bloomwatch::audit
