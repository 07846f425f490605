// The routes of accounts that change something.
#include "command-service/accounts/routes.h"

#include "command-service/accounts/change_me.h"
#include "command-service/accounts/end_login_session.h"
#include "command-service/accounts/flows.h"
#include "command-service/accounts/log_out.h"

namespace bloomwatch {

using http::Access;
using http::Method;

/// The claim on the new handle.
static void prepare(ChangeMe& command, const Edge& edge, const Call&) {
  if (command.handle) command.handle_claim.value = handle_claim(edge.keys, command.handle->text());
}

/// An end holds from its answer on, in this process.
static std::string note_end(const Edge& edge, const Answer& answer) {
  edge.authenticator.ended().session_ended(SessionId(answer.id), now());
  return done_body(answer);
}
static std::string answer_body(const Edge& edge, const Answer& answer, const LogOut&) { return note_end(edge, answer); }
static std::string answer_body(const Edge& edge, const Answer& answer, const EndLoginSession&) { return note_end(edge, answer); }

void add_account_routes(http::Routes& routes, const Edge& edge, accounts::Flows& flows) {
  constexpr http::RouteOptions no_body{.content = http::Content::none};
  // Who is nobody yet takes little of the room that there is for bodies: enough for the longest of all fields with each character escaped.
  constexpr http::RouteOptions small_body{.body_bytes_max = 8192};
  routes.add(Method::post, "/api/auth/register", Access::anyone, accounts::register_user(flows), small_body);
  routes.add(Method::post, "/api/auth/login", Access::anyone, accounts::log_in(flows), small_body);
  routes.add(Method::post, "/api/auth/refresh", Access::anyone, accounts::refresh(flows), small_body);
  routes.add(Method::post, "/api/auth/logout", Access::signed_in, command<LogOut>(edge), no_body);
  routes.add(Method::patch, "/api/me", Access::signed_in, command<ChangeMe>(edge));
  routes.add(Method::post, "/api/me/password", Access::signed_in, accounts::change_password(flows));
  routes.add(Method::del, "/api/me/sessions/{session}", Access::signed_in, command<EndLoginSession>(edge), no_body);
}

}  // namespace bloomwatch
