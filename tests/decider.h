// given(past…).when(command, actor).then(events…): the way every decider is tested. The command goes through its real dispatch, so a test
// also proves that `decide` declares the right streams and claims, and that every event survives the log's JSON.
// No I/O, no threads, no clock: `now` is the actor's.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <source_location>
#include <string>
#include <vector>

#include "command-service/dispatch.h"
#include "command-service/spaces/watch_space.h"

namespace bloomwatch::testing {

/// The moment at which tests act unless they say otherwise.
inline constexpr Time noon = std::chrono::sys_days(std::chrono::year(2026) / 11 / 21) + std::chrono::hours(12);

/// An id that is the same for the same name in every run.
template <class IdType>
IdType id_of(std::string_view name) {
  return IdType(Uuid::v5(Uuid{}, name));
}

/// A value type from its wire form, which must be right.
template <class T>
T value(typename T::Wire wire) {
  auto made = T::from(std::move(wire));
  if (!made) throw std::invalid_argument(made.error());
  return std::move(*made);
}

/// Somebody with an account, a profile of the same UUID, a log-in session and a data key.
inline Actor person(std::string_view name, Time now = noon) {
  static std::map<std::string, DataKey, std::less<>> keys;
  const auto account = id_of<UserId>(name);
  const auto key = keys.try_emplace(std::string(name), DataKey::make(account)).first;
  return {.account = account,
          .profile = ProfileId(account.uuid),
          .session = id_of<SessionId>(std::string(name) + "'s session"),
          .now = now,
          .key = key->second};
}

/// The same person at another moment.
inline Actor later(Actor actor, Time now) {
  actor.now = now;
  return actor;
}

/// A stretch of a stream's past; several of one stream follow each other.
struct Past {
  std::vector<RecordedEvent> events;

  /// Who did it; unless said, nobody.
  Past by(const Actor& actor) && {
    for (auto& event : events) event.meta.by.account = actor.account, event.meta.by.profile = actor.profile;
    return std::move(*this);
  }
  /// When; unless said, noon.
  Past at(Time time) && {
    for (auto& event : events) event.meta.recorded_at = time;
    return std::move(*this);
  }
  /// The partition key; unless said, the stream's own id.
  Past under(Uuid partition) && {
    for (auto& event : events) event.meta.partition_key = PartitionKey(partition);
    return std::move(*this);
  }
};

template <class State, class... Events>
Past stream(typename State::Key key, const Events&... events) {
  Past past;
  const auto add = [&](std::string_view type, std::string data) {
    past.events.push_back({.meta = {.stream = {State::category, key.uuid}, .partition_key = PartitionKey(key.uuid), .recorded_at = noon},
                           .type = std::string(type),
                           .data = std::move(data)});
  };
  (add(type_name<Events>(), encode(events)), ...);
  return past;
}

/// An event as failures print it.
template <class E>
std::string shown(const E& event) {
  return std::string(type_name<E>()) + ' ' + encode(event);
}

/// What a command came to.
class Outcome {
 public:
  Outcome(Decided decided, Decided repeated, std::source_location where)
      : decided_(std::move(decided)), repeated_(std::move(repeated)), where_(where) {}

  /// Exactly these events, in this order, and no refusal.
  template <class... Events>
  Outcome& then(const Events&... events) {
    return expect({shown(events)...}, "");
  }
  /// This refusal, and nothing written but `remembered`.
  template <class Refusal, class... Events>
  Outcome& refuses(Refusal why, const Events&... remembered) {
    return expect({shown(remembered)...}, refuse(why).name).changes_no_claim();
  }
  /// Neither events nor a refusal: it is so already.
  Outcome& says_nothing() { return expect({}, ""); }

  Outcome& takes(ClaimKey key) { return changes_claim({key, ClaimHolder{std::string(decided_.stream.category), decided_.stream.id}}); }
  Outcome& retires(ClaimKey key, Time at = noon) {
    return changes_claim({key, ClaimHolder{std::string(decided_.stream.category), decided_.stream.id, at}});
  }
  /// The same command once more says nothing, and is not refused.
  Outcome& once();
  Outcome& answers(Uuid id);

  const Decided& decided() const { return decided_; }
  std::vector<std::string> events() const;

 private:
  Outcome& expect(const std::vector<std::string>& events, std::string_view refusal);
  Outcome& changes_claim(const ClaimChange& change);
  Outcome& changes_no_claim();

  Decided decided_;
  Decided repeated_;
  std::source_location where_;
};

/// The past that a command finds.
class World {
 public:
  World();

  World& take(const Past& past);
  /// A claim that a stream of `State` holds.
  template <class State>
  World& holding(ClaimKey claim, typename State::Key holder, std::optional<Time> retired_at = {}) {
    facts_->put(claim, ClaimHolder{std::string(State::category), holder.uuid, retired_at});
    return *this;
  }

  template <class Command>
  Outcome when(Command command, const Actor& actor, std::source_location where = std::source_location::current()) {
    const auto answered = [](const Answer&, const Command&, const auto&) {};
    const CommandFrame frame{.by = {.account = actor.account, .profile = actor.profile}};
    TypedWork<Command> work(frame, command, actor, answered);
    fetch(work);
    Decided decided = work.decide(*facts_, actor.now);
    for (NewEvent& event : decided.events) complete(event, frame, actor.now);
    work.evolve(*facts_, decided.events);
    for (const NewEvent& event : decided.events) go_through_a_snapshot(event.stream);
    for (const ClaimChange& change : decided.claims) facts_->put(change.key, change.holder);
    TypedWork<Command> again(frame, command, actor, answered);
    fetch(again);
    Decided repeated = again.decide(*facts_, actor.now);
    return {std::move(decided), std::move(repeated), where};
  }

  /// A state as it is now.
  template <class State>
  const State& state(typename State::Key key) {
    facts_->put_fresh({State::category, key.uuid});
    return facts_->stream({State::category, key.uuid}).template as<dispatch::Holder<State>>().state;
  }

 private:
  void append(RecordedEvent event);
  void go_through_a_snapshot(const StreamName& stream);
  void fetch(const Work& work);
  void complete(NewEvent& event, const CommandFrame& frame, Time recorded_at);

  std::unique_ptr<Facts> facts_;
};

template <class... Pasts>
World given(const Pasts&... pasts) {
  World world;
  (world.take(pasts), ...);
  return world;
}

// What tests are about, most of the time.

inline const Actor mira = person("mira");
inline const Actor ken = person("ken");
inline const Actor stranger = person("stranger");
inline const auto space_id = id_of<WatchSpaceId>("Mira & Ken");

/// A space of these people, the first its owner.
template <class... Others>
Past space_of(const Actor& owner, const Others&... others) {
  return stream<WatchSpace>(space_id, WatchSpaceCreated{.name = "Mira & Ken", .time_zone = "Europe/Berlin"},
                            MemberJoined{.profile = owner.profile, .role = SpaceRole::owner}, MemberJoined{.profile = others.profile}...)
      .by(owner);
}

}  // namespace bloomwatch::testing
