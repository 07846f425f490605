// The world around the writers, see simulation.h. Time and the network are a list of small actions, one of which is drawn at each step:
// a request is sent, the database executes one, an answer is delivered, and anything may be lost in between.
#include "tests/unit/writer_simulation/simulation.h"

#include <algorithm>
#include <array>
#include <deque>
#include <initializer_list>
#include <memory>
#include <utility>
#include <vector>

#include "tests/unit/writer_simulation/model_log.h"
#include "tests/unit/writer_simulation/random.h"

namespace bloomwatch::simulation {

namespace {

using std::chrono::milliseconds;

/// What makes one history different from another, drawn from its seed ("swarm testing": each has some of the faults, not all of them).
struct Scene {
  WriterLimits limits;
  int steps = 0;
  int accounts = 0;
  int conflict_percent = 0;  ///< commands that go to account 0
  int keys_percent = 0;
  int repeat_percent = 0;
  int poison_percent = 0;
  int flush_percent = 100;
  bool both_lead = false, connections_break = false, processes_crash = false, server_crashes = false, loads_fail = false,
       loads_linger = false, data_errors = false, leaders_change = false;
  std::size_t tail_events_max = 0;
  // How often what is drawn: some histories have a slow database, some a slow network, some a crowd at the door.
  int submit_weight = 0, step_weight = 0, execute_weight = 0, deliver_weight = 0, fault_weight = 0, weights_sum = 0;
};

Scene draw_scene(Random& random) {
  Scene scene;
  WriterLimits& limits = scene.limits;
  limits.batch_commands_max = 1 + random.size_below(4);
  limits.batches_in_flight_max = 1 + random.size_below(4);
  limits.pipelined_commands_min = 1 + random.size_below(3);
  limits.loads_in_flight_max = 1 + random.size_below(2);
  limits.load_facts_max = random.chance(30) ? 2 : 100;
  limits.batch_bytes_max = random.chance(20) ? 2 : 1000;
  limits.queue_max = random.chance(15) ? 4 : 100;
  if (random.chance(10)) limits.wait_max = milliseconds(random.below(20));
  limits.memory_bytes_max = random.chance(60) ? (random.chance(50) ? 0 : 700) : 1 << 20;
  limits.recorded_keys_max = random.chance(20) ? 0 : 1000;  // of one block only: soon "maybe" of most keys
  limits.key_page_max = random.chance(50) ? 1 + random.size_below(3) : 100;
  limits.keys_life = std::chrono::hours(random.chance(30) ? 0 : 24);  // with none a generation lasts for a step
  limits.stream_length_max = random.chance(15) ? 4 : 1000;
  limits.snapshots.every = random.chance(50) ? 1 + random.below(4) : 1000;
  scene.steps = 30 + random.below(150);
  scene.accounts = 1 + random.below(3);
  scene.conflict_percent = random.below(80);
  scene.keys_percent = random.chance(60) ? random.below(100) : 0;
  scene.repeat_percent = random.below(30);
  scene.poison_percent = random.chance(15) ? 10 : 0;
  scene.both_lead = random.chance(50);
  scene.connections_break = random.chance(50);
  scene.processes_crash = random.chance(40);
  scene.server_crashes = random.chance(30);
  scene.flush_percent = scene.server_crashes ? 10 + random.below(90) : 100;
  scene.loads_fail = random.chance(20);
  scene.loads_linger = random.chance(25);
  scene.data_errors = random.chance(20);
  scene.leaders_change = random.chance(50);
  scene.tail_events_max = random.chance(20) ? 1 : 1000;
  if (random.chance(10)) {  // what the database takes away was seen by a load and is in nobody's memory: rare otherwise
    scene.both_lead = scene.server_crashes = scene.loads_linger = true;
    scene.flush_percent = 30;
    scene.steps += 150;
  }
  scene.submit_weight = 10 + random.below(40);
  scene.step_weight = 10 + random.below(30);
  scene.execute_weight = 10 + random.below(40);
  scene.deliver_weight = 10 + random.below(40);
  scene.fault_weight = random.below(25);
  scene.weights_sum = scene.submit_weight + scene.step_weight + scene.execute_weight + scene.deliver_weight + scene.fault_weight + 2;
  return scene;
}

/// A batch on its way to the database, and its result on the way back.
struct Sent {
  BatchId id;
  Batch batch;
  std::optional<AppendResult> result;
  bool reported = false;  ///< the flush after it is over, or the connection
};

struct LoadJob {
  LoadId id;
  LoadRequest request;
  std::optional<LoadResult> result;
};

struct KeysJob {
  KeyPage page;
  std::optional<std::vector<IdempotencyKey>> result;
};

/// The head read before a reign begins, or the tail after a failure.
struct TailJob {
  std::optional<LogPoint> after;  ///< none: the head is asked for
  std::optional<Tail> result;
};

/// A process with its connections. What it has sent outlives it.
struct Process {
  std::unique_ptr<WriterMachine> machine;
  std::deque<Sent> pipeline;
  bool broken = false;       ///< the pipeline's connection; its process may not have noticed
  std::deque<Batch> ghosts;  ///< sent over a broken connection: the old backend may still execute them, until it is ended
  std::deque<LoadJob> loads;
  std::deque<KeysJob> keys;
  std::deque<StreamSnapshot> snapshots;  ///< to be kept some time
  std::optional<TailJob> tail;
  milliseconds clock_offset{0};
};

class History {
 public:
  History(std::uint64_t seed, Coverage& coverage, std::string* trace)
      : random_(seed), scene_(draw_scene(random_)), coverage_(coverage), trace_(trace), log_(scene_.limits.stream_length_max) {
    for (std::size_t i = 0; i < 2; ++i) {
      processes_[i].clock_offset = milliseconds(random_.below(40));
      boot(i);
    }
  }

