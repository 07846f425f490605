// The writer: decides commands one after another in memory and appends what they say in batches behind a fence.
// A machine of steps: in go commands, loads, append results and tails; out come batches, loads and answers. No threads, no clock, no I/O,
// so that tests/unit/writer_simulation can drive it through any history. Start at Work, then WriterMachine::step.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "command-service/facts.h"
#include "command-service/recorded_keys.h"
#include "events/batch.h"

namespace bloomwatch {

/// What the writer knows of every command, whatever it wishes. Fixed at the edge.
struct CommandFrame {
  CommandContext by;
  std::optional<IdempotencyKey> key = {};      ///< (scope, Idempotency-Key), hashed
  std::array<std::uint8_t, 16> body_mac = {};  ///< of method, path, query and body; looked at only with a key
};

/// What one command decided. Accepted (events), quiet (neither), refused, or refused with events that remember why.
struct Decided {
  /// In their order. The decision fills stream, type, schema_version, partition_key, undoes and data; the machine version, event_id,
  /// recorded_at and by.
  std::vector<NewEvent> events = {};
  /// Claims taken (a holder), retired (a holder with `retired_at`) or released (none). Only beside events, which carry the keys; every key
  /// was asked for in `needs`.
  std::vector<ClaimChange> claims = {};
  StreamName stream = {};         ///< whose version the answer tells
  Uuid id = {};                   ///< the answer's `id`
  bool created = false;           ///< 201
  std::string_view refusal = {};  ///< the stable name, static storage; empty: accepted or quiet
  bool recordable = true;         ///< whether an Idempotency-Key remembers this outcome (not 400, 401, 429, 503)
};

/// How a command ended.
struct Answer {
  enum class Kind {
    done,         ///< accepted, or quiet: it is so, durably
    refused,      ///< a rule said no; `refusal` names it
    key_reused,   ///< the Idempotency-Key came before with another body (422)
    busy,         ///< the queue is full: nothing was done; 503 with Retry-After
    unavailable,  ///< nothing was done: not the writer, or too late; 503 with Retry-After
    unknown,      ///< it may or may not be done: repeat it with the same Idempotency-Key; 503
    failed,       ///< nothing was done: the log refuses its data, or its decider threw; 500 with an incident
  } kind = Kind::done;

  // Of `done` and `refused`:
  CommandId command = {};         ///< this command, or the one that first came with this key: one-time secrets are made from it
  bool repeated = false;          ///< the recorded outcome of an earlier command with this key
  Uuid id = {};                   ///< as decided
  bool created = false;           ///< as decided
  Version version = 0;            ///< of the stream that the answer speaks of
  Position position = 0;          ///< of the command's last event; without events the point of the log that the answer is true at
  std::string_view refusal = {};  ///< lives during the call

  std::string_view cause = {};  ///< of `failed`, for the log; lives during the call
};

/// One command on its way. Implemented once by the typed dispatch and once by the simulation. Called by the machine's thread only.
class Work {
 public:
  explicit Work(CommandFrame command_frame) : frame(std::move(command_frame)) {}
  virtual ~Work() = default;

  /// Looks at every fact that the decision will look at. Asked again after each load until nothing is missing; then follows `decide`, at
  /// once.
  virtual void needs(Needs& needs) const = 0;
  /// Decides. Pure: may be asked several times, and each time may decide otherwise. `recorded_at` is when the events will say they were.
  /// An exception answers `failed`.
  virtual Decided decide(const Facts& facts, Time recorded_at) = 0;
  /// Applies the events just decided to the states of their streams, before the next command looks at them. `events` are those of the last
  /// decision, now whole. Versions are the machine's business. Must not throw.
  virtual void evolve(Facts& facts, std::span<const NewEvent> events) = 0;
  /// The outcome, exactly once; nothing is called after it.
  virtual void answer(const Answer& answer) = 0;

