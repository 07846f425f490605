// Access tokens for operators: whoever can read an instance's keys may speak for anyone in it, which `import` does, openly.
// The events that follow name the person, as if they had done it.
#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "ops/operator/target.h"

namespace bloomwatch::ops {

/// A token that speaks for the person with that handle, for `life` (negative: one that has expired, for tests). Throws std::runtime_error
/// when nobody has the handle.
std::string token_as(const Target& target, std::string_view handle, std::chrono::seconds life);

/// A token of the operator's own, good for what no person may do; what is done with it is done by the system. Throws std::runtime_error
/// when the instance's keys cannot be read.
std::string operator_token(const Target& target, std::chrono::seconds life);

}  // namespace bloomwatch::ops
