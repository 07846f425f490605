// What the writer holds in memory of the log: streams, claims and idempotency keys under one mechanism, bounded in bytes.
// A fact is the log plus the batches in flight; the machine in writer.h says when one may be trusted, dropped or evicted.
// No threads, no clock, no I/O. Start with Needs: it is how a command gets at facts.
#pragma once

#include <boost/unordered/unordered_flat_map.hpp>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string_view>
#include <variant>
#include <vector>

#include "events/batch.h"

namespace bloomwatch {

/// What the past of one stream means for the next decision about it. Implemented once by the typed dispatch for every aggregate.
class StreamState {
 public:
  virtual ~StreamState() = default;
  /// Evolves by the stream's next event, in order of version. Must come to the same state as `Work::evolve` did live.
  virtual void apply(const RecordedEvent& event) = 0;
  /// About how much memory it takes; asked after every change, so O(1) is wanted.
  virtual std::size_t bytes() const = 0;
  /// How long its stream may become, where that is less than any stream may.
  virtual std::optional<Version> length_max() const { return std::nullopt; }

  /// The shape of its snapshots; nothing: its streams are short, and have none.
  virtual std::optional<std::int32_t> snapshot_shape() const { return std::nullopt; }
  /// All that it knows, in words that `restore` takes. Needs a shape.
  virtual std::string snapshot() const;
  /// Takes a snapshot of its shape, in place of the events up to it. Throws std::runtime_error if that cannot be read. Needs a shape.
  virtual void restore(std::string_view snapshot);
};

/// Makes the initial state of a stream of this category. Never null.
using MakeState = std::function<std::unique_ptr<StreamState>(std::string_view category)>;

/// A stream as held: version 0 is one that does not exist yet.
struct HeldStream {
  std::unique_ptr<StreamState> state;
  Version version = 0;
  Version snapshot = 0;  ///< the version of its last snapshot; 0: there is none

  /// The state as the aggregate's own holder type, which the category vouches for.
  template <class Holder>
  const Holder& as() const {
    return static_cast<const Holder&>(*state);
  }
  template <class Holder>
  Holder& as() {
    return static_cast<Holder&>(*state);
  }
};

/// A claim as held: nobody's, if there is no holder.
struct HeldClaim {
  std::optional<ClaimHolder> holder;
};

/// An idempotency key as held: not used yet, if there is no record.
struct HeldKey {
  std::optional<IdempotencyRecord> record;
};

/// How often a stream's snapshot is taken: after so many events, and one more for each `event_bytes` of its state, so that an event never
/// costs more than about that.
struct SnapshotPace {
  Version every = 32;
  std::size_t event_bytes = 256;
};

/// Names one load.
using LoadId = std::uint64_t;

/// One point in the order in which things were touched; what was touched at or after the oldest moment that matters stays.
using Moment = std::uint64_t;

/// The facts held. Pointers and references into it live until the next call of the machine that loads, drops or evicts; never across steps.
class Facts {
 public:
  explicit Facts(MakeState make_state) : make_state_(std::move(make_state)) {}
  Facts(const Facts&) = delete;
  Facts& operator=(const Facts&) = delete;

  // For commands. Looking at a fact touches it. Null: not held.
  const HeldStream* find(const StreamName& stream) const { return look_up<HeldStream>(stream); }
  const HeldClaim* find(ClaimKey claim) const { return look_up<HeldClaim>(name_of(claim)); }
  const HeldKey* find(IdempotencyKey key) const { return look_up<HeldKey>(name_of(key)); }

  /// What a command asked for in `needs`: held, or it is our bug.
  const HeldStream& stream(const StreamName& stream) const;
  const HeldClaim& claim(ClaimKey claim) const;

  /// For `Work::evolve`: the stream whose events are being taken.
  HeldStream& changing(const StreamName& stream);

  // For the machine.

  /// Takes a stream as empty without asking the log: its id was minted a moment ago. Held already: stays as it is.
  void put_fresh(const StreamName& stream);
  void put(ClaimKey claim, std::optional<ClaimHolder> holder);
  void put(IdempotencyKey key, std::optional<IdempotencyRecord> record);
  /// The stream now has this version; its bytes are counted anew.
  void set_version(const StreamName& stream, Version version);
  /// The snapshot of a stream that ends with this event, if one is due. Counts as taken.
  std::optional<StreamSnapshot> due_snapshot(const StreamName& stream, EventId last, const SnapshotPace& pace);

