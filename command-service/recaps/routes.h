// The routes that change who can see a recap.
#pragma once

#include "command-service/edge.h"

namespace bloomwatch {

/// `edge` outlives the routes.
void add_recap_routes(http::Routes& routes, const Edge& edge);

}  // namespace bloomwatch