  void run() {
    processes_[0].machine->start({});
    if (scene_.both_lead && random_.chance(50)) processes_[1].machine->start({});
    for (int i = 0; i < scene_.steps; ++i) act();
    heal();
    for (auto& process : processes_) retire(*process.machine);
  }

 private:
  template <class... Parts>
  void note(const Parts&... parts) {
    if (trace_ == nullptr) return;
    const auto text = [](const auto& part) {
      if constexpr (std::is_arithmetic_v<std::decay_t<decltype(part)>>)
        return std::to_string(part);
      else
        return std::string(part);
    };
    *trace_ += "  " + (text(parts) + ...) + '\n';
  }

  Time clock(std::size_t i) const { return now_ + processes_[i].clock_offset; }
  std::size_t any_process() { return random_.chance(50) ? 1 : 0; }

  void boot(std::size_t i) {
    auto mint = [this](Time) { return EventId(small_uuid(3, next_event_id_++)); };
    processes_[i].machine = std::make_unique<WriterMachine>(make_account_state, mint, scene_.limits);
  }

  void retire(const WriterMachine& machine) {
    const WriterCounters& counters = machine.counters();
    coverage_.fences_lost += counters.fences_lost;
    coverage_.connections_lost += counters.connections_lost;
    coverage_.data_errors += counters.data_errors;
    coverage_.found_in_tail += counters.found_in_tail;
    coverage_.decided_again += counters.decided_again;
    coverage_.evicted += counters.facts_evicted;
    coverage_.loads_stale += counters.loads_stale;
    coverage_.fresh_keys += counters.fresh_keys;
  }

  // One action.

  void act() {
    now_ += milliseconds(random_.below(3));
    const std::size_t i = any_process();
    int draw = random_.below(scene_.weights_sum);
    const auto drawn = [&](int weight) { return (draw -= weight) < 0; };
    if (drawn(scene_.submit_weight)) return submit_something(processes_[i].machine->leading() || random_.chance(5) ? i : 1 - i);
    if (drawn(scene_.step_weight)) return step(i);
    if (drawn(scene_.execute_weight)) return execute(i);
    if (drawn(scene_.deliver_weight)) return deliver(i);
    if (drawn(scene_.fault_weight)) return go_wrong(i);
    now_ += milliseconds(random_.below(20));
  }

