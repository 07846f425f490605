// Why a command about recaps is refused. The name is the stable type of the problem that a client sees.
#pragma once

#include <boost/describe.hpp>
#include <string_view>

namespace bloomwatch {
struct Problem;
}

namespace bloomwatch::recaps {

enum class Refusal {
  period_not_begun,
  no_such_recap_share,  ///< also for links of other people
};
BOOST_DESCRIBE_ENUM(Refusal, period_not_begun, no_such_recap_share)

/// What a client is shown; null if the name is no refusal of this context.
const Problem* problem_of(std::string_view refusal);

}  // namespace bloomwatch::recaps
