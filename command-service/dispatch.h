// From a command's `decide` to the writer's Work: the signature is the declaration. Its first state is the stream that is
// written, the others are only read; each is found by the id of its type in the command, so nobody writes that down twice. Start at
// TypedWork. What a parameter of `decide` may be is said at the Parameter specialisations.
#pragma once

#include <boost/describe.hpp>
#include <boost/mp11.hpp>
#include <concepts>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>

#include "command-service/decision.h"
#include "command-service/writer.h"
#include "events/codec.h"
#include "runtime/invariant.h"
#include "runtime/json.h"

namespace bloomwatch {

/// Whether an Idempotency-Key remembers this refusal: not those that answer 400, 401, 429 or 503. By the contexts' problem tables.
bool is_recordable(std::string_view refusal);

namespace dispatch {

template <class State, class E>
void evolve(State& state, const E& event, const Meta& meta) {
  if constexpr (requires { state.evolve(event, meta); })
    state.evolve(event, meta);
  else
    state.evolve(event);
}

/// An aggregate whose streams may become long is a described struct and counts the shapes of its snapshots: whoever changes its members or
/// what `evolve` makes of an event raises the number.
template <class State>
concept has_snapshots = requires {
  { State::snapshot_shape } -> std::convertible_to<std::int32_t>;
};

/// An aggregate's state as the writer's memory holds it.
template <class State>
class Holder final : public StreamState {
 public:
  State state = {};

  void apply(const RecordedEvent& event) override {
    const bool known = decode_one_of<typename State::Events>(event, [&](const auto& typed) { take(typed, event.meta, event.data.size()); });
    if (!known) throw_undecodable(event, "it is none of its stream's types");
  }
  std::optional<std::int32_t> snapshot_shape() const override {
    if constexpr (has_snapshots<State>)
      return State::snapshot_shape;
    else
      return std::nullopt;
  }
  std::string snapshot() const override {
    if constexpr (has_snapshots<State>)
      return json::to_string(state);
    else
      return StreamState::snapshot();
  }
  void restore(std::string_view text) override {
    if constexpr (has_snapshots<State>) {
      auto read = json::read<State>(text);
      if (!read)
        throw std::runtime_error("a snapshot of a stream of " + std::string(State::category) + " cannot be read: '" +
                                 read.error().front().pointer + "' " + read.error().front().detail +
                                 " (log.snapshots may be emptied: it only spares reading events)");
      state = std::move(*read);
      folded_ = text.size();
      measure();
    } else {
      StreamState::restore(text);
    }
  }

  template <class E>
  void take(const E& event, const Meta& meta, std::size_t data_bytes) {
    evolve(state, event, meta);
    folded_ += data_bytes;
    measure();
  }
  /// What was measured, and the data folded since, which bounds what the state can have kept of it.
  std::size_t bytes() const override { return sizeof(*this) + kept_ + folded_; }
  std::optional<Version> length_max() const override {
    if constexpr (requires { State::length_max; })
      return State::length_max;
    else
      return std::nullopt;
  }

 private:
  /// A stream whose events overwrite each other does not grow: a state that can say what it keeps is asked, whenever as much has been
  /// folded as it took before, so that asking costs little however much it keeps.
  void measure() {
    if constexpr (std::is_trivially_destructible_v<State>) {
      folded_ = 0;
    } else if constexpr (requires { state.heap_bytes(); }) {
      if (folded_ <= sizeof(*this) + kept_) return;
      kept_ = state.heap_bytes();
      folded_ = 0;
    }
  }