  /// Notes that `load` is to bring this fact, which is not held. Returns the load that does: an earlier one, if it is already expected.
  LoadId expect(const StreamName& stream, LoadId load) { return expect_fact(stream, load); }
  LoadId expect(ClaimKey claim, LoadId load) { return expect_fact(name_of(claim), load); }
  LoadId expect(IdempotencyKey key, LoadId load) { return expect_fact(name_of(key), load); }

  /// Takes what `load` brought, where it is still expected from it; what is held meanwhile is kept instead (memory wins). `result.events`
  /// are whole streams, from version 1 or from behind their snapshot. Returns the snapshots that are due of what was taken; none without a
  /// pace.
  std::vector<StreamSnapshot> take(LoadId load, const LoadRequest& asked, const LoadResult& result,
                                   const std::optional<SnapshotPace>& pace = {});
  /// Forgets that `load` was to bring these; what is held stays.
  void give_up(LoadId load, const LoadRequest& asked);

  /// Drops every fact touched at `moment` or after.
  void drop_since(Moment moment);
  void drop(const StreamName& stream);
  void drop_claims_and_keys();
  /// Forgets everything, expectations included.
  void clear();

  /// Evicts the least recently touched until `bytes_max` is kept, but nothing touched at `protect` or after. Returns how many went.
  std::size_t evict(std::size_t bytes_max, Moment protect);

  Moment moment() const { return moment_; }
  /// Begins the next moment and returns the one that ended.
  Moment next_moment() { return moment_++; }
  std::size_t bytes() const { return bytes_; }
  std::size_t size() const { return entries_.size(); }

 private:
  struct Expected {  ///< not held, a load is to bring it
    LoadId by;
  };
  struct Entry {
    StreamName name;
    std::variant<Expected, HeldStream, HeldClaim, HeldKey> fact;
    Moment touched = 0;
    std::size_t bytes = 0;
    Entry* newer = nullptr;  ///< the list by touch, of held facts only
    Entry* older = nullptr;

    bool held() const { return !std::holds_alternative<Expected>(fact); }
  };

  /// Claims and keys are held under names that no stream has.
  static StreamName name_of(ClaimKey claim) { return {"?claim", claim.uuid}; }
  static StreamName name_of(IdempotencyKey key) { return {"?key", key.uuid}; }

  static std::optional<StreamSnapshot> due(const StreamName& name, HeldStream& held, EventId last, const SnapshotPace& pace);
  Entry* entry(const StreamName& name) const;
  template <class Fact>
  Fact* look_up(const StreamName& name) const;
  template <class Fact>
  void hold(const StreamName& name, Fact fact);
  LoadId expect_fact(const StreamName& name, LoadId load);
  bool expects(const StreamName& name, LoadId load) const;
  void forget_expected(const StreamName& name, LoadId load);
  void erase(const StreamName& name);
  void count(Entry& entry);
  void touch(Entry& entry) const;
  void link(Entry& entry) const;
  void unlink(Entry& entry) const;

  MakeState make_state_;
  boost::unordered_flat_map<StreamName, std::unique_ptr<Entry>, std::hash<StreamName>> entries_;
  mutable Entry* newest_ = nullptr;
  mutable Entry* oldest_ = nullptr;
  Moment moment_ = 1;
  std::size_t bytes_ = 0;
};

/// How a command says what it must know: it looks at each fact; what is not held is noted, loaded, and the command asked again.
/// What it looks up later may depend on what it found (claim → stream).
class Needs {
 public:
  Needs(Facts& facts, LoadRequest& missing) : facts_(facts), missing_(missing) {}

  const HeldStream* stream(const StreamName& name) {
    const HeldStream* held = facts_.find(name);
    if (held == nullptr) missing_.streams.push_back(name);
    return held;
  }
  const HeldClaim* claim(ClaimKey key) {
    const HeldClaim* held = facts_.find(key);
    if (held == nullptr) missing_.claims.push_back(key);
    return held;
  }
  /// A stream whose id was minted at the edge for this command, so that the log cannot know it: held at once, empty.
  const HeldStream* fresh(const StreamName& name) {
    facts_.put_fresh(name);
    return facts_.find(name);
  }
  /// How much is missing so far. Who has a long list to look at stops at a bound, and goes on when asked again.
  std::size_t missing() const { return missing_.streams.size() + missing_.claims.size(); }
  /// What is held now, for looking further from a fact just found.
  const Facts& facts() const { return facts_; }

 private:
  Facts& facts_;
  LoadRequest& missing_;
};

}  // namespace bloomwatch
