// News of the log from other processes: the writer sends NOTIFY after its commits, and this makes the process's hub tell it on.
// A wake-up only; whoever is told reads the log.
#pragma once

#include <memory>
#include <string>

#include "runtime/hub.h"
#include "runtime/postgres.h"

namespace bloomwatch {

/// Listens until it goes. `hub` outlives it. Does not throw for a database that is down; it tries again.
std::unique_ptr<pg::Listener> log_news(const std::string& database_url, Hub& hub);

}  // namespace bloomwatch
