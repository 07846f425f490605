// A whole import is taken back: one undo a change, the newest first, an outcome a row. What has changed since is reported and left.
// Like the import it has no events of its own; its undos say in their origin which import they took back.
#pragma once

#include "command-service/accounts/flows.h"

namespace bloomwatch::undo {

inline constexpr std::size_t undos_in_flight_max = 64;
/// Each read looks at all events of the space.
inline constexpr std::size_t events_per_read = 20'000;
/// Of one account: each may take a thread for seconds.
inline constexpr double import_undos_max = 20;
inline constexpr double import_undos_per_second = 1.0 / 60;

/// The handler of POST /api/watch-spaces/{watchSpace}/imports/{import}/undo. All references outlive it; it takes a thread of `pool` until
/// the last row is done.
http::Handler undo_import(const Edge& edge, accounts::Readers& readers, WorkPool& pool);

}  // namespace bloomwatch::undo
