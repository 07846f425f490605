// The routes of accounts that change something.
#pragma once

#include "runtime/http.h"

namespace bloomwatch {

struct Edge;
namespace accounts {
struct Flows;
}

/// `edge` and `flows` outlive the routes.
void add_account_routes(http::Routes& routes, const Edge& edge, accounts::Flows& flows);

}  // namespace bloomwatch
