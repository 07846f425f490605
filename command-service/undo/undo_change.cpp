// Finding a change, sending its undo, and explaining a refusal.
#include "command-service/undo/undo_change.h"

#include <fmt/format.h>

#include <boost/describe.hpp>
#include <memory>
#include <utility>

#include "command-service/aggregates.h"
#include "command-service/dispatch.h"

namespace bloomwatch::undo {
namespace {

struct UndoPath {
  WatchSpaceId watch_space = {};
  std::int64_t position = 0;
};
BOOST_DESCRIBE_STRUCT(UndoPath, (), (watch_space, position))

/// Where the title was added anew, under whichever of its ids, which keeps a removed one from coming back.
std::optional<Position> added_anew_at(LogReader& reader, const UndoTracking& undo) {
  using Holder = dispatch::Parameter<TitleHolder>;
  Facts facts(make_state);
  for (LoadId load = 1;; ++load) {
    LoadRequest missing;
    Needs needs(facts, missing);
    needs.claim(*undo.title_claim);
    Holder::need(undo, Actor{}, facts, needs);
    if (missing.streams.empty() && missing.claims.empty()) break;
    for (const StreamName& stream : missing.streams) facts.expect(stream, load);
    for (const ClaimKey claim : missing.claims) facts.expect(claim, load);
    facts.take(load, missing, reader.load(missing, snapshot_shapes()));
  }
  std::optional<AnimeId> anime = Holder::get(undo, Actor{}, facts).anime;
  if (const auto& holder = facts.claim(*undo.title_claim).holder; !anime && holder) anime = AnimeId(holder->id);
  if (!anime) return std::nullopt;
  const auto stream = reader.stream({Anime::category, anime->uuid}, 0, 1);
  if (stream.empty()) return std::nullopt;
  return stream.front().meta.position;
}

/// RFC 9457 §3.2: an extension member.
http::Response with_position(http::Response response, const std::optional<Position>& position) {
  if (!position) return response;
  response.body.pop_back();
  response.body += fmt::format(R"(,"position":{}}})", *position);
  return response;
}

/// An undo under way.
struct Undo {
  const Edge& edge;
  accounts::Readers& readers;
  WorkPool& pool;
  UndoPath path;

  void begin(Call& call) const {
    std::optional<Found> found;
    readers.with([&](LogReader& reader) { found = find_in_space(reader, path.watch_space, path.position); });
    Actor actor = call.actor();
    const auto open = std::make_shared<Call>(std::move(call));
    std::visit(
        [&]<class C>(C command) {
          auto on_answer = [*this, open](const Answer& answer, const C&, const auto&) { end(*open, answer); };
          edge.writer.submit(std::make_unique<TypedWork<C>>(open->frame, std::move(command), std::move(actor), std::move(on_answer)));
        },
        command_for(path.watch_space, found));
  }

 private:
  /// On the writer's thread: what has to read the log goes back to the pool.
  void end(Call& call, const Answer& answer) const {
    if (answer.kind == Answer::Kind::done) return call.respond(done_response(edge, answer, done_body(answer)));
    if (answer.kind != Answer::Kind::refused || !has_a_reason(answer.refusal))
      return call.respond(problem_response(answer, call.request.request_id));
    run_on(pool, std::move(call), [*this](Call& moved) {
      Reason reason;
      readers.with([&](LogReader& reader) { reason = reason_of(reader, path.watch_space, path.position); });
      const http::Response response = to_response(bloomwatch::problem_of(refuse(reason.why).name), moved.request.request_id);
      moved.respond(with_position(response, reason.position));
    });
  }
};

}  // namespace

std::optional<Found> find_in_space(LogReader& reader, WatchSpaceId space, Position position) {
  if (position < 1) return std::nullopt;
  const auto events = reader.read(position - 1, 1);
  if (events.empty() || events.front().meta.position != position) return std::nullopt;
  const Meta& meta = events.front().meta;
  if (meta.partition_key.uuid != space.uuid) return std::nullopt;
  Found found{.stream = reader.stream(meta.stream), .change = {}};
  const auto change = find_change(found.stream, position);
  if (!change) return std::nullopt;
  found.change = *change;
  return found;
}

UndoSpace only_says(WatchSpaceId space, std::optional<Refusal> refusal) {
  SpacePlan plan;
  plan.refusal = refusal;
  return {.watch_space = space, .plan = std::make_shared<const SpacePlan>(std::move(plan))};
}

Command command_for(WatchSpaceId space, const std::optional<Found>& found) {
  if (!found) return only_says(space, Refusal::no_such_change);
  const StreamName& name = found->stream.front().meta.stream;
  if (name.category == WatchSpace::category)
    return UndoSpace{.watch_space = space, .plan = std::make_shared<const SpacePlan>(plan_space(found->stream, found->change))};
  if (name.category != Anime::category) return only_says(space, Refusal::cannot_be_undone);
  auto plan = std::make_shared<const TrackingPlan>(plan_tracking(found->stream, found->change));
  const ClaimKey claim = title_claim(space, plan->after.title);
  return UndoTracking{.watch_space = space, .anime = AnimeId(name.id), .title_claim = {claim}, .plan = std::move(plan)};
}

Reason reason_of(LogReader& reader, WatchSpaceId space, Position position) {
  const auto found = find_in_space(reader, space, position);
  if (!found) return {};
  if (const auto undone = undone_at(found->stream, found->change)) return {Refusal::already_undone, undone};
  const Command command = command_for(space, found);
  if (const auto* undo = std::get_if<UndoSpace>(&command))
    return {Refusal::changed_since, in_the_way(found->stream, found->change, *undo->plan)};
  const auto& undo = std::get<UndoTracking>(command);
  auto later = in_the_way(found->stream, found->change, *undo.plan);
  if (!later && undo.plan->restores) later = added_anew_at(reader, undo);
  return {Refusal::changed_since, later};
}

bool has_a_reason(std::string_view refusal) {
  return refusal == refuse(Refusal::changed_since).name || refusal == refuse(Refusal::already_undone).name;
}

http::Handler undo_change(const Edge& edge, accounts::Readers& readers, WorkPool& pool) {
  return [&edge, &readers, &pool](http::Request request, http::Responder respond) {
    auto call = begin_call(edge, std::move(request), std::move(respond));
    if (!call) return;
    const auto path = json::read_command<UndoPath>(call->request.path_params, "");
    if (!path) return call->refuse(problems::wrong_fields(path.error()));
    call->frame.by.origin.kind = OriginKind::undo;
    run_on(pool, std::move(*call), [&edge, &readers, &pool, path = *path](Call& moved) { Undo{edge, readers, pool, path}.begin(moved); });
  };
}

}  // namespace bloomwatch::undo