  void go_wrong(std::size_t i) {
    switch (random_.below(8)) {
      case 0:
        return change_leader(i);
      case 1:
      case 2:
        if (scene_.connections_break) break_connection(i);
        return;
      case 3:
        if (scene_.processes_crash && random_.chance(50)) crash(i);
        return;
      case 4:
        return execute_ghost(i);
      case 5:
        return execute_orphan();
      case 6:
        if (scene_.server_crashes) crash_server();
        return;
      default:
        return give_up_tail(i);
    }
  }

  // Clients.

  void submit_something(std::size_t i) {
    if (!log_.commands.empty() && random_.chance(scene_.repeat_percent)) return repeat_something(i);
    Command command;
    command.wish = draw_wish();
    if (random_.chance(scene_.keys_percent)) command.key = IdempotencyKey(small_uuid(4, static_cast<std::uint64_t>(random_.below(1000))));
    if (command.key) command.body_mac = mac_of(command.wish);
    submit(i, command);
  }

  static std::array<std::uint8_t, 16> mac_of(const Wish& wish) {
    return {static_cast<std::uint8_t>(wish.kind), static_cast<std::uint8_t>(wish.account), static_cast<std::uint8_t>(wish.other),
            static_cast<std::uint8_t>(wish.amount), static_cast<std::uint8_t>(wish.name)};
  }

  Wish draw_wish() {
    Wish wish;
    if (random_.chance(scene_.poison_percent)) {
      wish.kind = random_.chance(80) ? WishKind::poison : WishKind::throw_up;
      return wish;
    }
    wish.kind = static_cast<WishKind>(random_.below(static_cast<int>(WishKind::poison)));
    if (random_.chance(25)) wish.kind = WishKind::pay_in;
    wish.account = random_.chance(scene_.conflict_percent) ? 0 : random_.below(scene_.accounts);
    wish.other = random_.below(scene_.accounts);
    wish.amount = 1 + random_.below(4);
    if (wish.kind == WishKind::pay_in) wish.amount += 3;
    wish.name = random_.below(names_max);
    if (wish.account == scene_.accounts - 1 && !new_account_ && random_.chance(20)) {
      wish.kind = WishKind::pay_in;
      wish.account = accounts_max - 1;
      wish.fresh = wish.creates = true;
    } else if (new_account_ && log_.commands.at(*new_account_).answered && random_.chance(30)) {
      wish.account = accounts_max - 1;
    }
    return wish;
  }

  /// The same wish with the same key, as a client does that got no answer, or did; sometimes another wish under the key.
  void repeat_something(std::size_t i) {
    auto place = log_.commands.begin();
    std::advance(place, random_.below(static_cast<int>(log_.commands.size())));
    if (!place->second.key || (place->second.wish.fresh && !place->second.answered)) return;
    Command command;
    command.wish = place->second.wish;
    command.key = place->second.key;
    command.body_mac = place->second.body_mac;
    command.wish.fresh = false;
    if (random_.chance(15)) {
      ++command.wish.amount;
      command.body_mac = mac_of(command.wish);
    }
    submit(i, command);
  }

  void submit(std::size_t i, Command command) {
    const std::uint64_t number = next_command_++;
    if (command.wish.fresh) new_account_ = number;
    command.id = small_uuid(5, number);
    command.submitted_at = log_.position();
    CommandFrame frame{.by = {.command = CommandId(small_uuid(6, number))}, .key = command.key, .body_mac = command.body_mac};
    note("client: command ", number, " to writer ", i, ": ", wish_names[static_cast<std::size_t>(command.wish.kind)], " account ",
         command.wish.account, " other ", command.wish.other, " amount ", command.wish.amount, " name ", command.wish.name,
         command.key ? " key " + std::to_string(number_in(command.key->uuid)) : "");
    auto heard = [this, number](const BankWork& work, const Answer& answer) { hear(number, work, answer); };
    auto work = std::make_unique<BankWork>(std::move(frame), command.wish, command.id, heard);
    log_.commands.emplace(number, command);
    ++coverage_.commands;
    processes_[i].machine->submit(std::move(work), clock(i));
  }

