// Sleeping that a stop ends.
#pragma once

#include <chrono>
#include <stop_token>

namespace bloomwatch {

/// Blocks the calling thread for `time`, or until `stop` is requested; false if it was.
bool sleep_for(const std::stop_token& stop, std::chrono::steady_clock::duration time);

}  // namespace bloomwatch
