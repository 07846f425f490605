// The routes of sync.
#include "command-service/sync/routes.h"

#include "command-service/sync/mal_import.h"

namespace bloomwatch {

void add_sync_routes(http::Routes& routes, const Edge& edge, WorkPool& pool) {
  routes.add(http::Method::post, "/api/watch-spaces/{watchSpace}/imports/mal", http::Access::member, mal::import_list(edge, pool),
             {.body_bytes_max = mal::import_bytes_max, .content = http::Content::any, .body_required = true});
}

}  // namespace bloomwatch
