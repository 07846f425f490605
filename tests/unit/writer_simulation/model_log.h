// The log as the simulation has it: the same promises as the one in Postgres, in a vector; what is appended is seen at once, and kept once
// it was flushed. And the oracle: the fold of that log, which knows at every position what a decider would have said there. Everything that
// is appended is checked against it on the spot.
#pragma once

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>
#include <unordered_map>
#include <vector>

#include "command-service/recorded_keys.h"
#include "events/batch.h"
#include "tests/unit/writer_simulation/bank.h"

namespace bloomwatch::simulation {

/// Something that must always hold did not.
struct Violation : std::runtime_error {
  using std::runtime_error::runtime_error;
};

inline void must(bool holds, const char* rule) {
  if (!holds) [[unlikely]]
    throw Violation(rule);
}

/// A command as its client knows it.
struct Command {
  Wish wish;
  std::optional<IdempotencyKey> key;
  std::array<std::uint8_t, 16> body_mac = {};
  Uuid id;
  Position submitted_at = 0;  ///< the log's head then
  bool answered = false;
  bool must_not_happen = false;  ///< it was answered that nothing was done
  Position last_event = 0;       ///< in the log, if it is there
  Version version = 0;           ///< of the answer's stream after it
};

/// The fold of the log up to a position.
struct World {
  std::array<Account, accounts_max> accounts;
  std::array<Version, accounts_max> versions = {};
  std::array<std::optional<ClaimHolder>, names_max> names;

  const Account& account(int number) const { return accounts[static_cast<std::size_t>(number)]; }
  std::optional<ClaimHolder> holder(int name) const { return names[static_cast<std::size_t>(name)]; }
};

class ModelLog {
 public:
  explicit ModelLog(Version stream_length_max) : stream_length_max_(stream_length_max) { worlds_.emplace_back(); }

  std::map<std::uint64_t, Command> commands;  ///< by number of their id

  LogPoint head() const {
    if (events_.empty()) return {};
    return {position(), events_.back().meta.event_id, events_.back().meta.recorded_at};
  }
  Position position() const { return static_cast<Position>(events_.size()); }
  const World& world(Position position) const { return worlds_.at(static_cast<std::size_t>(position)); }
  const IdempotencyRecord* record(IdempotencyKey key) const {
    const auto place = keys_.find(key);
    return place == keys_.end() ? nullptr : &place->second;
  }
  bool on_disk(Position position) const { return position <= on_disk_; }
  bool on_disk(IdempotencyKey key) const { return keys_.contains(key) && !unflushed_keys_.contains(key); }
  Time recorded_at(Position position) const {
    return position == 0 ? Time{} : events_.at(static_cast<std::size_t>(position - 1)).meta.recorded_at;
  }

  /// What the writer's statement does: all or nothing, and only behind the fence.
  AppendResult append(const Batch& batch, bool fails_with_data_error) {
    if (fails_with_data_error || has_poison(batch)) return AppendResult::data_error;
    if (!fence_holds(batch.fence)) return AppendResult::fence_lost;
    for (const IdempotencyRecord& record : batch.idempotency)
      if (keys_.contains(record.key)) return AppendResult::fence_lost;
    apply(batch);
    return AppendResult::committed;
  }

  /// All that was appended is on disk.
  void flush() {
    on_disk_ = position();
    unflushed_keys_.clear();
  }

  /// Postgres goes down and comes again: what was not on disk has never been. Returns how many events went.
  Position crash() {
    const Position lost = position() - on_disk_;
    for (Position p = on_disk_; p < position(); ++p) {
      Command& command = commands.at(number_in(events_[static_cast<std::size_t>(p)].meta.by.command.uuid));
      command.last_event = command.version = 0;
    }
    for (auto& [number, command] : commands) command.submitted_at = std::min(command.submitted_at, on_disk_);
    events_.resize(static_cast<std::size_t>(on_disk_));
    worlds_.resize(static_cast<std::size_t>(on_disk_) + 1);
    claims_ = worlds_.back().names;
    // Written after the events that they know, so they go with them.
    std::erase_if(snapshots_, [&](const auto& kept) {
      return kept.second.version > worlds_.back().versions[static_cast<std::size_t>(account_of(kept.first.id))];
    });
    for (const IdempotencyKey key : unflushed_keys_) keys_.erase(key);
    unflushed_keys_.clear();
    return lost;
  }