  const CommandFrame frame;
};

/// The machine's limits. Everything that can grow has one.
struct WriterLimits {
  std::size_t queue_max = 16'384;              ///< commands that wait, for their turn or for a load; more are answered `busy`
  std::chrono::milliseconds wait_max{10'000};  ///< for them; a command that is not decided by then is answered `unavailable`
  std::size_t batch_commands_max = 128;        ///< an unlimited batch makes everything run in lock-step
  std::size_t batch_bytes_max = 4 << 20;       ///< of event data; one command alone may exceed it
  std::size_t batches_in_flight_max = 4;
  std::size_t pipelined_commands_min = 32;  ///< so many wait before a batch follows another that is in flight
  std::size_t loads_in_flight_max = 2;
  std::size_t load_facts_max = 1'024;               ///< of one load; more wait for the next
  std::size_t command_facts_max = 512;              ///< that one command may ask for at once; more answers `failed`
  std::size_t memory_bytes_max = 256 << 20;         ///< of facts; exceeded only by what is in use
  Version stream_length_max = 100'000;              ///< a command that would make a stream longer is refused `stream_full`
  Version stream_reserve = 10'000;                  ///< beyond it, for events that always fit
  std::size_t command_events_max = 1'000;           ///< more answers `failed`
  SnapshotPace snapshots = {};                      ///< of streams
  std::size_t recorded_keys_max = 8 << 20;          ///< of a day, in the filter (two days of 16 MiB); more cost more and more loads
  std::size_t key_page_max = 5'000;                 ///< keys read at once to fill the filter
  std::chrono::hours keys_life = idempotency_life;  ///< how long the filter knows a key at least
};

using BatchId = std::uint64_t;

/// What the caller is to do after a step. Batches go to the log in this order, through one pipeline.
struct WriterOutputs {
  struct Append {
    BatchId id;
    Batch batch;
  };
  struct Load {
    LoadId id;
    LoadRequest request;
  };
  std::vector<Append> appends;
  std::vector<Load> loads;
  /// To be kept when there is time, and only where the log has their events; any may be lost.
  std::vector<StreamSnapshot> snapshots;
  /// Read this page of the recorded keys and call `keys_read`.
  std::optional<KeyPage> key_page;
  /// Read the log after this point and call `tail`. After a lost connection, end the old backend first: nothing of it may be applied later.
  std::optional<LogPoint> read_tail;
};

/// What the machine counted since it was made. For metrics.
struct WriterCounters {
  std::uint64_t answered = 0, events = 0, batches = 0, fence_checks = 0, loads = 0, facts_loaded = 0, facts_evicted = 0, repeats = 0,
                fresh_keys = 0, snapshots = 0;
  std::uint64_t fences_lost = 0, connections_lost = 0, data_errors = 0, found_in_tail = 0, decided_again = 0, loads_stale = 0;
};

/// The single writer's logic.
///
/// Order: commands are decided in order of arrival, but one that waits for a load does not hold up others. Two that need the same facts
/// keep their order (the later one misses what the earlier one misses, and both are taken up in order of arrival); others may overtake,
/// which no client can tell from the network's doing, as it has seen no answer yet.
///
/// Answers: every command, also a quiet or refused one, is answered when the batch that it was decided in is in the log. A batch without
/// events is sent all the same: its fence proves that what was looked at was the log's last word.
///
/// Sight and durability: what is in the log can be seen before it is on disk (ops/decisions/0011). A batch is reported `committed`, and a
/// tail given, when that is done for all they rest on; only a load may bring what a crash of Postgres takes away again. What is decided on
/// it fails by the fence or with the connection, and a load that was under way when the connection was lost is thrown away.
///
/// Failure: when a batch fails, no new one is sent until all in flight have reported; then the tail is read, each command in doubt is
/// looked for in it by its id, and what is not found is decided again, before all others and in order.
class WriterMachine {
 public:
  /// `mint` makes event ids that were never used before.
  WriterMachine(MakeState make_state, std::function<EventId(Time)> mint, WriterLimits limits = {});
  ~WriterMachine();
  WriterMachine(const WriterMachine&) = delete;
  WriterMachine& operator=(const WriterMachine&) = delete;

  // Inputs.

  /// Queues a command, or answers it at once with `busy` or `unavailable`.
  void submit(std::unique_ptr<Work> work, Time now);
  /// Leadership is ours and `head` was read after it was gained. Only when `idle()`.
  void start(const LogPoint& head);
  /// Leadership is lost or given up: what was not sent is answered `unavailable`, what is in flight is waited for.
  void stop();
  void loaded(LoadId id, const LoadResult& result);
  /// The load cannot be had now; its commands ask again at the next step.
  void load_failed(LoadId id);
  /// The recorded keys of a page, from a snapshot that was taken after it was asked for; nothing: it cannot be had now.
  void keys_read(const KeyPage& page, const std::optional<std::vector<IdempotencyKey>>& keys);
  void append_finished(BatchId id, AppendResult result);
  /// What `read_tail` asked for.
  void tail(const Tail& tail);
  /// The tail cannot be read, and we give up: everything in doubt is answered `unknown`. Only after `stop()`.
  void tail_unreachable();

  /// Decides what can be decided. Call after inputs; repeat whenever there were new ones.
  WriterOutputs step(Time now);

