// The routes of watch spaces that change something.
#pragma once

#include "runtime/http.h"

namespace bloomwatch {

struct Edge;
class Secrets;
class WorkPool;

/// All references outlive the routes. Invitations write an address before their command goes on, which blocks: on `pool`.
void add_space_routes(http::Routes& routes, const Edge& edge, Secrets& secrets, WorkPool& pool);

}  // namespace bloomwatch
