// The routes of sync.
#pragma once

#include "runtime/http.h"

namespace bloomwatch {

struct Edge;
class WorkPool;

/// All references outlive the routes. An import takes a thread of `pool` until its last row is done.
void add_sync_routes(http::Routes& routes, const Edge& edge, WorkPool& pool);

}  // namespace bloomwatch
