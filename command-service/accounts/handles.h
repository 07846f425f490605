// The rules of handles beyond their shape: which words nobody gets, and when a handle that is held may be taken nevertheless.
#pragma once

#include <chrono>
#include <string_view>

#include "command-service/decision.h"

namespace bloomwatch::accounts {

/// How long a handle stays out of others' reach after its owner gave it up.
inline constexpr std::chrono::days handle_rest{365};
/// How long a handle stays before it can be changed again.
inline constexpr std::chrono::days handle_change_pause{30};

/// Words that would be taken for us, or for a path of ours.
bool is_reserved(std::string_view handle);

/// Whether `account` may take the handle with this holder at `now`: it is nobody's, its own (also if given up), or has rested long enough.
bool is_free(const std::optional<ClaimHolder>& holder, UserId account, Time now);

}  // namespace bloomwatch::accounts
