// The routes of admins, and the operator's, who says which of us are.
#include "command-service/audit/routes.h"

#include <fmt/format.h>

#include "command-service/accounts/change_account_role.h"
#include "command-service/audit/query_audit.h"
#include "command-service/edge.h"
#include "events/position_token.h"

namespace bloomwatch {

using http::Access;
using http::Method;

/// The link waits until what was asked for can be shown.
static std::string answer_body(const Edge& edge, const Answer& answer, const QueryAudit&) {
  const std::string id = answer.id.to_string();
  return fmt::format(R"({{"id":"{}","version":{},"position":{},"url":"/api/admin/audit?query={}&atLeast={}"}})", id, answer.version,
                     answer.position, id, PositionToken{edge.epoch, answer.position}.wire());
}

/// The claim of whoever is named.
static void prepare(ChangeAccountRole& command, const Edge& edge, const Call&) {
  command.handle_claim.value = handle_claim(edge.keys, command.handle.text());
}

void add_audit_routes(http::Routes& routes, const Edge& edge) {
  routes.add(Method::post, "/api/admin/audit/queries", Access::admin, command<QueryAudit>(edge));
  routes.add(Method::post, "/api/admin/roles", Access::operators, command<ChangeAccountRole>(edge));
}

}  // namespace bloomwatch