  LoadResult load(const LoadRequest& request) const {
    LoadResult result{.as_of = position(), .events = {}};
    std::map<StreamName, Version> begins;
    for (const StreamName& stream : request.streams) {
      const auto kept = snapshots_.find(stream);
      begins[stream] = kept == snapshots_.end() ? 0 : kept->second.version;
      if (kept != snapshots_.end()) result.snapshots.push_back(kept->second);
    }
    for (const RecordedEvent& event : events_) {
      const auto wanted = begins.find(event.meta.stream);
      if (wanted != begins.end() && event.meta.version > wanted->second) result.events.push_back(event);
    }
    for (const ClaimKey claim : request.claims) result.claims.push_back({claim, claims_[static_cast<std::size_t>(name_of(claim))]});
    for (const IdempotencyKey key : request.keys)
      if (const IdempotencyRecord* known = record(key)) result.idempotency.push_back(*known);
    return result;
  }

  /// What the keeper's statement does: only where the log has the snapshot's event, and never back. Returns whether it was kept.
  bool keep(const StreamSnapshot& snapshot) {
    const auto event = std::ranges::find(events_, snapshot.event_id, [](const RecordedEvent& each) { return each.meta.event_id; });
    if (event == events_.end()) return false;
    must(event->meta.stream == snapshot.stream && event->meta.version == snapshot.version, "a snapshot names the last event it knows");
    must(snapshot.state == in_words(world(event->meta.position).account(account_of(snapshot.stream.id))),
         "a snapshot is the fold of its stream");
    StreamSnapshot& kept = snapshots_[snapshot.stream];
    if (kept.version >= snapshot.version) return false;
    kept = snapshot;
    return true;
  }

  std::vector<IdempotencyKey> recorded_keys(const KeyPage& page) const {
    std::vector<IdempotencyKey> keys;
    for (auto next = keys_.upper_bound(page.after); next != keys_.end() && keys.size() < page.limit; ++next) keys.push_back(next->first);
    return keys;
  }

  Tail tail(const LogPoint& after, std::size_t events_max) const {
    Tail tail{.head = head(), .events = {}, .whole = true};
    const auto first = events_.begin() + static_cast<std::ptrdiff_t>(after.position);
    tail.events.assign(first, events_.end());
    if (tail.events.size() > events_max) {
      tail.events.resize(events_max);
      const Meta& last = tail.events.back().meta;
      tail.head = {last.position, last.event_id, last.recorded_at};
      tail.whole = false;
    }
    return tail;
  }

  /// What a decider says of a wish at a position; nothing: it throws.
  std::optional<Outcome> verdict(const Wish& wish, Position at, Time recorded_at) const {
    if (wish.kind == WishKind::throw_up) return std::nullopt;
    Outcome outcome = decide(wish, world(at), recorded_at);
    std::array<Version, accounts_max> versions = world(at).versions;
    for (const Happened& event : outcome.events)
      if (++versions[static_cast<std::size_t>(event.account)] >
          stream_length_max_ + (always_fits(event.type) ? WriterLimits().stream_reserve : 0))
        return Outcome{.refusal = "stream_full", .account = outcome.account};
    return outcome;
  }

 private:
  static bool has_poison(const Batch& batch) {
    for (const NewEvent& event : batch.events)
      if (event.type == poisoned) return true;
    return false;
  }

  bool fence_holds(const LogPoint& fence) const { return fence.position == position() && fence.event_id == head().event_id; }

  void apply(const Batch& batch) {
    std::set<std::uint64_t> seen;
    for (std::size_t i = 0; i < batch.events.size();) {
      const std::uint64_t number = number_in(batch.events[i].by.command.uuid);
      must(seen.insert(number).second, "a batch holds each command once, its events together");
      i += apply_command(batch, i, number);
    }
    apply_claims(batch);
    for (const IdempotencyRecord& record : batch.idempotency) {
      must(keys_.emplace(record.key, record).second, "a key is recorded once");
      unflushed_keys_.insert(record.key);
    }
  }

