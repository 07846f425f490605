// The routes of undo.
#pragma once

#include "command-service/accounts/flows.h"

namespace bloomwatch {

/// All references outlive the routes. `imports` is the pool of what takes long.
void add_undo_routes(http::Routes& routes, const Edge& edge, accounts::Readers& readers, WorkPool& pool, WorkPool& imports);

}  // namespace bloomwatch