  /// Every answer is checked against the log as it is at this moment.
  void hear(std::uint64_t number, const BankWork& work, const Answer& answer) {
    Command& command = log_.commands.at(number);
    note("  command ", number, " is answered: kind ", static_cast<int>(answer.kind), answer.repeated ? " repeated" : "", " version ",
         answer.version, " position ", answer.position, " ", answer.refusal);
    must(!std::exchange(command.answered, true), "a command is answered once");
    using Kind = Answer::Kind;
    switch (answer.kind) {
      case Kind::done:
      case Kind::refused:
        must(log_.on_disk(answer.position), "what an answer rests on is on disk");
        if (work.frame.key && answer.command != work.frame.by.command) return check_repeat(command, answer);
        return check_outcome(number, command, answer);
      case Kind::key_reused: {
        ++coverage_.key_reused;
        const IdempotencyRecord* record = command.key ? log_.record(*command.key) : nullptr;
        must(record != nullptr && record->body_mac != command.body_mac, "a key is called reused only if another body came with it");
        break;
      }
      case Kind::unknown:
        ++coverage_.unknown;
        return;
      case Kind::busy:
        ++coverage_.busy;
        break;
      case Kind::unavailable:
        ++coverage_.unavailable;
        break;
      case Kind::failed:
        ++coverage_.failed;
        must(command.wish.kind == WishKind::poison || command.wish.kind == WishKind::throw_up || data_errors_, "only what is broken fails");
        break;
    }
    must(command.last_event == 0, "what is in the log is not answered as not done");
    command.must_not_happen = true;
  }

  void check_repeat(const Command& command, const Answer& answer) {
    ++coverage_.repeated;
    const IdempotencyRecord* record = log_.record(*command.key);
    must(record != nullptr && log_.on_disk(*command.key), "a repeat is answered only from what is in the log, and on disk");
    must(record->body_mac == command.body_mac, "another body under the same key is refused");
    must(answer.repeated && answer.command == record->command && same_answer(answer, *record), "a repeat is answered as the first was");
    must(command.last_event == 0, "a repeat has no effect of its own");
  }

  static bool same_answer(const Answer& answer, const IdempotencyRecord& record) {
    return answer.id == record.id && answer.version == record.version && answer.position == record.position &&
           answer.created == record.created && answer.refusal == record.refusal &&
           (answer.kind == Answer::Kind::refused) == !record.refusal.empty();
  }

  void check_outcome(std::uint64_t number, const Command& command, const Answer& answer) {
    must(answer.id == command.id, "an answer carries its command's id");
    must(number_in(answer.command.uuid) == number && !answer.repeated, "an answer is its own command's");
    must((answer.kind == Answer::Kind::refused) == !answer.refusal.empty(), "a refusal has a name");
    answer.kind == Answer::Kind::refused ? ++coverage_.refused : command.last_event != 0 ? ++coverage_.accepted : ++coverage_.quiet;
    coverage_.full_streams += answer.refusal == "stream_full";
    must(answer.position >= command.submitted_at && answer.position <= log_.position(),
         "an answer is true at a point between request and answer");
    if (command.last_event != 0) {
      must(answer.position == command.last_event && answer.version == command.version, "an answer tells where its events are");
    } else {
      const auto outcome = log_.verdict(command.wish, answer.position, Time{});
      must(outcome && outcome->events.empty(), "acknowledged only after it is in the log (invariant 3)");
      must(outcome->refusal == answer.refusal, "a quiet or refused answer is true at its position");
      must(answer.version == log_.world(answer.position).versions[static_cast<std::size_t>(outcome->account)],
           "an answer tells the stream's version");
    }
    if (command.key && answer.refusal != "forbidden") {
      const IdempotencyRecord* record = log_.record(*command.key);
      must(record != nullptr && number_in(record->command.uuid) == number && same_answer(answer, *record), "what is answered is recorded");
      must(log_.on_disk(*command.key), "what is recorded of an answered command is on disk");
    }
  }

