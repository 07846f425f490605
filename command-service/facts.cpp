// The writer's memory: one map of facts and one list by touch.
// Expected facts are in the map but not in the list, so they are neither dropped nor evicted.
#include "command-service/facts.h"

#include <algorithm>
#include <utility>

#include "runtime/invariant.h"

namespace bloomwatch {

std::string StreamState::snapshot() const {
  invariant(false, "a state without a shape has no snapshot");
  return {};
}

void StreamState::restore(std::string_view) { invariant(false, "a state without a shape has no snapshot"); }

const HeldStream& Facts::stream(const StreamName& stream) const {
  const HeldStream* held = find(stream);
  invariant(held != nullptr, "a decision looks only at streams that it asked for in needs()");
  return *held;
}

const HeldClaim& Facts::claim(ClaimKey claim) const {
  const HeldClaim* held = find(claim);
  invariant(held != nullptr, "a decision looks only at claims that it asked for in needs()");
  return *held;
}

HeldStream& Facts::changing(const StreamName& stream) {
  HeldStream* held = look_up<HeldStream>(stream);
  invariant(held != nullptr, "a decision writes only to streams that it asked for in needs()");
  return *held;
}

void Facts::put_fresh(const StreamName& stream) {
  const Entry* known = entry(stream);
  if (known == nullptr || !known->held()) hold(stream, HeldStream{make_state_(stream.category), 0});
}

void Facts::put(ClaimKey claim, std::optional<ClaimHolder> holder) { hold(name_of(claim), HeldClaim{std::move(holder)}); }

void Facts::put(IdempotencyKey key, std::optional<IdempotencyRecord> record) { hold(name_of(key), HeldKey{std::move(record)}); }

void Facts::set_version(const StreamName& stream, Version version) {
  changing(stream).version = version;
  count(*entry(stream));
}

std::optional<StreamSnapshot> Facts::due_snapshot(const StreamName& stream, EventId last, const SnapshotPace& pace) {
  return due(stream, changing(stream), last, pace);
}

std::optional<StreamSnapshot> Facts::due(const StreamName& name, HeldStream& held, EventId last, const SnapshotPace& pace) {
  const Version since = held.version - held.snapshot;
  if (since < pace.every || since < pace.every + static_cast<Version>(held.state->bytes() / pace.event_bytes)) return std::nullopt;
  const std::optional<std::int32_t> shape = held.state->snapshot_shape();
  if (!shape) return std::nullopt;
  held.snapshot = held.version;
  return StreamSnapshot{name, held.version, last, *shape, held.state->snapshot()};
}

LoadId Facts::expect_fact(const StreamName& name, LoadId load) {
  auto [place, added] = entries_.try_emplace(name);
  if (added) place->second = std::make_unique<Entry>(Entry{.name = name, .fact = Expected{load}});
  const Expected* expected = std::get_if<Expected>(&place->second->fact);
  return expected == nullptr ? load : expected->by;
}

bool Facts::expects(const StreamName& name, LoadId load) const {
  const Entry* known = entry(name);
  const Expected* expected = known == nullptr ? nullptr : std::get_if<Expected>(&known->fact);
  return expected != nullptr && expected->by == load;
}

std::vector<StreamSnapshot> Facts::take(LoadId load, const LoadRequest& asked, const LoadResult& result,
                                        const std::optional<SnapshotPace>& pace) {
  struct Loaded {
    HeldStream held;
    EventId last = {};
  };
  boost::unordered_flat_map<StreamName, Loaded, std::hash<StreamName>> streams;
  for (const StreamName& name : asked.streams)
    if (expects(name, load)) streams.try_emplace(name, Loaded{HeldStream{make_state_(name.category), 0}});
  for (const StreamSnapshot& snapshot : result.snapshots) {
    const auto place = streams.find(snapshot.stream);
    if (place == streams.end()) continue;
    HeldStream& held = place->second.held;
    held.state->restore(snapshot.state);
    held.version = held.snapshot = snapshot.version;
  }
  for (const RecordedEvent& event : result.events) {
    const auto place = streams.find(event.meta.stream);
    if (place == streams.end()) continue;
    HeldStream& held = place->second.held;
    invariant(event.meta.version == held.version + 1, "a load brings whole streams, their versions dense");
    held.state->apply(event);
    held.version = event.meta.version;
    place->second.last = event.meta.event_id;
  }
  std::vector<StreamSnapshot> snapshots;
  for (auto& [name, loaded] : streams) {
    if (auto snapshot = pace ? due(name, loaded.held, loaded.last, *pace) : std::nullopt) snapshots.push_back(std::move(*snapshot));
    hold(name, std::move(loaded.held));
  }
  for (const ClaimChange& claim : result.claims)
    if (expects(name_of(claim.key), load)) put(claim.key, claim.holder);
  for (const IdempotencyRecord& record : result.idempotency)
    if (expects(name_of(record.key), load)) put(record.key, record);
  for (const ClaimKey claim : asked.claims)
    if (expects(name_of(claim), load)) put(claim, std::nullopt);
  for (const IdempotencyKey key : asked.keys)
    if (expects(name_of(key), load)) put(key, std::nullopt);
  return snapshots;
}

void Facts::give_up(LoadId load, const LoadRequest& asked) {
  for (const StreamName& stream : asked.streams) forget_expected(stream, load);
  for (const ClaimKey claim : asked.claims) forget_expected(name_of(claim), load);
  for (const IdempotencyKey key : asked.keys) forget_expected(name_of(key), load);
}

void Facts::forget_expected(const StreamName& name, LoadId load) {
  if (expects(name, load)) entries_.erase(name);
}

void Facts::drop_since(Moment moment) {
  while (newest_ != nullptr && newest_->touched >= moment) erase(newest_->name);
}

void Facts::drop(const StreamName& stream) {
  const Entry* known = entry(stream);
  if (known != nullptr && known->held()) erase(stream);
}

void Facts::drop_claims_and_keys() {
  for (Entry* next = newest_; next != nullptr;) {
    const Entry& here = *std::exchange(next, next->older);
    if (!std::holds_alternative<HeldStream>(here.fact)) erase(here.name);
  }
}

void Facts::clear() {
  entries_.clear();
  newest_ = oldest_ = nullptr;
  bytes_ = 0;
}

std::size_t Facts::evict(std::size_t bytes_max, Moment protect) {
  std::size_t evicted = 0;
  while (bytes_ > bytes_max && oldest_ != nullptr && oldest_->touched < protect) {
    erase(oldest_->name);
    ++evicted;
  }
  return evicted;
}

Facts::Entry* Facts::entry(const StreamName& name) const {
  const auto place = entries_.find(name);
  return place == entries_.end() ? nullptr : place->second.get();
}

template <class Fact>
Fact* Facts::look_up(const StreamName& name) const {
  Entry* known = entry(name);
  if (known == nullptr || !known->held()) return nullptr;
  touch(*known);
  return &std::get<Fact>(known->fact);
}

// Defined here, where the types are known; used by the header's inline functions.
template HeldStream* Facts::look_up(const StreamName&) const;
template HeldClaim* Facts::look_up(const StreamName&) const;
template HeldKey* Facts::look_up(const StreamName&) const;

template <class Fact>
void Facts::hold(const StreamName& name, Fact fact) {
  auto [place, added] = entries_.try_emplace(name);
  if (added) place->second = std::make_unique<Entry>(Entry{.name = name, .fact = Expected{0}});
  Entry& entry = *place->second;
  if (entry.held()) unlink(entry);
  entry.fact = std::move(fact);
  entry.touched = moment_;
  link(entry);
  count(entry);
}

void Facts::erase(const StreamName& name) {
  const auto place = entries_.find(name);
  Entry& entry = *place->second;
  unlink(entry);
  bytes_ -= entry.bytes;
  entries_.erase(place);
}

void Facts::count(Entry& entry) {
  constexpr std::size_t overhead = sizeof(Entry) + sizeof(StreamName) + 64;  // the entry, its place in the map, what the allocator adds
  bytes_ -= entry.bytes;
  entry.bytes = overhead;
  if (const HeldStream* stream = std::get_if<HeldStream>(&entry.fact)) entry.bytes += stream->state->bytes();
  bytes_ += entry.bytes;
}

void Facts::touch(Entry& entry) const {
  if (entry.touched == moment_) return;
  unlink(entry);
  entry.touched = moment_;
  link(entry);
}

void Facts::link(Entry& entry) const {
  entry.newer = nullptr;
  entry.older = newest_;
  (newest_ == nullptr ? oldest_ : newest_->newer) = &entry;
  newest_ = &entry;
}

void Facts::unlink(Entry& entry) const {
  (entry.newer == nullptr ? newest_ : entry.newer->older) = entry.older;
  (entry.older == nullptr ? oldest_ : entry.older->newer) = entry.newer;
}

}  // namespace bloomwatch
