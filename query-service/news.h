// News of the projectors in other processes: they send NOTIFY after each flush, and this makes the process's hub tell it on, so that pages
// that wait are asked again. A wake-up only; whoever is told looks at the checkpoints.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "runtime/hub.h"
#include "runtime/postgres.h"

namespace bloomwatch {

/// Tells the hub what a notification on channel `projection` says (projector/projector.h).
void tell_projection(Hub& hub, std::string_view payload);

/// Listens until it goes. `hub` outlives it. Does not throw for a database that is down; it tries again.
std::unique_ptr<pg::Listener> projection_news(const std::string& database_url, Hub& hub);

}  // namespace bloomwatch