  // Processes and their connections.

  void step(std::size_t i) {
    Process& process = processes_[i];
    WriterOutputs out = process.machine->step(clock(i));
    for (auto& append : out.appends) send(i, std::move(append));
    for (auto& load : out.loads) {
      note("writer ", i, " loads ", load.id, ": ", load.request.streams.size(), " streams, ", load.request.claims.size(), " claims, ",
           load.request.keys.size(), " keys");
      process.loads.push_back({load.id, std::move(load.request), std::nullopt});
    }
    for (StreamSnapshot& snapshot : out.snapshots) process.snapshots.push_back(std::move(snapshot));
    if (out.key_page) {
      note("writer ", i, " reads recorded keys after ", number_in(out.key_page->after.uuid));
      process.keys.push_back({*out.key_page, std::nullopt});
    }
    if (out.read_tail) {
      must(!process.tail, "one tail is asked for at a time");
      note("writer ", i, " asks for the tail after ", out.read_tail->position);
      process.tail = TailJob{.after = out.read_tail, .result = {}};
    }
  }

  void send(std::size_t i, WriterOutputs::Append append) {
    Process& process = processes_[i];
    must(append.batch.events.size() <= 2 * scene_.limits.batch_commands_max + scene_.limits.batch_commands_max, "batches are bounded");
    must(process.pipeline.size() < scene_.limits.batches_in_flight_max, "batches in flight are bounded");
    if (trace_ != nullptr) {
      std::string events;
      for (const NewEvent& event : append.batch.events)
        events += " " + std::to_string(number_in(event.by.command.uuid)) + ":" + std::string(event.type) + "/" +
                  std::to_string(account_of(event.stream.id)) + "@" + std::to_string(event.version);
      note("writer ", i, " sends batch ", append.id, " after ", append.batch.fence.position, "#",
           number_in(append.batch.fence.event_id.uuid), ":", events);
    }
    Sent sent{append.id, std::move(append.batch), std::nullopt};
    if (process.broken) lose(sent);
    process.pipeline.push_back(std::move(sent));
  }

  /// The database does the next thing that one of this process's connections asked for.
  void execute(std::size_t i) {
    Process& process = processes_[i];
    if (!process.snapshots.empty() && random_.chance(30)) keep_snapshot(i);  // beside the others, so that it takes nothing from them
    const auto open = [](const auto& job) { return !job.result; };
    const auto sent = std::find_if(process.pipeline.begin(), process.pipeline.end(), open);
    const auto load = std::find_if(process.loads.begin(), process.loads.end(), open);
    const auto keys = std::find_if(process.keys.begin(), process.keys.end(), open);
    const bool unflushed =
        std::any_of(process.pipeline.begin(), process.pipeline.end(), [](const Sent& batch) { return batch.result && !batch.reported; });
    switch (one_of({sent != process.pipeline.end(), load != process.loads.end(), process.tail && !process.tail->result,
                    keys != process.keys.end(), unflushed})) {
      case 0:
        sent->result = append(sent->batch);
        return note("database: batch ", sent->id, " of writer ", i, " ends ", static_cast<int>(*sent->result), ", head ", log_.position());
      case 1:
        load->result = log_.load(load->request);
        return note("database: load ", load->id, " of writer ", i, " as of ", load->result->as_of);
      case 2:
        return read_tail(i);
      case 3:
        keys->result = log_.recorded_keys(keys->page);
        return note("database: ", keys->result->size(), " recorded keys for writer ", i);
      case 4:
        if (random_.chance(scene_.flush_percent)) flush(i);
        return;
      default:
        return;
    }
  }

  /// For all batches of this process that have a result.
  void flush(std::size_t i) {
    log_.flush();
    for (Sent& sent : processes_[i].pipeline) sent.reported = sent.result.has_value();
    note("database: all is on disk, as writer ", i, " asked, head ", log_.position());
  }

