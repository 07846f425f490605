// Titles by hand, and the way in of an import.
#include "command-service/catalog/routes.h"

#include "command-service/catalog/import_batch.h"
#include "command-service/catalog/manual_title.h"
#include "command-service/edge.h"

namespace bloomwatch {

using http::Access;
using http::Method;

void add_catalog_routes(http::Routes& routes, const Edge& edge, WorkPool& pool) {
  routes.add(Method::post, "/api/titles", Access::moderator, command<AddTitle>(edge));
  routes.add(Method::patch, "/api/titles/{title}", Access::moderator, command<ChangeTitle>(edge));
  routes.add(Method::post, "/api/catalog/import", Access::operators, catalog::import_batch(edge, pool),
             {.body_bytes_max = catalog::batch_bytes_max, .body_required = true});
}

}  // namespace bloomwatch
