// For routes that have to block before or beside their command: read a body, go on on a pool of threads, reply in one's own way.
#pragma once

#include <functional>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "command-service/edge.h"
#include "runtime/work_pool.h"

namespace bloomwatch {

/// Path and body into a described struct; nothing: the call has been answered.
template <class Body>
std::optional<Body> read_body(Call& call) {
  auto body = json::read_command<Body>(call.request.path_params, call.request.body, call.request.query);
  if (body) return std::move(*body);
  call.refuse(problems::wrong_fields(std::move(body.error())));
  return std::nullopt;
}

/// Runs `flow(Call)` on a pool. Answers 503 if the pool is full or the call waits for too long, and with an incident 503 if Postgres cannot
/// be asked, 500 if `flow` throws.
void run_on(WorkPool& pool, Call call, std::move_only_function<void(Call&)> flow);

/// The frame of one of the many commands that a request becomes: a fresh id, what they come from, and no Idempotency-Key.
CommandFrame frame_of_many(const Call& call, Origin origin);

/// The same under the request's Idempotency-Key: for the command that asks whether the others may be done, and so does not ask twice.
CommandFrame frame_of_asking(const Call& call, Origin origin);

/// To an Idempotency-Key that was used for this very request: `what` came before, and how to `act` again. What was answered then is not
/// kept, and doing it once more would take back what people have done since.
Problem came_before(std::string type, std::string_view what, std::string_view act);

/// Blocks until a command was answered that changes nothing and asks whether the many of a request may be sent. The position that its
/// answer is true at; nothing: the call has been answered, with `before(answer)` if this is a repeat by its Idempotency-Key.
template <class Command, class Before>
std::optional<Position> ask_first(const Edge& edge, Call& call, CommandFrame frame, Command command, Before before) {
  std::promise<std::optional<Position>> asked;
  auto on_answer = [&](const Answer& answer, const Command&, const auto&) {
    const bool done = answer.kind == Answer::Kind::done;
    if (!done) call.respond(problem_response(answer, call.request.request_id));
    if (answer.repeated && done) call.refuse(before(answer));
    asked.set_value(done && !answer.repeated ? std::optional(answer.position) : std::nullopt);
  };
  edge.writer.submit(std::make_unique<TypedWork<Command>>(std::move(frame), std::move(command), call.actor(), std::move(on_answer)));
  return asked.get_future().get();
}

/// Asks the writer whether a command, whose every field is filled, would be accepted as things are, and if so goes on with
/// `then(Call&, Command)` on `pool`: what is refused, or was done before under its Idempotency-Key, is answered as by submit(), and nothing
/// has been hashed or written for it. `then` submits the command; it may be refused by then, if things have changed meanwhile.
template <class Command, class Body, class Then>
void ask_before(const Edge& edge, WorkPool& pool, Call call, Command command, Actor actor, Body body, Then then) {
  CommandFrame frame = call.frame;
  auto on_answer = [&edge, &pool, call = std::move(call), body = std::move(body), then = std::move(then)](
                       const Answer& answer, const Command& asked, const auto&) mutable {
    if (answer.kind != Answer::Kind::done) return call.respond(problem_response(answer, call.request.request_id));
    if (answer.repeated) return call.respond(done_response(edge, answer, body(answer, asked)));
    run_on(pool, std::move(call), [command = asked, then = std::move(then)](Call& moved) mutable { then(moved, std::move(command)); });
  };
  edge.writer.submit(
      std::make_unique<TypedWork<Command>>(std::move(frame), std::move(command), std::move(actor), std::move(on_answer), true));
}

/// Submits a command whose every field is filled. `reply(answer, command)` gives the response, however it ended; it runs on the writer's
/// thread and must not block.
template <class Command, class Reply>
void submit_and_reply(const Edge& edge, Call& call, Command command, Actor actor, Reply reply) {
  auto on_answer = [reply = std::move(reply), respond = std::move(call.respond)](const Answer& answer, const Command& sent,
                                                                                 const auto&) mutable { respond(reply(answer, sent)); };
  edge.writer.submit(std::make_unique<TypedWork<Command>>(call.frame, std::move(command), std::move(actor), std::move(on_answer)));
}

}  // namespace bloomwatch