  void keep_snapshot(std::size_t i) {
    const StreamSnapshot snapshot = std::move(processes_[i].snapshots.front());
    processes_[i].snapshots.pop_front();
    const bool kept = log_.keep(snapshot);
    ++(kept ? coverage_.snapshots_kept : coverage_.snapshots_passed_over);
    note("database: a snapshot of account ", account_of(snapshot.stream.id), "@", snapshot.version, kept ? " is kept" : " is passed over");
  }

  static void lose(Sent& sent) {
    sent.result = AppendResult::connection_lost;
    sent.reported = true;
  }

  /// One of those that are possible; -1 if none is.
  int one_of(std::initializer_list<bool> possible) {
    const int count = static_cast<int>(std::count(possible.begin(), possible.end(), true));
    if (count == 0) return -1;
    int skip = random_.below(count);
    for (const bool* each = possible.begin(); each != possible.end(); ++each)
      if (*each && skip-- == 0) return static_cast<int>(each - possible.begin());
    return -1;
  }

  AppendResult append(const Batch& batch) {
    coverage_.events -= static_cast<std::uint64_t>(log_.position());
    const AppendResult result = log_.append(batch, scene_.data_errors && random_.chance(10));
    coverage_.events += static_cast<std::uint64_t>(log_.position());
    return result;
  }

  /// Before a tail is read the backend of a broken connection is ended; after it what was seen is flushed.
  void read_tail(std::size_t i) {
    Process& process = processes_[i];
    TailJob& job = *process.tail;
    if (job.after) {
      process.ghosts.clear();
      process.broken = false;
      job.result = log_.tail(*job.after, scene_.tail_events_max);
    } else {
      job.result = Tail{.head = log_.head(), .events = {}, .whole = true};
    }
    log_.flush();
    note("database: tail for writer ", i, " up to ", job.result->head.position);
  }

  void deliver(std::size_t i) {
    Process& process = processes_[i];
    const bool load =
        (!scene_.loads_linger || random_.chance(35)) &&
        std::any_of(process.loads.begin(), process.loads.end(), [&](const LoadJob& job) { return job.result || scene_.loads_fail; });
    switch (one_of({!process.pipeline.empty() && process.pipeline.front().reported, load, process.tail && process.tail->result,
                    !process.keys.empty() && process.keys.front().result})) {
      case 0:
        return deliver_append(i);
      case 1:
        return deliver_load(process);
      case 2:
        return deliver_tail(i);
      case 3:
        return deliver_keys(process);
      default:
        return;
    }
  }

  void deliver_append(std::size_t i) {
    Process& process = processes_[i];
    const Sent sent = std::move(process.pipeline.front());
    process.pipeline.pop_front();
    note("writer ", i, " hears of batch ", sent.id, ": ", static_cast<int>(*sent.result));
    process.machine->append_finished(sent.id, *sent.result);
  }

  void deliver_load(Process& process) {
    const auto place = process.loads.begin() + random_.below(static_cast<int>(process.loads.size()));
    if (scene_.loads_fail && random_.chance(30)) {
      const LoadId id = place->id;
      process.loads.erase(place);
      note("load ", id, " fails");
      return process.machine->load_failed(id);
    }
    if (!place->result) return;
    const LoadJob load = std::move(*place);
    process.loads.erase(place);
    note("load ", load.id, " arrives, as of ", load.result->as_of);
    process.machine->loaded(load.id, *load.result);
  }

  void deliver_keys(Process& process) {
    KeysJob job = std::move(process.keys.front());
    process.keys.pop_front();
    if (scene_.loads_fail && random_.chance(30)) job.result.reset();
    note("recorded keys after ", number_in(job.page.after.uuid), job.result ? " arrive" : " cannot be had");
    process.machine->keys_read(job.page, job.result);
  }

  void deliver_tail(std::size_t i) {
    Process& process = processes_[i];
    const TailJob job = std::move(*process.tail);
    process.tail.reset();
    note("writer ", i, job.after ? " gets its tail up to " : " may start at ", job.result->head.position);
    if (job.after) return process.machine->tail(*job.result);
    if (process.machine->leading() || !process.machine->idle()) return;
    process.machine->start(job.result->head);
    coverage_.two_leaders += processes_[1 - i].machine->leading();
  }

