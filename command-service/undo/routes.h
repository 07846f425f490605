// The routes of undo.
#pragma once

#include "command-service/accounts/flows.h"

namespace bloomwatch {

/// All references outlive the routes. `undos` is a pool of their own for undos of one change, which read a whole stream each; `imports`
/// that of what takes long.
void add_undo_routes(http::Routes& routes, const Edge& edge, accounts::Readers& readers, WorkPool& undos, WorkPool& imports);

}  // namespace bloomwatch
