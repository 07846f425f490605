// The edge of the write side: from an HTTP request to a command in the writer's queue, and from its answer back to HTTP.
// A route is one line: `routes.add(Method::patch, "/api/…", Access::member, command<RateAnime>(edge))`. Path parameters and body fields
// fill the command by name; ids, time, idempotency and the sealing key are fixed here, once. What a command needs beside goes into
// `prepare`.
#pragma once

#include <chrono>
#include <expected>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "command-service/dispatch.h"
#include "command-service/secrets.h"
#include "command-service/writer_loop.h"
#include "events/access.h"
#include "runtime/http.h"
#include "runtime/json.h"
#include "runtime/problem.h"
#include "runtime/token_buckets.h"

namespace bloomwatch {

/// What command routes stand on. Outlives them; safe from all threads.
struct Edge {
  Writer& writer;
  Authenticator& authenticator;
  TokenBuckets& limit_of_accounts;  ///< how often each may send a command
  DataKeys& data_keys;
  const MasterKeys& keys;
  std::string epoch;  ///< of the log, for position tokens
  std::chrono::hours invitation_life{7 * 24};
};

/// Longest Idempotency-Key, in characters.
inline constexpr std::size_t idempotency_key_length_max = 255;

/// A request that is to become a command: what is fixed once, and the way back. Move-only.
struct Call {
  http::Request request;
  http::Responder respond;
  std::optional<Principal> principal;  ///< nobody: an anonymous command, or the system
  Time now;
  CommandFrame frame;

  void refuse(const Problem& problem) { respond(to_response(problem, request.request_id)); }
  /// Whether a limit (TokenBuckets::take) says to wait; then the call has been answered 429.
  bool refuse_until(const std::optional<std::chrono::seconds>& wait);
  /// The same for a limit of accounts, of which this call's takes `wanted` tokens; there is a principal.
  bool refuse_beyond(TokenBuckets& limit, double wanted = 1);
  /// The actor of the principal; of nobody if anonymous.
  Actor actor() const;
};

/// Who a request is from: nobody where its route is for anyone, or for operators, whose commands the system does. A problem if it may not
/// use its route; roles and memberships are for deciders. `answer` is told whose token came.
std::expected<std::optional<Principal>, Problem> authorize(const Edge& edge, const http::Request& request, http::Responder& answer,
                                                           Time now);

/// Authenticates unless the route is for anyone (what an operator's token sends is done by the system), takes its share of what the account
/// may send, fixes ids and time, hashes the Idempotency-Key. Nothing: the request has been answered.
std::optional<Call> begin_call(const Edge& edge, http::Request request, http::Responder respond);

/// The problem that a refusal is shown as, from its context's table; a refusal without one breaks an invariant.
const Problem& problem_of(std::string_view refusal);

/// The answer to a command that did not end well.
http::Response problem_response(const Answer& answer, const Uuid& request_id);

/// 200 or 201 with `body` and the header Bloomwatch-Position.
http::Response done_response(const Edge& edge, const Answer& answer, std::string body);

/// `{"id", "version", "position"}`, what every command answers unless it says more.
std::string done_body(const Answer& answer);

/// The fields of T that are minted ids get fresh ones; claims, passwords and times are for `prepare`.
template <class Command>
void mint_ids(Command& command, Time now) {
  boost::mp11::mp_for_each<dispatch::FieldsOf<Command>>([&](auto D) {
    using Field = std::remove_cvref_t<decltype(command.*D.pointer)>;
    if constexpr (dispatch::Unminted<Field>::minted) {
      using Value = typename dispatch::Unminted<Field>::type;
      if constexpr (is_id<Value> && !std::is_same_v<Value, ClaimKey> && !std::is_same_v<Value, PasswordId>)
        (command.*D.pointer).value = Value(Uuid::v7(now));
    }
  });
}

/// Whether a command that has fields for a body comes without one: a blank text is no JSON. One that its path fills needs none.
template <class Command>
bool lacks_body(const http::Request& request) {
  std::size_t fields = 0;
  boost::mp11::mp_for_each<dispatch::FieldsOf<Command>>(
      [&](auto D) { fields += dispatch::Unminted<dispatch::FieldType<Command, decltype(D)>>::minted ? 0 : 1; });
  return json::is_blank(request.body) && fields > request.path_params.size();
}

/// Tells a problem to an admin, and everybody else that this is for admins: of an admins' command it is not said what is wrong with it
/// before it is known who sent it.
void tell_admins(const Edge& edge, Call call, Problem problem);

/// What is wrong with a request that is no command yet. A command of admins says `static constexpr bool admins_only = true`.
template <class Command>
void tell_wrong(const Edge& edge, Call call, const Problem& problem) {
  if constexpr (requires { Command::admins_only; })
    tell_admins(edge, std::move(call), problem);
  else
    call.refuse(problem);
}

/// What a success answers: `answer_body` of the command's namespace, or the usual.
template <class Command>
std::string body_of(const Edge& edge, const Answer& answer, const Command& sent) {
  if constexpr (requires { answer_body(edge, answer, sent); })
    return answer_body(edge, answer, sent);
  else
    return done_body(answer);
}

/// Submits a command whose every field is filled. `body(answer, command)` renders what a success answers.
template <class Command, class Body>
void submit(const Edge& edge, Call call, Command command, Actor actor, Body body) {
  CommandFrame frame = call.frame;
  auto on_answer = [&edge, body = std::move(body), respond = std::move(call.respond), request_id = call.request.request_id](
                       const Answer& answer, const Command& sent, const auto&) mutable {
    if (answer.kind == Answer::Kind::done)
      respond(done_response(edge, answer, body(answer, sent)));
    else
      respond(problem_response(answer, request_id));
  };
  edge.writer.submit(std::make_unique<TypedWork<Command>>(std::move(frame), std::move(command), std::move(actor), std::move(on_answer)));
}

/// The handler of a command's route. A command may offer, in its namespace, `prepare(Command&, const Edge&, const Call&)`, which fills what
/// follows from the rest (claims, expiry), and `answer_body(const Edge&, const Answer&, const Command&)`.
template <class Command>
http::Handler command(const Edge& edge) {
  return [&edge](http::Request request, http::Responder respond) {
    auto call = begin_call(edge, std::move(request), std::move(respond));
    if (!call) return;
    if (lacks_body<Command>(call->request))
      return tell_wrong<Command>(edge, std::move(*call), problems::validation({{"", "must be a JSON object"}}));
    auto parsed = json::read_command<Command>(call->request.path_params, call->request.body, call->request.query);
    if (!parsed) return tell_wrong<Command>(edge, std::move(*call), problems::wrong_fields(std::move(parsed.error())));
    mint_ids(*parsed, call->now);
    if constexpr (requires { prepare(*parsed, edge, *call); }) prepare(*parsed, edge, *call);
    const UserId account = call->actor().account;
    auto go = [&edge, moved = std::move(*call), parsed = std::move(*parsed)](DataKeys::Found key) mutable {
      if (!key) return moved.refuse(problems::unavailable(moved.request.request_id, key.error().what()));
      Actor actor = moved.actor();
      actor.key = std::move(*key);
      submit(edge, std::move(moved), std::move(parsed), std::move(actor),
             [&edge](const Answer& answer, const Command& sent) { return body_of(edge, answer, sent); });
    };
    edge.data_keys.with_key(account, std::move(go));
  };
}

}  // namespace bloomwatch