  void ask_for_head(std::size_t i) {
    Process& process = processes_[i];
    if (process.machine->leading() || !process.machine->idle() || process.tail || !process.pipeline.empty()) return;
    note("writer ", i, " believes that it leads");
    process.ghosts.clear();
    process.broken = false;
    process.tail = TailJob{.after = std::nullopt, .result = {}};
  }

  void change_leader(std::size_t i) {
    Process& process = processes_[i];
    const Process& other = processes_[1 - i];
    if (!process.machine->leading()) {
      if (scene_.both_lead || (!other.machine->leading() && !other.tail)) ask_for_head(i);
    } else if (scene_.leaders_change && random_.chance(40)) {
      note("writer ", i, " leads no more");
      process.machine->stop();
    }
  }

  /// What was sent and not executed may still be executed, by the old backend; no answer comes through any more.
  void break_connection(std::size_t i) {
    Process& process = processes_[i];
    if (process.broken) return;
    note("writer ", i, ": the connection breaks");
    process.broken = true;
    for (Sent& sent : process.pipeline) {
      if (!sent.result) process.ghosts.push_back(sent.batch);
      lose(sent);
    }
    if (!scene_.leaders_change || !random_.chance(40)) return;
    note("writer ", i, " leads no more, for the same cut");
    process.machine->stop();
  }

  void execute_ghost(std::size_t i) {
    Process& process = processes_[i];
    if (process.ghosts.empty()) return;
    const Batch batch = std::move(process.ghosts.front());
    process.ghosts.pop_front();
    execute_late(batch);
  }

  void execute_late(const Batch& batch) {
    const AppendResult result = append(batch);
    coverage_.ghost_appends += result == AppendResult::committed;
    note("database: a batch after ", batch.fence.position, " sent over a lost connection ends ", static_cast<int>(result), ", head ",
         log_.position());
  }

  void crash(std::size_t i) {
    Process& process = processes_[i];
    note("writer ", i, " crashes");
    ++coverage_.crashes;
    retire(*process.machine);
    std::deque<Batch> orphans = std::move(process.ghosts);
    for (Sent& sent : process.pipeline)
      if (!sent.result) orphans.push_back(std::move(sent.batch));
    if (!orphans.empty()) orphans_.push_back(std::move(orphans));
    const milliseconds offset = process.clock_offset;
    process = Process{};
    process.clock_offset = offset;
    boot(i);
  }

  /// Every connection ends with it, and no old backend is left. What loads have seen may have gone.
  void crash_server() {
    note("the database goes down");
    ++coverage_.server_crashes;
    coverage_.events_lost += static_cast<std::uint64_t>(log_.crash());
    for (Process& process : processes_) {
      process.broken = true;
      process.ghosts.clear();
      for (Sent& sent : process.pipeline) lose(sent);
    }
    orphans_.clear();
  }

  void execute_orphan() {
    if (orphans_.empty()) return;
    auto& batches = orphans_[static_cast<std::size_t>(random_.below(static_cast<int>(orphans_.size())))];
    if (batches.empty()) return;
    const Batch batch = std::move(batches.front());
    batches.pop_front();
    execute_late(batch);
  }

  void give_up_tail(std::size_t i) {
    Process& process = processes_[i];
    if (process.machine->leading() || !process.tail || !process.tail->after) return;
    note("writer ", i, " gives up reading the tail");
    process.tail.reset();
    process.machine->tail_unreachable();
  }

  // The end.

  /// From here on nothing breaks and one writer leads: everything that was asked of it must be answered in bounded time.
  void heal() {
    note("all is healed");
    scene_.loads_fail = scene_.loads_linger = scene_.data_errors = scene_.connections_break = scene_.server_crashes = false;
    scene_.flush_percent = 100;
    processes_[1].machine->stop();
    for (int round = 0; round < 2000; ++round) {
      if (!processes_[0].machine->leading()) ask_for_head(0);
      for (std::size_t i = 0; i < 2; ++i) settle_a_little(i);
      now_ += milliseconds(1);
      if (!processes_[0].machine->leading() || busy(processes_[0]) || busy(processes_[1])) continue;
      if (asked_last_) return check_rest();
      ask_last_questions();
    }
    throw Violation("everything comes to rest once nothing breaks any more");
  }

