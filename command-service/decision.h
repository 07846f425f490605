// What a decider takes and gives. A decider is a pure function: `decide(by, states…) → events, or a refusal, or nothing`.
// It reads no clock, no random source, no environment: what of these it needs comes in through `Actor`. See rate_anime.h for one to read.
#pragma once

#include <boost/describe.hpp>
#include <boost/describe/enum_to_string.hpp>
#include <exception>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "events/batch.h"
#include "events/personal.h"
#include "runtime/time.h"

namespace bloomwatch {

/// The actor's data key is gone: what they say can no longer be sealed. Answered as the refusal `data_key_missing`.
struct MissingDataKey : std::exception {
  const char* what() const noexcept override { return "the account has no data key"; }
};

/// Who acts, when, and with which key what they say of themselves is sealed.
struct Actor {
  UserId account;
  ProfileId profile;
  SessionId session;
  Time now;  ///< fixed at the edge, the same however often the command is decided
  std::optional<DataKey> key = {};

  /// Seals under the actor's key. Throws MissingDataKey; the dispatch makes a refusal of it.
  Personal seal(std::string_view text) const;
};

/// A rule that says no: the name of an enumerator of the context's `Refusal`, which its problem table turns into an answer.
struct Refused {
  std::string_view name;  ///< static storage
};

/// `return refuse(Refusal::not_a_member);`
template <class Enum>
Refused refuse(Enum why) {
  return {boost::describe::enum_to_string(why, "unnamed")};
}

/// `return nothing;`: the wish is already so. Answered like a success.
struct Nothing {};
inline constexpr Nothing nothing = {};

/// What a decision does to a claim. Taken by the stream that is written.
struct ClaimAct {
  enum class Kind { take, release, retire } kind;
  ClaimKey key;
};

/// The events of a decision in their order, what becomes of claims, and at most one refusal.
/// A refusal beside events is a decision that both says no and must be remembered (a reused refresh token ends its session).
template <class... Es>
struct Decision {
  using Event = std::variant<Es...>;

  std::vector<Event> events;
  std::vector<std::optional<EventId>> undoes;  ///< what each event takes back; those beyond its end take back nothing
  std::vector<ClaimAct> claims;
  std::optional<Refused> refusal;

  Decision() = default;
  Decision(Nothing) {}
  Decision(Refused refused) : refusal(refused) {}
  template <class E>
    requires(std::same_as<E, Es> || ...)
  Decision(E event) {
    events.emplace_back(std::move(event));
  }

  template <class E>
  Decision& add(E event) {
    events.emplace_back(std::move(event));
    return *this;
  }
  /// An event that takes back another.
  template <class E>
  Decision& add_undoing(EventId undone, E event) {
    undoes.resize(events.size());
    undoes.emplace_back(undone);
    events.emplace_back(std::move(event));
    return *this;
  }
  Decision& take(ClaimKey key) { return act(ClaimAct::Kind::take, key); }
  Decision& release(ClaimKey key) { return act(ClaimAct::Kind::release, key); }
  Decision& retire(ClaimKey key) { return act(ClaimAct::Kind::retire, key); }
  Decision& refuse(Refused refused) {
    refusal = refused;
    return *this;
  }

 private:
  Decision& act(ClaimAct::Kind kind, ClaimKey key) {
    claims.push_back({kind, key});
    return *this;
  }
};

/// Who holds the claims that a command names: those in its fields of type ClaimKey. Given to deciders that ask for it.
class Claims {
 public:
  using Lookup = std::vector<std::pair<ClaimKey, std::optional<ClaimHolder>>>;
  explicit Claims(Lookup held) : held_(std::move(held)) {}

  /// Nobody: free. `key` must be one that the command names.
  std::optional<ClaimHolder> holder(ClaimKey key) const;

 private:
  Lookup held_;
};

// Parameters of `decide` that say where a state is found when the command's own field of the state's `Key` type does not: the
// signature is the declaration.

/// The actor's own: `By<User>` by account, a state keyed by ProfileId by profile.
template <class State>
struct By {
  const State& state;
  const State* operator->() const { return &state; }
};

/// The stream that the command's field `Field` names, where its type alone does not say which.
template <auto Field, class State>
struct At {
  const State& state;
  Uuid id;
  const State* operator->() const { return &state; }
};

/// Who holds the claims in the command's list `Field`, in its order, as far as they are streams of this kind.
template <auto Field, class State>
struct Holders {
  struct Holder {
    const State* state = nullptr;  ///< null: nobody of this kind holds it
    Uuid id = {};
  };
  std::vector<Holder> of;
};

/// The stream that holds the claim in the command's field `Field`. Where nobody holds it: the stream that the command's own field of the
/// state's `Key` type names, and where it has none, an empty state.
template <auto Field, class State>
struct Claimed {
  const State& state;
  bool held;  ///< whether the claim is held by a stream of this kind
  Uuid id;    ///< of that stream
  const State* operator->() const { return &state; }
};

}  // namespace bloomwatch