  std::size_t kept_ = 0;
  std::size_t folded_ = 0;
};

template <class T>
struct Unminted {
  using type = T;
  static constexpr bool minted = false;
};
template <class T>
struct Unminted<Minted<T>> {
  using type = T;
  static constexpr bool minted = true;
};

template <class T>
const T& plain(const T& value) {
  return value;  // NOLINT(bugprone-return-const-ref-from-parameter): a view of a command's field, as std::get is of a tuple
}
template <class T>
const T& plain(const Minted<T>& minted) {
  return minted.value;
}

template <class Command>
using FieldsOf = boost::describe::describe_members<Command, boost::describe::mod_public>;
template <class Command, class D>
using FieldType = std::remove_cvref_t<decltype(std::declval<const Command&>().*D::pointer)>;

/// A predicate on descriptors: the field is a Wanted, or a Minted one.
template <class Command, class Wanted>
struct Names {
  template <class D>
  using fn = std::is_same<typename Unminted<FieldType<Command, D>>::type, Wanted>;
};
template <class Command, class Wanted>
using FieldsNaming = boost::mp11::mp_copy_if_q<FieldsOf<Command>, Names<Command, Wanted>>;
template <class Command, class Wanted>
inline constexpr std::size_t fields_naming = boost::mp11::mp_size<FieldsNaming<Command, Wanted>>::value;
template <class Command, class Wanted>
using FieldNaming = boost::mp11::mp_front<FieldsNaming<Command, Wanted>>;
template <class Command, class Wanted>
inline constexpr bool is_minted_in = Unminted<FieldType<Command, FieldNaming<Command, Wanted>>>::minted;

template <class Wanted, class Command>
const Wanted& field_naming(const Command& command) {
  static_assert(fields_naming<Command, Wanted> == 1, "the command names exactly one stream of this kind; say which with At or Claimed");
  return plain(command.*FieldNaming<Command, Wanted>::pointer);
}

/// Calls `visit(ClaimKey)` for each claim that the command names.
template <class Command, class Visitor>
void for_each_claim(const Command& command, Visitor&& visit) {
  boost::mp11::mp_for_each<FieldsNaming<Command, ClaimKey>>([&](auto D) { visit(plain(command.*D.pointer)); });
}

/// Where a parameter of `decide` comes from: `stream` (which stream, if that is known already), `need` and `get`.
template <class P>
struct Parameter;

/// `const State&`: the stream that the command's field of type State::Key names. One whose id was minted for the command is known to be
/// new.
template <class State>
struct Parameter<const State&> {
  using Of = State;

  template <class Command>
  static StreamName stream(const Command& command, const Actor&, const Facts&) {
    return {State::category, field_naming<typename State::Key>(command).uuid};
  }
  template <class Command>
  static void need(const Command& command, const Actor& actor, const Facts& facts, Needs& needs) {
    if constexpr (is_minted_in<Command, typename State::Key>)
      needs.fresh(stream(command, actor, facts));
    else
      needs.stream(stream(command, actor, facts));
  }
  template <class Command>
  static const State& get(const Command& command, const Actor& actor, const Facts& facts) {
    return facts.stream(stream(command, actor, facts)).template as<Holder<State>>().state;
  }
};

/// `By<State>`: the actor's own.
template <class State>
struct Parameter<By<State>> {
  using Of = State;

  template <class Command>
  static StreamName stream(const Command&, const Actor& actor, const Facts&) {
    if constexpr (std::is_same_v<typename State::Key, UserId>)
      return {State::category, actor.account.uuid};
    else if constexpr (std::is_same_v<typename State::Key, SessionId>)
      return {State::category, actor.session.uuid};
    else
      return {State::category, typename State::Key(actor.profile).uuid};
  }
  template <class Command>
  static void need(const Command& command, const Actor& actor, const Facts& facts, Needs& needs) {
    needs.stream(stream(command, actor, facts));
  }
  template <class Command>
  static By<State> get(const Command& command, const Actor& actor, const Facts& facts) {
    return {facts.stream(stream(command, actor, facts)).template as<Holder<State>>().state};
  }
};

/// `At<&Command::field, State>`: the stream that the field names. Loaded even if its id was minted: it may follow from something.
template <auto Field, class State>
struct Parameter<At<Field, State>> {
  using Of = State;

  template <class Command>
  static StreamName stream(const Command& command, const Actor&, const Facts&) {
    return {State::category, plain(command.*Field).uuid};
  }
  template <class Command>
  static void need(const Command& command, const Actor& actor, const Facts& facts, Needs& needs) {
    needs.stream(stream(command, actor, facts));
  }
  template <class Command>
  static At<Field, State> get(const Command& command, const Actor& actor, const Facts& facts) {
    const StreamName name = stream(command, actor, facts);
    return {facts.stream(name).template as<Holder<State>>().state, name.id};
  }
};

/// `Holders<&Command::claims, State>`: the streams that hold the claims of a list.
template <auto Field, class State>
struct Parameter<Holders<Field, State>> {
  static std::optional<StreamName> holder(const HeldClaim& claim) {
    if (!claim.holder || claim.holder->category != State::category) return std::nullopt;
    return StreamName{State::category, claim.holder->id};
  }
  template <class Command>
  static void need(const Command& command, const Actor&, const Facts&, Needs& needs) {
    for (const ClaimKey key : plain(command.*Field))
      if (const HeldClaim* claim = needs.claim(key))
        if (const auto name = holder(*claim)) needs.stream(*name);
  }
  template <class Command>
  static Holders<Field, State> get(const Command& command, const Actor&, const Facts& facts) {
    Holders<Field, State> holders;
    for (const ClaimKey key : plain(command.*Field)) {
      auto& found = holders.of.emplace_back();
      if (const auto name = holder(facts.claim(key))) found = {&facts.stream(*name).template as<Holder<State>>().state, name->id};
    }
    return holders;
  }
};

/// `Claimed<&Command::claim, State>`: the stream that holds the claim; where nobody does, the one that the command's own id of that kind
/// names.
template <auto Field, class State>
struct Parameter<Claimed<Field, State>> {
  using Of = State;