  void settle_a_little(std::size_t i) {
    step(i);
    for (int k = 0; k < 5; ++k) {
      execute(i);
      deliver(i);
    }
  }

  static bool busy(const Process& process) {
    return process.machine->pending() != 0 || !process.machine->idle() || !process.pipeline.empty() || !process.loads.empty() ||
           !process.keys.empty() || process.tail;
  }

  /// Every account and name once more, so that memory is compared with the log at the end.
  void ask_last_questions() {
    asked_last_ = true;
    const auto ask = [&](const Wish& wish) {
      Command command;
      command.wish = wish;
      submit(0, command);
    };
    for (int account = 0; account < accounts_max; ++account)
      ask({.kind = WishKind::transfer, .account = account, .other = (account + 1) % accounts_max, .amount = 3});
    for (int name = 0; name < names_max; ++name) ask({.kind = WishKind::pay_out_by_name, .name = name});
  }

  void check_rest() {
    for (const auto& process : processes_) {
      must(process.machine->pending() == 0, "every command is answered");
      must(process.machine->facts().bytes() <= scene_.limits.memory_bytes_max || !process.machine->leading() || evictable(*process.machine),
           "memory is bounded");
    }
  }

  /// One more step with nothing under way evicts whatever is too much.
  bool evictable(WriterMachine& machine) {
    machine.step(now_);
    return machine.facts().bytes() <= scene_.limits.memory_bytes_max;
  }

  Random random_;
  Scene scene_;
  const bool data_errors_ = scene_.data_errors;  ///< also of what is answered after the healing
  Coverage& coverage_;
  std::string* trace_;
  ModelLog log_;
  std::array<Process, 2> processes_;
  std::vector<std::deque<Batch>> orphans_;  ///< in the backends of crashed processes
  Time now_{milliseconds(1'000'000)};
  std::uint64_t next_event_id_ = 1;
  std::uint64_t next_command_ = 1;
  bool asked_last_ = false;
  std::optional<std::uint64_t> new_account_;  ///< the command that opened an account; nobody else knows its id before the answer
};

}  // namespace

std::optional<std::string> run_history(std::uint64_t seed, Coverage& coverage, std::string* trace) {
  try {
    History(seed, coverage, trace).run();
    return std::nullopt;
  } catch (const Violation& broken) {
    return broken.what();
  }
}

void Coverage::add(const Coverage& other) {
  auto* mine = &commands;
  const auto* theirs = &other.commands;
  for (std::size_t i = 0; i < sizeof(Coverage) / sizeof(std::uint64_t); ++i) mine[i] += theirs[i];
}

std::string Coverage::to_string() const {
  const auto item = [](const char* name, std::uint64_t value) { return std::string(name) + ' ' + std::to_string(value) + ", "; };
  return item("commands", commands) + item("events", events) + item("accepted", accepted) + item("quiet", quiet) +
         item("refused", refused) + item("repeated", repeated) + item("key reused", key_reused) + item("busy", busy) +
         item("unavailable", unavailable) + item("unknown", unknown) + item("failed", failed) + item("fences lost", fences_lost) +
         item("connections lost", connections_lost) + item("data errors", data_errors) + item("found in tail", found_in_tail) +
         item("decided again", decided_again) + item("evicted", evicted) + item("stale loads", loads_stale) + item("crashes", crashes) +
         item("server crashes", server_crashes) + item("events lost", events_lost) + item("two leaders", two_leaders) +
         item("ghost appends", ghost_appends) + item("full streams", full_streams) + item("fresh keys", fresh_keys) +
         item("snapshots kept", snapshots_kept) + item("passed over", snapshots_passed_over);
}

}  // namespace bloomwatch::simulation
