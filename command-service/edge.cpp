// The parts of the edge that are the same for every command.
#include "command-service/edge.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>

#include "command-service/audit/admins.h"
#include "events/position_token.h"

namespace bloomwatch {
namespace {

/// The scope of a key is the person; keys of anonymous commands share one.
std::string_view scope_of(const std::optional<Principal>& principal) {
  return principal ? as_text(principal->account.uuid.bytes) : std::string_view();
}

bool is_idempotency_key(std::string_view key) {
  return !key.empty() && key.size() <= idempotency_key_length_max && std::ranges::all_of(key, [](char c) { return c > ' ' && c < 0x7f; });
}

/// Path and query, as far as they tell two requests apart.
std::string target_of(const http::Request& request) {
  std::string target = request.path;
  for (const auto& [name, value] : request.query)
    target += fmt::format("{}{}={}", target.size() == request.path.size() ? '?' : '&', name, value);
  return target;
}

Problem idempotency_key_reused() {
  return {.status = 422,
          .type = "idempotency-key-reused",
          .title = "This Idempotency-Key was used for another request",
          .detail = "Use a fresh key for each new command, and the same key only to repeat the very same request."};
}

Problem operators_only() {
  Problem problem = problems::forbidden("Whoever runs the instance does this, with the bloomwatch program.");
  problem.type = "operators-only";
  problem.title = "This is for the operator of the instance";
  return problem;
}

Problem outcome_unknown() {
  return {.status = 503,
          .type = "outcome-unknown",
          .title = "It is not known whether this was done",
          .detail = "Repeat the request with the same Idempotency-Key: it will not be done twice.",
          .retry_after = std::chrono::seconds(1)};
}

/// Whoever sends it would not have a change of another's lost (RFC 9110 §13.1.1): better not done than done as if it held.
Problem condition_not_evaluated() {
  Problem problem = problems::not_implemented("Commands take no If-Match. Nothing was done; send it without.");
  problem.type = "if-match-not-evaluated";
  return problem;
}

Problem not_ready() {
  return {.status = 503,
          .type = "not-ready",
          .title = "Commands cannot be taken at the moment",
          .detail = "Nothing was done. Try again in a moment.",
          .retry_after = std::chrono::seconds(1)};
}

}  // namespace

bool Call::refuse_until(const std::optional<std::chrono::seconds>& wait) {
  if (wait) refuse(problems::too_many_requests(*wait));
  return wait.has_value();
}

bool Call::refuse_beyond(TokenBuckets& limit, double wanted) {
  return refuse_until(limit.take(std::hash<UserId>()(principal->account), TokenBuckets::Clock::now(), wanted));
}

Actor Call::actor() const {
  if (!principal) return {.account = {}, .profile = {}, .session = {}, .now = now};
  return {.account = principal->account, .profile = principal->profile, .session = principal->session, .now = now};
}

std::expected<std::optional<Principal>, Problem> authorize(const Edge& edge, const http::Request& request, http::Responder& answer,
                                                           Time now) {
  if (request.access == http::Access::anyone) return std::nullopt;
  if (request.access == http::Access::operators)
    if (const auto token = request.bearer_token(); token && OperatorTokens(edge.keys).admits(*token, now)) return std::nullopt;
  auto principal = edge.authenticator.authenticate(request, answer, now);
  if (!principal) return std::unexpected(std::move(principal.error()));
  if (request.access == http::Access::operators) return std::unexpected(operators_only());
  return *principal;
}

std::optional<Call> begin_call(const Edge& edge, http::Request request, http::Responder respond) {
  const Time at = now();
  Call call{.request = std::move(request), .respond = std::move(respond), .principal = std::nullopt, .now = at, .frame = {}};
  const auto principal = authorize(edge, call.request, call.respond, at);
  if (!principal) {
    call.refuse(principal.error());
    return std::nullopt;
  }
  call.principal = *principal;
  if (call.principal && call.refuse_beyond(edge.limit_of_accounts)) return std::nullopt;
  if (call.request.header("if-match")) {
    call.refuse(condition_not_evaluated());
    return std::nullopt;
  }
  if (call.request.access == http::Access::operators) call.frame.by.origin.provider = "operator";
  if (call.principal) {
    call.frame.by.account = call.principal->account;
    call.frame.by.profile = call.principal->profile;
  }
  call.frame.by.command = CommandId(Uuid::v7(at));
  call.frame.by.correlation = CorrelationId(call.request.correlation_id);
  if (const auto key = call.request.header_list("idempotency-key")) {
    if (!is_idempotency_key(*key)) {  // two are none
      call.refuse(
          problems::malformed(fmt::format("Idempotency-Key must be 1 to {} visible ASCII characters.", idempotency_key_length_max)));
      return std::nullopt;
    }
    call.frame.key = IdempotencyKey(Uuid{keyed_hash(edge.keys.idempotency, {scope_of(call.principal), *key})});
    call.frame.body_mac =
        keyed_hash(edge.keys.idempotency, {http::to_string(call.request.method), target_of(call.request), call.request.body});
  }
  return call;
}

http::Response problem_response(const Answer& answer, const Uuid& request_id) {
  switch (answer.kind) {
    case Answer::Kind::refused:
      return to_response(problem_of(answer.refusal), request_id);
    case Answer::Kind::key_reused:
      return to_response(idempotency_key_reused(), request_id);
    case Answer::Kind::busy:
      return to_response(problems::overloaded(), request_id);
    case Answer::Kind::unavailable:
      return to_response(not_ready(), request_id);
    case Answer::Kind::unknown:
      return to_response(outcome_unknown(), request_id);
    case Answer::Kind::done:
    case Answer::Kind::failed:
      break;
  }
  return to_response(problems::internal(request_id, std::string(answer.cause)), request_id);
}

http::Response done_response(const Edge& edge, const Answer& answer, std::string body) {
  http::Response response = http::json_response(std::move(body), answer.created ? 201 : 200);
  response.headers.emplace_back("Bloomwatch-Position", PositionToken{edge.epoch, answer.position}.wire());
  return response;
}

std::string done_body(const Answer& answer) {
  return fmt::format(R"({{"id":"{}","version":{},"position":{}}})", answer.id.to_string(), answer.version, answer.position);
}

void tell_admins(const Edge& edge, Call call, Problem problem) {
  CommandFrame frame = call.frame;
  frame.key.reset();  // nothing is done that could be repeated
  Actor actor = call.actor();
  auto on_answer = [problem = std::move(problem), open = std::make_shared<Call>(std::move(call))](const Answer& answer, const auto&,
                                                                                                  const auto&) {
    if (answer.kind == Answer::Kind::done) return open->refuse(problem);
    open->respond(problem_response(answer, open->request.request_id));
  };
  edge.writer.submit(
      std::make_unique<TypedWork<audit::ProveAdmin>>(std::move(frame), audit::ProveAdmin{}, std::move(actor), std::move(on_answer)));
}

bool is_recordable(std::string_view refusal) {
  const int status = problem_of(refusal).status;
  return status != 400 && status != 401 && status != 429 && status != 503;
}

}  // namespace bloomwatch
