// The routes of admins and of the operator that change something.
#pragma once

#include "runtime/http.h"

namespace bloomwatch {

struct Edge;

/// `edge` outlives the routes.
void add_audit_routes(http::Routes& routes, const Edge& edge);

}  // namespace bloomwatch
