// One line for each way to take something back.
#include "command-service/undo/routes.h"

#include "command-service/undo/undo_change.h"
#include "command-service/undo/undo_import.h"

namespace bloomwatch {

using http::Access;
using http::Method;

void add_undo_routes(http::Routes& routes, const Edge& edge, accounts::Readers& readers, WorkPool& undos, WorkPool& imports) {
  constexpr http::RouteOptions no_body{.content = http::Content::none};
  const std::string space = "/api/watch-spaces/{watchSpace}";
  routes.add(Method::post, space + "/history/{position}/undo", Access::member, undo::undo_change(edge, readers, undos), no_body);
  routes.add(Method::post, space + "/imports/{importId}/undo", Access::member, undo::undo_import(edge, readers, imports), no_body);
}

}  // namespace bloomwatch