  template <class Command>
  static constexpr bool has_own = fields_naming<Command, typename State::Key> == 1;

  static std::optional<Uuid> held_by(const HeldClaim& claim) {
    if (claim.holder && claim.holder->category == State::category) return claim.holder->id;
    return std::nullopt;
  }
  /// The nil stream where the claim leads nowhere.
  template <class Command>
  static StreamName stream(const Command& command, const Actor&, const Facts& facts) {
    const HeldClaim* claim = facts.find(plain(command.*Field));
    if (claim == nullptr) return {State::category, Uuid{}};  // not loaded yet
    if (const auto id = held_by(*claim)) return {State::category, *id};
    if constexpr (has_own<Command>) return {State::category, field_naming<typename State::Key>(command).uuid};
    return {State::category, Uuid{}};
  }
  template <class Command>
  static void need(const Command& command, const Actor& actor, const Facts& facts, Needs& needs) {
    const HeldClaim* claim = needs.claim(plain(command.*Field));
    if (claim == nullptr) return;
    const StreamName name = stream(command, actor, facts);
    if (held_by(*claim))
      needs.stream(name);
    else
      needs.fresh(name);
  }
  template <class Command>
  static Claimed<Field, State> get(const Command& command, const Actor& actor, const Facts& facts) {
    const StreamName name = stream(command, actor, facts);
    return {facts.stream(name).template as<Holder<State>>().state, held_by(facts.claim(plain(command.*Field))).has_value(), name.id};
  }
};

/// `const Claims&`: who holds the claims that the command names.
template <>
struct Parameter<const Claims&> {
  template <class Command>
  static void need(const Command&, const Actor&, const Facts&, Needs&) {}
  template <class Command>
  static Claims get(const Command& command, const Actor&, const Facts& facts) {
    Claims::Lookup lookup;
    for_each_claim(command, [&](ClaimKey key) { lookup.emplace_back(key, facts.claim(key).holder); });
    return Claims(std::move(lookup));
  }
};

template <class Decide>
struct Signature;
template <class Command, class Result, class... Ps>
struct Signature<Result (Command::*)(const Actor&, Ps...) const> {
  using DecisionType = Result;
  using Parameters = boost::mp11::mp_list<Parameter<Ps>...>;
  using Written = boost::mp11::mp_front<Parameters>;
};
template <class Command>
using SignatureOf = Signature<decltype(&Command::decide)>;

/// The partition key of the written stream: its own id, or the command's field of the state's Partition type, or the actor's account.
template <class State, class Command>
PartitionKey partition_key(const Command& command, const Actor& actor, const StreamName& written) {
  using Partition = typename State::Partition;
  if constexpr (std::is_same_v<Partition, typename State::Key>)
    return PartitionKey(written.id);
  else if constexpr (fields_naming<Command, Partition> == 1)
    return PartitionKey(field_naming<Partition>(command).uuid);
  else
    return PartitionKey(Partition(actor.account).uuid);
}

}  // namespace dispatch

/// A command on its way through the writer, with its typed decision. `Command` is a described struct with a const member `decide`.
template <class Command>
class TypedWork final : public Work {
  using Signature = dispatch::SignatureOf<Command>;
  using Written = typename Signature::Written;
  using State = typename Written::Of;

 public:
  using DecisionType = typename Signature::DecisionType;
  /// Called once with the outcome, the command, and what this process decided (empty for a repeat that was answered from its record).
  using OnAnswer = std::move_only_function<void(const Answer&, const Command&, const DecisionType&)>;

