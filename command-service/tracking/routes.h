// The routes of tracking that change something.
#pragma once

#include "runtime/http.h"

namespace bloomwatch {

struct Edge;

/// `edge` outlives the routes.
void add_tracking_routes(http::Routes& routes, const Edge& edge);

}  // namespace bloomwatch
