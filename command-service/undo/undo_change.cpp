// Finding a change, sending its undo, and explaining a refusal.
#include "command-service/undo/undo_change.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/describe.hpp>
#include <future>
#include <iterator>
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

/// Adds what came since it was read.
void read_on(LogReader& reader, Found& found) {
  const Meta& last = found.stream.back().meta;
  std::ranges::move(reader.stream(last.stream, last.version), std::back_inserter(found.stream));
}

/// An undo under way.
struct Undo {
  const Edge& edge;
  accounts::Readers& readers;
  WorkPool& pool;
  UndoPath path;

  /// Asks the writer first, which reads no whole stream to tell strangers, and repeats of an Idempotency-Key, from the rest.
  void begin(Call call) const {
    CommandFrame frame = frame_of_asking(call, call.frame.by.origin);
    Actor actor = call.actor();
    auto on_answer = [*this, call = std::move(call)](const Answer& asked, const UndoSpace&, const auto&) mutable {
      if (asked.kind == Answer::Kind::done && !asked.repeated) return go_on(std::move(call), &Undo::undo);
      if (!answer(call, asked)) go_on(std::move(call), &Undo::explain_once_more);
    };
    constexpr bool dry_run = true;  // the key is for the undo itself
    edge.writer.submit(std::make_unique<TypedWork<UndoSpace>>(std::move(frame), only_says(path.watch_space, std::nullopt), std::move(actor),
                                                              std::move(on_answer), dry_run));
  }

 private:
  using Step = void (Undo::*)(LogReader&, Call&) const;
  void go_on(Call call, Step step) const {
    run_on(pool, std::move(call), [*this, step](Call& moved) { readers.with([&](LogReader& reader) { (this->*step)(reader, moved); }); });
  }

  void undo(LogReader& reader, Call& call) const {
    std::optional<Found> found = find_in_space(reader, path.watch_space, path.position);
    const bool answered = std::visit([&](auto command) { return send(call, std::move(command)); }, command_for(path.watch_space, found));
    if (answered) return;
    if (found) read_on(reader, *found);
    explain(reader, call, found);
  }
  void explain_once_more(LogReader& reader, Call& call) const {
    explain(reader, call, find_in_space(reader, path.watch_space, path.position));
  }
  void explain(LogReader& reader, Call& call, const std::optional<Found>& found) const {
    const Reason reason = reason_of(reader, path.watch_space, found);
    const http::Response response = to_response(bloomwatch::problem_of(refuse(reason.why).name), call.request.request_id);
    call.respond(with_position(response, reason.position));
  }

  /// Blocks until the writer has answered. As answer().
  template <class C>
  bool send(Call& call, C command) const {
    std::promise<bool> answered;
    auto on_answer = [&](const Answer& ended, const C&, const auto&) { answered.set_value(answer(call, ended)); };
    edge.writer.submit(std::make_unique<TypedWork<C>>(call.frame, std::move(command), call.actor(), std::move(on_answer)));
    return answered.get_future().get();
  }
  /// False: nothing was said yet, for the log has to be read to say why it was refused.
  bool answer(Call& call, const Answer& ended) const {
    if (ended.kind == Answer::Kind::refused && has_a_reason(ended.refusal)) return false;
    const bool done = ended.kind == Answer::Kind::done;
    call.respond(done ? done_response(edge, ended, done_body(ended)) : problem_response(ended, call.request.request_id));
    return true;
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

Reason reason_of(LogReader& reader, WatchSpaceId space, const std::optional<Found>& found) {
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
  return [&edge, &readers, &pool, limit = std::make_unique<TokenBuckets>(undos_max, undos_per_second)](http::Request request,
                                                                                                       http::Responder respond) {
    auto call = begin_call(edge, std::move(request), std::move(respond));
    if (!call) return;
    const auto path = json::read_command<UndoPath>(call->request.path_params, "", call->request.query);
    if (!path) return call->refuse(problems::wrong_fields(path.error()));
    if (call->refuse_beyond(*limit)) return;
    call->frame.by.origin.kind = OriginKind::undo;
    Undo{edge, readers, pool, *path}.begin(std::move(*call));
  };
}

}  // namespace bloomwatch::undo