  /// `dry_run`: decides and answers, but appends nothing; an Idempotency-Key remembers only that it was refused, or was answered before.
  TypedWork(CommandFrame command_frame, Command command, Actor actor, OnAnswer on_answer, bool dry_run = false)
      : Work(std::move(command_frame)),
        command_(std::move(command)),
        actor_(std::move(actor)),
        on_answer_(std::move(on_answer)),
        dry_run_(dry_run) {}

  void needs(Needs& needs) const override { ask(needs, typename Signature::Parameters{}); }

  Decided decide(const Facts& facts, Time recorded_at) override {
    stream_ = Written::stream(command_, actor_, facts);
    decision_ = decision_on(facts, typename Signature::Parameters{});
    Decided decided{.stream = stream_, .id = answer_id()};
    if constexpr (requires { Command::creates; }) decided.created = Command::creates;
    if (decision_.refusal) {
      decided.refusal = decision_.refusal->name;
      decided.recordable = is_recordable(decided.refusal);
    }
    if (dry_run_) {
      decided.recordable = decided.recordable && !decided.refusal.empty();
      return decided;
    }
    const PartitionKey key = dispatch::partition_key<State>(command_, actor_, stream_);
    for (const auto& event : decision_.events) decided.events.push_back(std::visit([&](const auto& e) { return recorded(e, key); }, event));
    for (std::size_t i = 0; i < decision_.undoes.size(); ++i) decided.events[i].undoes = decision_.undoes[i];
    for (const ClaimAct& act : decision_.claims) decided.claims.push_back(changed(act, recorded_at));
    return decided;
  }

  void evolve(Facts& facts, std::span<const NewEvent> events) override {
    invariant(events.size() == decision_.events.size(), "the machine takes the events of the last decision, all of them");
    auto& holder = facts.changing(stream_).template as<dispatch::Holder<State>>();
    for (std::size_t i = 0; i < events.size(); ++i) {
      const NewEvent& e = events[i];
      // The position is not known before the append, and no state may rest on it.
      const Meta meta{.stream = e.stream,
                      .version = e.version,
                      .event_id = e.event_id,
                      .partition_key = e.partition_key,
                      .recorded_at = e.recorded_at,
                      .by = e.by,
                      .undoes = e.undoes};
      std::visit([&](const auto& event) { holder.take(event, meta, e.data.size()); }, decision_.events[i]);
    }
  }

  void answer(const Answer& answer) override { on_answer_(answer, command_, decision_); }

 private:
  template <class... Ps>
  void ask(Needs& needs, boost::mp11::mp_list<Ps...>) const {
    (Ps::need(command_, actor_, needs.facts(), needs), ...);
    dispatch::for_each_claim(command_, [&](ClaimKey key) { needs.claim(key); });
    // A state may hold claims that its commands give up without naming them: a former handle.
    if constexpr (requires(const State& state) { state.claims(); }) {
      if (const HeldStream* held = needs.facts().find(Written::stream(command_, actor_, needs.facts())))
        for (const ClaimKey key : held->as<dispatch::Holder<State>>().state.claims()) needs.claim(key);
    }
  }

  template <class... Ps>
  DecisionType decision_on(const Facts& facts, boost::mp11::mp_list<Ps...>) const {
    try {
      return command_.decide(actor_, Ps::get(command_, actor_, facts)...);
    } catch (const MissingDataKey&) {
      return Refused{"data_key_missing"};
    }
  }

  Uuid answer_id() const {
    if constexpr (requires { command_.answer_id(); })
      return command_.answer_id();
    else
      return stream_.id;
  }

  template <class E>
  NewEvent recorded(const E& event, PartitionKey key) const {
    return {.stream = stream_,
            .type = type_name<E>(),
            .schema_version = schema_version_of<E>(),
            .partition_key = key,
            .data = encode(event),
            .always_fits = bloomwatch::always_fits(event)};
  }

  ClaimChange changed(const ClaimAct& act, Time recorded_at) const {
    if (act.kind == ClaimAct::Kind::release) return {act.key, std::nullopt};
    ClaimHolder holder{.category = std::string(stream_.category), .id = stream_.id};
    if (act.kind == ClaimAct::Kind::retire) holder.retired_at = recorded_at;
    return {act.key, std::move(holder)};
  }

  const Command command_;
  const Actor actor_;
  OnAnswer on_answer_;
  const bool dry_run_;
  DecisionType decision_;
  StreamName stream_;
};

}  // namespace bloomwatch