  /// One command's events must be what its decider says at this very point of the log.
  std::size_t apply_command(const Batch& batch, std::size_t first, std::uint64_t number) {
    Command& command = commands.at(number);
    must(command.last_event == 0, "a command is in the log once (invariant 3)");
    must(!command.must_not_happen, "a command that was answered as not done never appears in the log");
    const Time recorded_at = batch.events[first].recorded_at;
    const std::optional<Outcome> expected = verdict(command.wish, position(), recorded_at);
    must(expected.has_value() && !expected->events.empty(),
         "a decision never rests on a past that has moved: here it would have no events");
    std::size_t i = 0;
    for (const Happened& event : expected->events) {
      must(first + i < batch.events.size(), "a command's events are appended whole");
      append_event(batch.events[first + i++], event, command, number);
    }
    command.last_event = position();
    command.version = world(position()).versions[static_cast<std::size_t>(expected->account)];
    if (command.key) check_record(batch, command, number, *expected);
    return i;
  }

  void append_event(const NewEvent& event, const Happened& expected, const Command&, std::uint64_t number) {
    must(number_in(event.by.command.uuid) == number, "a command's events are appended together");
    const Happened actual{account_of(event.stream.id), event.type, argument_in(event.data)};
    must(actual == expected, "a decision never rests on a past that has moved: here it would have other events");
    must(event_ids_.insert(event.event_id).second, "an event id is used once");
    must(event.recorded_at >= head().recorded_at, "recorded-at never decreases (invariant 2)");
    World world = worlds_.back();
    const auto account = static_cast<std::size_t>(expected.account);
    must(event.version == ++world.versions[account], "versions within a stream are dense (invariant 2)");
    world.accounts[account].evolve(event.type, expected.argument);
    must(world.accounts[account].balance >= 0, "no account is overdrawn");
    fold_name(world, expected, event.recorded_at);
    RecordedEvent& recorded = events_.emplace_back();
    recorded.meta.position = position();
    recorded.meta.stream = event.stream;
    recorded.meta.version = event.version;
    recorded.meta.event_id = event.event_id;
    recorded.meta.recorded_at = event.recorded_at;
    recorded.meta.by = event.by;
    recorded.type = event.type;
    recorded.data = event.data;
    worlds_.push_back(world);
  }

  static void fold_name(World& world, const Happened& event, Time recorded_at) {
    const ClaimHolder holder{std::string(account_category), stream_of(event.account).id};
    if (event.type == named) {
      auto& name = world.names[static_cast<std::size_t>(event.argument)];
      must(!name || (name->id == holder.id && name->retired_at), "a name has one holder");
      name = holder;
    }
    if (event.type == unnamed) world.names[static_cast<std::size_t>(event.argument)].reset();
    if (event.type == name_retired) {
      world.names[static_cast<std::size_t>(event.argument)] = holder;
      world.names[static_cast<std::size_t>(event.argument)]->retired_at = recorded_at;
    }
  }

  void apply_claims(const Batch& batch) {
    std::set<ClaimKey> changed;
    for (const ClaimChange& change : batch.claims) {
      must(changed.insert(change.key).second, "one net change per claim and batch");
      auto& holder = claims_[static_cast<std::size_t>(name_of(change.key))];
      must(holder != change.holder, "a claim that ends as it began is not written");
      holder = change.holder;
    }
    must(claims_ == worlds_.back().names, "claims are the fold of the log");
  }

  static void check_record(const Batch& batch, const Command& command, std::uint64_t number, const Outcome& outcome) {
    for (const IdempotencyRecord& record : batch.idempotency) {
      if (record.key != *command.key) continue;
      must(number_in(record.command.uuid) == number && record.body_mac == command.body_mac && record.id == command.id &&
               record.version == command.version && record.position == command.last_event && record.refusal == outcome.refusal &&
               record.created == command.wish.creates,
           "an Idempotency-Key records what was answered");
      return;
    }
    must(!outcome.recordable, "an Idempotency-Key is recorded with the events of its command");
  }

  const Version stream_length_max_;
  std::vector<RecordedEvent> events_;
  std::vector<World> worlds_;  ///< by position
  std::array<std::optional<ClaimHolder>, names_max> claims_;
  std::map<IdempotencyKey, IdempotencyRecord> keys_;
  std::map<StreamName, StreamSnapshot> snapshots_;
  Position on_disk_ = 0;
  std::set<IdempotencyKey> unflushed_keys_;
  std::set<EventId> event_ids_;
};

}  // namespace bloomwatch::simulation