  /// No batch is in flight and nobody is in doubt; after `stop()`: may be started again.
  bool idle() const { return in_flight_.empty() && recovery_ == Recovery::none; }
  bool leading() const { return leading_; }
  /// Commands that were submitted and not answered.
  std::size_t pending() const { return pending_; }
  /// How many more commands there must be for a step to make a batch of them; fewer bring nothing by themselves. At least 1.
  std::size_t commands_wanted() const;
  /// The last event known to be in the log.
  const LogPoint& confirmed() const { return confirmed_; }
  const WriterCounters& counters() const { return counters_; }
  const Facts& facts() const { return facts_; }

 private:
  /// A command within the machine, with the outcome of its last decision.
  struct Item {
    std::unique_ptr<Work> work;
    std::uint64_t arrival = 0;
    Time deadline = {};   ///< later it is not decided
    Moment pinned = 0;    ///< facts touched since then are kept until it was tried again
    int data_errors = 0;  ///< of batches that it was in
    Answer answer = {};
    std::string refusal = {};  ///< what `answer.refusal` shows
    bool has_events = false;
    bool from_record = false;    ///< the outcome is that of an earlier command with the same key
    bool in_doubt = false;       ///< its events may be in the log: only the tail can tell
    bool found_in_tail = false;  ///< they are
  };
  struct SentBatch {
    BatchId id = 0;
    Moment moment = 0;  ///< facts touched since then may rest on it
    LogPoint last;
    std::vector<Item> items;
    std::vector<StreamSnapshot> snapshots;  ///< of streams as this batch leaves them
    std::optional<AppendResult> result;
  };
  struct OpenLoad {
    LoadId id = 0;
    Moment moment = 0;       ///< facts touched since then may be newer than what it brings
    Position confirmed = 0;  ///< when it was issued: what it brings is no older
    LoadRequest request;
    std::vector<Item> waiting;
  };
  struct OpenBatch;
  enum class Verdict { taken, gone, batch_full };

  // Deciding.
  std::size_t batch_commands_least() const;
  bool worth_a_batch() const;
  void fill(OpenBatch& open, Time now);
  Verdict consider(Item& item, OpenBatch& open, Time now);
  Verdict repeat(Item& item, OpenBatch& open, const IdempotencyRecord& record);
  Verdict decide(Item& item, OpenBatch& open);
  bool lacks_a_look(const Item& item, const Decided& decided) const;
  Verdict take(Item& item, OpenBatch& open, Decided decided);
  bool complete(const Item& item, const OpenBatch& open, std::vector<NewEvent>& events) const;
  void change_claims(const std::vector<ClaimChange>& changes, OpenBatch& open);
  void record(const Item& item, IdempotencyKey key, OpenBatch& open);
  void send(OpenBatch& open, WriterOutputs& out);
  std::vector<StreamSnapshot> due_snapshots(const std::vector<NewEvent>& events);
  void note(std::vector<StreamSnapshot> snapshots);
  // Loading.
  void wait_for_load(Item& item);
  void miss_key(IdempotencyKey key);
  OpenLoad& gathering(std::size_t facts);
  void issue_loads(WriterOutputs& out);
  // Settling.
  void settle();
  void confirm(SentBatch& batch, bool behind_failed = false);
  void take_back_all();
  void distrust_loads();
  void look_in(const Tail& tail);
  void settle_doubts();
  bool nobody_in_doubt() const;
  // Answering.
  void answer(Item& item, Answer answer);
  void put_back(std::vector<Item> items, Moment pinned);
  Moment oldest_moment_that_matters() const;

  const WriterLimits limits_;
  const std::function<EventId(Time)> mint_;
  Facts facts_;
  RecordedKeys recorded_;  ///< spares fresh keys the load
  WriterCounters counters_;

  bool leading_ = false;
  LogPoint confirmed_;  ///< the last event known to be in the log
  LogPoint last_;       ///< the last event of the last batch sent: the next fence
  Position floor_ = 0;  ///< of the last tail: loads older than that are thrown away

  std::deque<Item> ready_;  ///< tried before: they go first, in order of arrival
  std::deque<Item> queue_;
  std::deque<OpenLoad> gathering_;
  std::vector<OpenLoad> loads_;
  std::deque<SentBatch> in_flight_;
  std::vector<StreamSnapshot> snapshots_;  ///< of what is in the log
  std::vector<Item> doubtful_;             ///< of failed batches, in order, until the tail has spoken
  enum class Recovery { none, waits_for_reports, wants_tail, waits_for_tail } recovery_ = Recovery::none;

  LoadRequest missing_;  ///< of the command just asked
  std::uint64_t next_id_ = 1;
  std::uint64_t next_arrival_ = 1;
  std::size_t pending_ = 0;
};

}  // namespace bloomwatch
