// Words that many values name: kept once, for ever, so that values hold a view. Safe from all threads.
#pragma once

#include <string_view>

namespace bloomwatch {

/// The text with static storage: equal texts give equal views for the life of the process. For few texts that are known to us, such as
/// categories and sources in the log; never for what clients send.
std::string_view interned(std::string_view text);

}  // namespace bloomwatch
