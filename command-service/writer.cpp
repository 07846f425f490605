// The writer's logic, see writer.h. In the order of a command's life: queue, decision, load where something is missing, batch, answer; then
// what happens when a batch fails.
#include "command-service/writer.h"

#include <algorithm>
#include <exception>
#include <iterator>
#include <limits>
#include <ranges>
#include <unordered_map>
#include <utility>

#include "runtime/invariant.h"

namespace bloomwatch {

namespace {

constexpr std::string_view stream_full = "stream_full";

std::size_t facts_in(const LoadRequest& request) { return request.streams.size() + request.claims.size() + request.keys.size(); }

Answer answer_of(Answer::Kind kind) { return {.kind = kind}; }
Answer failed(std::string_view cause) { return {.kind = Answer::Kind::failed, .cause = cause}; }

}  // namespace

/// A batch being filled. Its facts are all touched in the present moment.
struct WriterMachine::OpenBatch {
  Batch batch;
  Time recorded_at = {};
  std::vector<Item> items = {};
  std::size_t bytes = 0;
  /// Each claim changed, with its holder before: only the net change is written.
  std::vector<std::pair<ClaimKey, std::optional<ClaimHolder>>> claims_before = {};

  /// The last event that the next decision rests on.
  Position position() const { return batch.fence.position + static_cast<Position>(batch.events.size()); }
};

WriterMachine::WriterMachine(MakeState make_state, std::function<EventId(Time)> mint, WriterLimits limits)
    : limits_(limits),
      mint_(std::move(mint)),
      facts_(std::move(make_state)),
      recorded_(limits.recorded_keys_max, limits.key_page_max, limits.keys_life) {}

WriterMachine::~WriterMachine() = default;

void WriterMachine::submit(std::unique_ptr<Work> work, Time now) {
  Item item{.work = std::move(work), .arrival = next_arrival_++, .deadline = now + limits_.wait_max};
  ++pending_;
  if (!leading_) return answer(item, answer_of(Answer::Kind::unavailable));
  if (pending_ > limits_.queue_max) return answer(item, answer_of(Answer::Kind::busy));
  queue_.push_back(std::move(item));
}

void WriterMachine::start(const LogPoint& head) {
  invariant(!leading_ && idle(), "a writer starts only when nothing of its last reign is open");
  facts_.clear();
  recorded_.begin();
  confirmed_ = last_ = head;
  floor_ = head.position;
  leading_ = true;
}

void WriterMachine::stop() {
  if (!leading_) return;
  leading_ = false;
  const auto turn_away = [&](auto& items) {
    for (Item& item : items) answer(item, answer_of(Answer::Kind::unavailable));
  };
  turn_away(ready_);
  turn_away(queue_);
  for (OpenLoad& load : loads_) turn_away(load.waiting);
  for (OpenLoad& load : gathering_) turn_away(load.waiting);
  ready_.clear();
  queue_.clear();
  loads_.clear();
  gathering_.clear();
  facts_.clear();
  recorded_.end();
  if (recovery_ == Recovery::wants_tail && nobody_in_doubt()) settle_doubts();
}

WriterOutputs WriterMachine::step(Time now) {
  WriterOutputs out;
  out.snapshots = std::exchange(snapshots_, {});
  if (recovery_ == Recovery::wants_tail) {
    recovery_ = Recovery::waits_for_tail;
    out.read_tail = confirmed_;
  }
  if (!leading_ || recovery_ != Recovery::none) return out;
  recorded_.grow_old(now);
  out.key_page = recorded_.next_page();
  while (worth_a_batch()) {
    OpenBatch open{.batch = {.fence = last_, .events = {}, .claims = {}, .idempotency = {}},
                   .recorded_at = std::max(now, last_.recorded_at)};
    fill(open, now);
    if (!open.items.empty()) send(open, out);
  }
  issue_loads(out);
  if (facts_.bytes() > limits_.memory_bytes_max)
    counters_.facts_evicted += facts_.evict(limits_.memory_bytes_max, oldest_moment_that_matters());
  return out;
}

/// A small batch behind another would only wait for the same disk, while more commands could have gathered for it.
std::size_t WriterMachine::batch_commands_least() const {
  if (in_flight_.empty()) return 1;
  if (in_flight_.size() >= limits_.batches_in_flight_max) return std::numeric_limits<std::size_t>::max();
  return std::min(limits_.pipelined_commands_min, limits_.batch_commands_max);
}

bool WriterMachine::worth_a_batch() const { return ready_.size() + queue_.size() >= batch_commands_least(); }

std::size_t WriterMachine::commands_wanted() const {
  const std::size_t waiting = ready_.size() + queue_.size();
  return std::max(batch_commands_least(), waiting + 1) - waiting;
}

// Deciding.

/// Takes commands until the batch is full or nobody is left. One whose batches failed twice with a data error travels alone.
void WriterMachine::fill(OpenBatch& open, Time now) {
  const auto alone = [](const Item& item) { return item.data_errors >= 2; };
  while (open.items.size() < limits_.batch_commands_max && open.bytes < limits_.batch_bytes_max) {
    std::deque<Item>& source = ready_.empty() ? queue_ : ready_;
    if (source.empty()) return;
    if (alone(source.front()) && !open.items.empty()) return;
    Item item = std::move(source.front());
    source.pop_front();
    switch (consider(item, open, now)) {
      case Verdict::gone:
        break;
      case Verdict::taken:
        open.items.push_back(std::move(item));
        if (alone(open.items.back())) return;
        break;
      case Verdict::batch_full:
        source.push_front(std::move(item));
        return;
    }
  }
}

WriterMachine::Verdict WriterMachine::consider(Item& item, OpenBatch& open, Time now) {
  const CommandFrame& frame = item.work->frame;
  if (now > item.deadline) {
    answer(item, answer_of(Answer::Kind::unavailable));
    return Verdict::gone;
  }
  missing_ = {};
  Needs needs(facts_, missing_);
  const HeldKey* held = frame.key ? facts_.find(*frame.key) : nullptr;
  if (held != nullptr && held->record) return repeat(item, open, *held->record);
  const bool unknown_key = frame.key && held == nullptr;
  item.work->needs(needs);
  // With other facts it is loaded whatever the filter says: so two commands with one key keep their order.
  if (unknown_key && (facts_in(missing_) != 0 || recorded_.may_hold(*frame.key))) miss_key(*frame.key);
  if (facts_in(missing_) == 0) {
    counters_.fresh_keys += unknown_key;
    return decide(item, open);
  }
  if (facts_in(missing_) > limits_.command_facts_max)
    answer(item, failed("it asks for more facts than a command may"));
  else
    wait_for_load(item);
  return Verdict::gone;
}

/// The command's key came before, in the log or in a batch on its way there. The answer waits for this batch all the same.
WriterMachine::Verdict WriterMachine::repeat(Item& item, OpenBatch& open, const IdempotencyRecord& record) {
  const CommandFrame& frame = item.work->frame;
  item.has_events = false;
  item.from_record = true;
  item.refusal = record.refusal;
  item.answer = {.kind = record.refusal.empty() ? Answer::Kind::done : Answer::Kind::refused,
                 .command = record.command,
                 .repeated = record.command != frame.by.command,
                 .id = record.id,
                 .created = record.created,
                 .version = record.version,
                 .position = record.position};
  if (record.body_mac != frame.body_mac) item.answer = {.kind = Answer::Kind::key_reused, .position = open.position()};
  ++counters_.repeats;
  return Verdict::taken;
}

WriterMachine::Verdict WriterMachine::decide(Item& item, OpenBatch& open) {
  Decided decided;
  try {
    decided = item.work->decide(facts_, open.recorded_at);
  } catch (const std::exception& error) {
    answer(item, failed(error.what()));
    return Verdict::gone;
  }
  if (decided.events.size() > limits_.command_events_max) {
    answer(item, failed("it decided on more events than a command may"));
    return Verdict::gone;
  }
  if (lacks_a_look(item, decided)) {
    missing_ = {};
    miss_key(*item.work->frame.key);
    wait_for_load(item);
    return Verdict::gone;
  }
  std::size_t bytes = 0;
  for (const NewEvent& event : decided.events) bytes += event.data.size();
  if (!open.items.empty() && open.bytes + bytes > limits_.batch_bytes_max) return Verdict::batch_full;
  open.bytes += bytes;
  return take(item, open, std::move(decided));
}

/// An outcome that is not recorded has no index to contradict it: its key is looked up after all, as a recorded one would win.
bool WriterMachine::lacks_a_look(const Item& item, const Decided& decided) const {
  const auto& key = item.work->frame.key;
  return key && !decided.recordable && facts_.find(*key) == nullptr;
}

/// The decision is good: memory goes on as if it were in the log already.
WriterMachine::Verdict WriterMachine::take(Item& item, OpenBatch& open, Decided decided) {
  invariant(decided.claims.empty() || !decided.events.empty(), "claims change only by an event that carries their key");
  if (!complete(item, open, decided.events)) decided = {.stream = decided.stream, .id = decided.id, .refusal = stream_full};
  std::vector<NewEvent>& events = open.batch.events;
  const std::size_t first = events.size();
  std::move(decided.events.begin(), decided.events.end(), std::back_inserter(events));
  if (events.size() > first) {
    const std::span<const NewEvent> taken(events.begin() + static_cast<std::ptrdiff_t>(first), events.end());
    item.work->evolve(facts_, taken);
    for (const NewEvent& event : taken) facts_.set_version(event.stream, event.version);
    change_claims(decided.claims, open);
  }
  const HeldStream* stream = facts_.find(decided.stream);
  item.has_events = events.size() > first;
  item.from_record = false;
  item.refusal = decided.refusal;
  item.answer = {.kind = decided.refusal.empty() ? Answer::Kind::done : Answer::Kind::refused,
                 .command = item.work->frame.by.command,
                 .id = decided.id,
                 .created = decided.created,
                 .version = stream == nullptr ? 0 : stream->version,
                 .position = open.position()};
  if (const auto& key = item.work->frame.key; key && decided.recordable) record(item, *key, open);
  return Verdict::taken;
}

/// Fills in what the machine knows. False: a stream would grow beyond its limit.
bool WriterMachine::complete(const Item& item, const OpenBatch& open, std::vector<NewEvent>& events) const {
  for (std::size_t i = 0; i < events.size(); ++i) {
    NewEvent& event = events[i];
    const auto same_stream = [&](const NewEvent& other) { return other.stream == event.stream; };
    const auto before = std::find_if(std::reverse_iterator(events.begin() + static_cast<std::ptrdiff_t>(i)), events.rend(), same_stream);
    const HeldStream& stream = facts_.stream(event.stream);
    event.version = (before == events.rend() ? stream.version : before->version) + 1;
    const Version length_max = std::min(limits_.stream_length_max, stream.state->length_max().value_or(limits_.stream_length_max));
    if (event.version > length_max + (event.always_fits ? limits_.stream_reserve : 0)) return false;
    event.event_id = mint_(open.recorded_at);
    event.recorded_at = open.recorded_at;
    event.by = item.work->frame.by;
  }
  return true;
}

void WriterMachine::change_claims(const std::vector<ClaimChange>& changes, OpenBatch& open) {
  for (const ClaimChange& change : changes) {
    const std::optional<ClaimHolder>& before = facts_.claim(change.key).holder;
    const auto same_key = [&](const auto& known) { return known.first == change.key; };
    if (std::none_of(open.claims_before.begin(), open.claims_before.end(), same_key)) open.claims_before.emplace_back(change.key, before);
    facts_.put(change.key, change.holder);
  }
}

void WriterMachine::record(const Item& item, IdempotencyKey key, OpenBatch& open) {
  const CommandFrame& frame = item.work->frame;
  open.batch.idempotency.push_back({.key = key,
                                    .body_mac = frame.body_mac,
                                    .command = frame.by.command,
                                    .id = item.answer.id,
                                    .version = item.answer.version,
                                    .position = item.answer.position,
                                    .refusal = item.refusal,
                                    .created = item.answer.created});
  facts_.put(key, open.batch.idempotency.back());
  recorded_.add(key);  // before the batch is sent: whatever becomes of it, the next look is at the log
}

void WriterMachine::send(OpenBatch& open, WriterOutputs& out) {
  for (const auto& [key, before] : open.claims_before) {
    const std::optional<ClaimHolder>& after = facts_.claim(key).holder;
    if (after != before) open.batch.claims.push_back({key, after});
  }
  ++(open.batch.events.empty() ? counters_.fence_checks : counters_.batches);
  counters_.events += open.batch.events.size();
  last_ = open.batch.last();
  std::vector<StreamSnapshot> snapshots = due_snapshots(open.batch.events);
  in_flight_.push_back({.id = next_id_++,
                        .moment = facts_.next_moment(),
                        .last = last_,
                        .items = std::move(open.items),
                        .snapshots = std::move(snapshots),
                        .result = {}});
  out.appends.push_back({in_flight_.back().id, std::move(open.batch)});
}

/// Of the streams of a batch, as it leaves them. From the back: the first event of a stream that is met is its last.
std::vector<StreamSnapshot> WriterMachine::due_snapshots(const std::vector<NewEvent>& events) {
  std::vector<StreamSnapshot> snapshots;
  for (const NewEvent& event : std::ranges::reverse_view(events))
    if (auto due = facts_.due_snapshot(event.stream, event.event_id, limits_.snapshots)) snapshots.push_back(std::move(*due));
  return snapshots;
}

/// What they rest on is in the log.
void WriterMachine::note(std::vector<StreamSnapshot> snapshots) {
  counters_.snapshots += snapshots.size();
  std::ranges::move(snapshots, std::back_inserter(snapshots_));
}

// Loading.

/// What is missing goes into the next load, unless one under way brings it.
void WriterMachine::wait_for_load(Item& item) {
  OpenLoad& next = gathering(facts_in(missing_));
  LoadId awaited = 0;
  const auto ask = [&](const auto& names, auto& asked) {
    for (const auto& name : names) {
      const std::size_t known = facts_.size();
      const LoadId by = facts_.expect(name, next.id);
      if (facts_.size() > known) asked.push_back(name);
      awaited = std::max(awaited, by);
    }
  };
  ask(missing_.streams, next.request.streams);
  ask(missing_.claims, next.request.claims);
  ask(missing_.keys, next.request.keys);
  const auto awaits = [&](const OpenLoad& load) { return load.id == awaited; };
  const auto under_way = std::find_if(loads_.begin(), loads_.end(), awaits);
  OpenLoad& load = under_way != loads_.end() ? *under_way : *std::find_if(gathering_.begin(), gathering_.end(), awaits);
  load.waiting.push_back(std::move(item));
}

/// Notes that the key is to be loaded. Later commands with it wait for the same, even if the filter is whole by then.
void WriterMachine::miss_key(IdempotencyKey key) {
  missing_.keys.push_back(key);
  recorded_.add(key);
}

/// The load that gathers now, with room for so many facts more.
WriterMachine::OpenLoad& WriterMachine::gathering(std::size_t facts) {
  if (gathering_.empty() || facts_in(gathering_.back().request) + facts > limits_.load_facts_max)
    gathering_.push_back({.id = next_id_++, .moment = facts_.moment(), .confirmed = 0, .request = {}, .waiting = {}});
  return gathering_.back();
}

void WriterMachine::issue_loads(WriterOutputs& out) {
  while (!gathering_.empty() && loads_.size() < limits_.loads_in_flight_max) {
    OpenLoad load = std::move(gathering_.front());
    gathering_.pop_front();
    if (facts_in(load.request) == 0) continue;
    load.confirmed = confirmed_.position;
    ++counters_.loads;
    out.loads.push_back({load.id, load.request});
    loads_.push_back(std::move(load));
  }
}

void WriterMachine::loaded(LoadId id, const LoadResult& result) {
  const auto place = std::find_if(loads_.begin(), loads_.end(), [&](const OpenLoad& load) { return load.id == id; });
  if (place == loads_.end()) return;  // of an earlier reign
  OpenLoad load = std::move(*place);
  loads_.erase(place);
  if (result.as_of < std::max(load.confirmed, floor_)) {
    facts_.give_up(id, load.request);
    ++counters_.loads_stale;
  } else {
    note(facts_.take(id, load.request, result, limits_.snapshots));
    counters_.facts_loaded += facts_in(load.request);
  }
  put_back(std::move(load.waiting), load.moment);
}

void WriterMachine::load_failed(LoadId id) { loaded(id, {.as_of = -1, .events = {}, .claims = {}, .idempotency = {}}); }

void WriterMachine::keys_read(const KeyPage& page, const std::optional<std::vector<IdempotencyKey>>& keys) {
  if (keys)
    recorded_.take(page, *keys);
  else
    recorded_.give_up(page);
}

// Settling.

void WriterMachine::append_finished(BatchId id, AppendResult result) {
  const auto place = std::find_if(in_flight_.begin(), in_flight_.end(), [&](const SentBatch& batch) { return batch.id == id; });
  invariant(place != in_flight_.end() && !place->result, "a batch is reported once");
  place->result = result;
  if (result != AppendResult::committed && recovery_ == Recovery::none) recovery_ = Recovery::waits_for_reports;
  settle();
}

void WriterMachine::settle() {
  while (recovery_ == Recovery::none && !in_flight_.empty() && in_flight_.front().result) {
    confirm(in_flight_.front());
    in_flight_.pop_front();
  }
  const auto reported = [](const SentBatch& batch) { return batch.result.has_value(); };
  if (recovery_ == Recovery::waits_for_reports && std::all_of(in_flight_.begin(), in_flight_.end(), reported)) take_back_all();
}

/// A batch may be committed behind one that failed, if that had no events: both have the same fence. What it decided is right, but a repeat
/// in it may have been answered from a record that went down with the other.
void WriterMachine::confirm(SentBatch& batch, bool behind_failed) {
  confirmed_ = batch.last;
  note(std::move(batch.snapshots));
  for (Item& item : batch.items) {
    if (behind_failed && item.from_record)
      doubtful_.push_back(std::move(item));
    else
      answer(item, item.answer);
  }
}

/// Every batch has reported. Those that failed are taken back, and what memory made of them is forgotten.
void WriterMachine::take_back_all() {
  Moment since = std::numeric_limits<Moment>::max();
  for (SentBatch& batch : in_flight_) {
    if (batch.result == AppendResult::committed) {
      confirm(batch, since != std::numeric_limits<Moment>::max());
      continue;
    }
    since = std::min(since, batch.moment);
    counters_.fences_lost += batch.result == AppendResult::fence_lost;
    counters_.connections_lost += batch.result == AppendResult::connection_lost;
    counters_.data_errors += batch.result == AppendResult::data_error;
    if (batch.result == AppendResult::connection_lost) distrust_loads();
    for (Item& item : batch.items) {
      item.in_doubt = batch.result == AppendResult::connection_lost && item.has_events;
      if (batch.result == AppendResult::data_error && ++item.data_errors > 2 && batch.items.size() == 1)
        answer(item, failed("the log refuses its data"));
      else
        doubtful_.push_back(std::move(item));
    }
  }
  in_flight_.clear();
  facts_.drop_since(since);
  recovery_ = Recovery::wants_tail;
  if (!leading_ && nobody_in_doubt()) settle_doubts();
}

/// Postgres may have gone down with events that it had shown to a load and not yet written to disk: no position tells what it saw.
void WriterMachine::distrust_loads() {
  for (OpenLoad& load : loads_) load.confirmed = std::numeric_limits<Position>::max();
}

void WriterMachine::tail(const Tail& tail) {
  invariant(recovery_ == Recovery::waits_for_tail, "a tail is read only when asked for");
  look_in(tail);
  confirmed_ = tail.head;
  floor_ = tail.head.position;  // after each piece: a load may arrive before the next
  if (!tail.whole) {
    recovery_ = Recovery::wants_tail;
    return;
  }
  last_ = tail.head;
  for (Item& item : doubtful_) item.in_doubt = false;
  settle_doubts();
}

/// Finds the commands in doubt by their ids, and forgets what the tail has made stale.
void WriterMachine::look_in(const Tail& tail) {
  std::unordered_map<CommandId, Item*> by_command;
  for (Item& item : doubtful_) by_command.emplace(item.work->frame.by.command, &item);
  bool foreign = false;
  for (const RecordedEvent& event : tail.events) {
    facts_.drop(event.meta.stream);
    const auto place = by_command.find(event.meta.by.command);
    foreign |= place == by_command.end();
    if (place == by_command.end()) continue;
    place->second->found_in_tail = true;  // where its batch put it, so the answer that was decided is right
  }
  if (!tail.events.empty()) facts_.drop_claims_and_keys();
  if (foreign && leading_) recorded_.read_again();
}

/// What is in the log is answered; what is not is decided again before all others, or turned away where we lead no more.
void WriterMachine::settle_doubts() {
  recovery_ = Recovery::none;
  std::vector<Item> again;
  for (Item& item : std::exchange(doubtful_, {})) {
    if (item.found_in_tail) {
      ++counters_.found_in_tail;
      answer(item, item.answer);
    } else if (leading_) {
      again.push_back(std::move(item));
    } else {
      answer(item, answer_of(item.in_doubt ? Answer::Kind::unknown : Answer::Kind::unavailable));
    }
  }
  counters_.decided_again += again.size();
  put_back(std::move(again), facts_.moment());
}

void WriterMachine::tail_unreachable() {
  invariant(!leading_, "who leads goes on asking for the tail");
  if (recovery_ == Recovery::wants_tail || recovery_ == Recovery::waits_for_tail) settle_doubts();
}

bool WriterMachine::nobody_in_doubt() const {
  return std::none_of(doubtful_.begin(), doubtful_.end(), [](const Item& item) { return item.in_doubt; });
}

// Answering.

void WriterMachine::answer(Item& item, Answer answer) {
  if (answer.kind == Answer::Kind::refused) answer.refusal = item.refusal;
  ++counters_.answered;
  --pending_;
  const std::unique_ptr<Work> work = std::move(item.work);
  work->answer(answer);
}

/// Commands that were tried before go before those that were not, in order of arrival.
void WriterMachine::put_back(std::vector<Item> items, Moment pinned) {
  const auto by_arrival = [](const Item& one, const Item& other) { return one.arrival < other.arrival; };
  for (Item& item : items) {
    item.pinned = pinned;
    ready_.push_back(std::move(item));
  }
  if (!std::is_sorted(ready_.begin(), ready_.end(), by_arrival)) std::sort(ready_.begin(), ready_.end(), by_arrival);
}

/// Facts touched since then are newer than what some load may bring, or rest on a batch in flight, or are waited with.
Moment WriterMachine::oldest_moment_that_matters() const {
  Moment oldest = std::numeric_limits<Moment>::max();
  for (const SentBatch& batch : in_flight_) oldest = std::min(oldest, batch.moment);
  for (const OpenLoad& load : loads_) oldest = std::min(oldest, load.moment);
  for (const OpenLoad& load : gathering_) oldest = std::min(oldest, load.moment);
  for (const Item& item : ready_) oldest = std::min(oldest, item.pinned);
  return oldest;
}

}  // namespace bloomwatch
