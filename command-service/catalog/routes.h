// The routes of the catalogue.
#pragma once

#include "runtime/http.h"

namespace bloomwatch {

struct Edge;
class WorkPool;

/// All references outlive the routes. A batch of an import takes a thread of `pool` until its last step is done.
void add_catalog_routes(http::Routes& routes, const Edge& edge, WorkPool& pool);

}  // namespace bloomwatch
