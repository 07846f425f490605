// The threads around the writer's machine, see writer_loop.h. The writer's thread sleeps in AppendPipeline::poll and is woken by whoever
// has something for it; a loader, a keeper of snapshots and a notifier have connections and threads of their own, so that none ever holds
// up a batch.
#include "command-service/writer_loop.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <condition_variable>
#include <cstring>
#include <deque>
#include <exception>
#include <mutex>
#include <stop_token>
#include <thread>
#include <unordered_map>
#include <utility>
#include <vector>

#include "events/lease.h"
#include "events/log.h"
#include "runtime/http.h"
#include "runtime/invariant.h"
#include "runtime/logging.h"
#include "runtime/sleep.h"

namespace bloomwatch {

namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

static_assert(WriterLimits().stream_length_max + WriterLimits().stream_reserve <= Version{stream_events_max});
constexpr milliseconds retry_every{200};       ///< after Postgres could not be reached
constexpr milliseconds load_timeout{5000};     ///< a stream at its bound loads in a fraction; a backend that hangs is given up
constexpr milliseconds doze{100};              ///< the writer looks up this often even if nobody wakes it
constexpr std::size_t tail_events_max = 5000;  ///< of one piece of a tail
constexpr std::chrono::minutes prune_every{10};
/// At once: followers are told of nothing meanwhile.
constexpr std::int64_t pruned_max = 5000;
constexpr std::size_t snapshots_waiting_bytes_max = 64 << 20;  ///< more are left out: the next is only so many events away
constexpr std::size_t snapshots_kept_max = 128;                ///< by one statement
constexpr milliseconds snapshots_gather{100};                  ///< nobody waits for one, and a statement costs as much as many rows

/// A warning that would come again with every attempt is logged once in five seconds.
class Complaint {
 public:
  void operator()(std::string_view what, const std::exception& error) {
    const auto at = Clock::now();
    if (at < next_) return;
    next_ = at + std::chrono::seconds(5);
    log::warning("writer", what, {{"error", error.what()}});
  }

 private:
  Clock::time_point next_ = {};
};

/// Loads beside the writer, one request after another; pages of recorded keys when there is nothing more urgent.
class Loader {
 public:
  struct Loaded {
    LoadId id;
    std::optional<LoadResult> result;  ///< none: it failed
  };

  struct KeysRead {
    KeyPage page;
    std::optional<std::vector<IdempotencyKey>> keys;  ///< none: it failed
  };

  /// `arrived` is called in the loader's thread whenever a result is there to be taken.
  Loader(const WriterOptions& options, std::function<void()> arrived)
      : shapes_(options.snapshot_shapes),
        reader_(options.database_url, "bloomwatch writer loads", load_timeout),
        arrived_(std::move(arrived)),
        thread_([this](const std::stop_token& stop) { run(stop); }) {}

  void ask(WriterOutputs::Load load) {
    const std::lock_guard lock(mutex_);
    asked_.push_back(std::move(load));
    changed_.notify_one();
  }

  void ask(KeyPage page) {
    const std::lock_guard lock(mutex_);
    page_asked_ = page;
    changed_.notify_one();
  }

  std::vector<Loaded> take() {
    const std::lock_guard lock(mutex_);
    return std::exchange(loaded_, {});
  }

  std::vector<KeysRead> take_keys() {
    const std::lock_guard lock(mutex_);
    return std::exchange(keys_read_, {});
  }

  /// Whether loads have been asked for and nothing has been loaded, for so long.
  bool stuck_for(milliseconds time) const { return Clock::now() - at_work_since_.load() > time; }

 private:
  void run(const std::stop_token& stop) {
    while (true) {
      std::unique_lock lock(mutex_);
      if (!changed_.wait(lock, stop, [&] { return !asked_.empty() || page_asked_; })) return;
      if (asked_.empty()) {
        read_page(*std::exchange(page_asked_, std::nullopt), lock, stop);
        continue;
      }
      const WriterOutputs::Load load = std::move(asked_.front());
      asked_.pop_front();
      lock.unlock();
      if (at_work_since_.load() == idle) at_work_since_ = Clock::now();
      Loaded loaded{load.id, answer_to(load.request)};
      if (loaded.result)
        at_work_since_ = idle;
      else
        sleep_for(stop, retry_every);
      lock.lock();
      loaded_.push_back(std::move(loaded));
      lock.unlock();
      arrived_();
    }
  }

  void read_page(KeyPage page, std::unique_lock<std::mutex>& lock, const std::stop_token& stop) {
    lock.unlock();
    KeysRead read{page, std::nullopt};
    try {
      read.keys = reader_.recorded_keys(page.after, page.limit);
    } catch (const pg::Error& error) {
      complain_("recorded keys cannot be read and are asked for again", error);
    }
    if (!read.keys) sleep_for(stop, retry_every);
    lock.lock();
    keys_read_.push_back(std::move(read));
    lock.unlock();
    arrived_();
  }

  std::optional<LoadResult> answer_to(const LoadRequest& request) {
    try {
      return reader_.load(request, shapes_);
    } catch (const pg::Error& error) {
      complain_("a load failed and is asked again", error);
      return std::nullopt;
    }
  }

  static constexpr Clock::time_point idle = Clock::time_point::max();

  const SnapshotShapes& shapes_;
  std::atomic<Clock::time_point> at_work_since_ = idle;  ///< or since the last load that succeeded
  LogReader reader_;
  Complaint complain_;
  std::function<void()> arrived_;
  std::mutex mutex_;
  std::condition_variable_any changed_;
  std::deque<WriterOutputs::Load> asked_;
  std::optional<KeyPage> page_asked_;  ///< the machine asks for one at a time; an older one is of no use to it
  std::vector<Loaded> loaded_;
  std::vector<KeysRead> keys_read_;
  std::jthread thread_;
};

/// Keeps snapshots of streams for the loads of a later start. They only spare reading: what cannot be kept is left out.
class Keeper {
 public:
  explicit Keeper(const std::string& database_url)
      : options_(options_for(database_url)), thread_([this](const std::stop_token& stop) { run(stop); }) {}

  void keep(std::vector<StreamSnapshot> snapshots) {
    if (snapshots.empty()) return;
    const std::lock_guard lock(mutex_);
    const bool idle = waiting_.empty();
    for (StreamSnapshot& snapshot : snapshots) {
      if (waiting_bytes_ + snapshot.state.size() > snapshots_waiting_bytes_max) continue;
      waiting_bytes_ += snapshot.state.size();
      StreamSnapshot& waiting = waiting_[snapshot.stream];
      waiting_bytes_ -= waiting.state.size();
      waiting = std::move(snapshot);
    }
    if (idle || waiting_.size() >= snapshots_kept_max) changed_.notify_one();
  }

 private:
  static pg::Options options_for(const std::string& database_url) {
    pg::Options options;
    options.url = database_url;
    options.application_name = "bloomwatch writer snapshots";
    options.settings = {{"synchronous_commit", "off"},  // one that a crash takes away is made again
                        {"enable_seqscan", "off"},      // by index, whatever the planner knew of the log when it was empty
                        {"enable_hashjoin", "off"},
                        {"enable_mergejoin", "off"}};
    return options;
  }

  void run(const std::stop_token& stop) {
    std::optional<pg::Connection> connection;
    while (true) {
      const std::vector<StreamSnapshot> some = next(stop);
      if (stop.stop_requested()) return;
      try {
        if (!connection || !connection->usable()) connection.emplace(options_);
        keep_snapshots(*connection, some);
      } catch (const pg::Error& error) {
        complain_("snapshots of streams are not kept", error);
        sleep_for(stop, retry_every);
      }
    }
  }

  std::vector<StreamSnapshot> next(const std::stop_token& stop) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, stop, [&] { return !waiting_.empty(); });
    changed_.wait_for(lock, stop, snapshots_gather, [&] { return waiting_.size() >= snapshots_kept_max; });
    std::vector<StreamSnapshot> some;
    while (!waiting_.empty() && some.size() < snapshots_kept_max) {
      some.push_back(std::move(waiting_.extract(waiting_.begin()).mapped()));
      waiting_bytes_ -= some.back().state.size();
    }
    return some;
  }

  const pg::Options options_;
  Complaint complain_;
  std::mutex mutex_;
  std::condition_variable_any changed_;
  std::unordered_map<StreamName, StreamSnapshot> waiting_;  ///< the last of each stream
  std::size_t waiting_bytes_ = 0;                           ///< of their states
  std::jthread thread_;
};

/// Tells other processes by NOTIFY that the log has grown, after the commit and coalesced; and forgets old idempotency records while this
/// process leads.
class Notifier {
 public:
  explicit Notifier(const WriterOptions& options) : options_(options), thread_([this](const std::stop_token& stop) { run(stop); }) {}

  void committed(Position position) {
    const std::lock_guard lock(mutex_);
    const bool told_all = told_ == position_;
    position_ = position;
    if (told_all) changed_.notify_one();
  }

 private:
  void run(const std::stop_token& stop) {
    while (!stop.stop_requested()) {
      try {
        speak(stop);
      } catch (const pg::Error& error) {
        complain_("cannot notify", error);
        sleep_for(stop, retry_every);
      }
    }
  }

  void speak(const std::stop_token& stop) {
    pg::Options options;
    options.url = options_.database_url;
    options.application_name = "bloomwatch writer notifications";
    pg::Connection connection(options);
    while (const std::optional<Position> position = news(stop)) {
      connection.notify("log", std::to_string(*position));
      if (Clock::now() >= next_prune_ && prune_idempotency(connection, pruned_max) < pruned_max) next_prune_ = Clock::now() + prune_every;
      sleep_for(stop, options_.notify_every);
    }
  }

  std::optional<Position> news(const std::stop_token& stop) {
    std::unique_lock lock(mutex_);
    if (!changed_.wait(lock, stop, [&] { return position_ > told_; })) return std::nullopt;
    return told_ = position_;
  }

  const WriterOptions& options_;
  Complaint complain_;
  std::mutex mutex_;
  std::condition_variable_any changed_;
  Position position_ = 0;
  Position told_ = 0;
  Clock::time_point next_prune_ = Clock::now() + prune_every;
  std::jthread thread_;
};

}  // namespace

class Writer::Loop {
 public:
  Loop(WriterOptions options, MakeState make_state, Hub& hub)
      : options_(std::move(options)),
        hub_(hub),
        machine_(
            std::move(make_state), [](Time time) { return EventId(Uuid::v7(time)); }, options_.limits),
        pipeline_(options_.database_url),
        reader_(options_.database_url, "bloomwatch writer reads") {
    invariant(options_.limits.batches_in_flight_max <= AppendPipeline::in_flight_max, "the pipeline has room for what the machine sends");
  }

  ~Loop() { stop(milliseconds(0)); }

  void start() {
    invariant(!thread_.joinable(), "a writer is started once");
    loader_ = std::make_unique<Loader>(options_, [this] { pipeline_.wake(); });
    keeper_ = std::make_unique<Keeper>(options_.database_url);
    notifier_ = std::make_unique<Notifier>(options_);
    const auto wake = [this] { pipeline_.wake(); };
    lease_ = std::make_unique<Lease>(options_.database_url, LeaseName::writer, Lease::Callbacks{.gained = wake, .lost = wake});
    thread_ = std::jthread([this] { run(); });
  }

  void stop(milliseconds drain_max) {
    ready_ = false;
    stop_at_ = Clock::now() + drain_max;
    stopping_ = true;
    if (!thread_.joinable()) return close_inbox();
    pipeline_.wake();
    thread_.join();
    lease_.reset();
    loader_.reset();
    keeper_.reset();
    notifier_.reset();
  }

  bool submit(std::unique_ptr<Work> work) {
    Answer::Kind refusal = Answer::Kind::unavailable;
    if (ready_) {
      std::unique_lock lock(mutex_);
      if (inbox_.size() + status_.pending >= options_.limits.queue_max) {
        refusal = Answer::Kind::busy;
      } else if (!closed_) {
        inbox_.push_back(std::move(work));
        const bool wake = inbox_.size() >= wake_at_ && !std::exchange(woken_, true);
        lock.unlock();
        if (wake) pipeline_.wake();
        return true;
      }
    }
    work->answer({.kind = refusal});
    return false;
  }

  bool ready() const { return ready_; }

  WriterStatus status() const {
    const std::lock_guard lock(mutex_);
    return status_;
  }

 private:
  struct InFlight {
    std::uint64_t number;  ///< as the pipeline counts
    BatchId id;            ///< as the machine does
    Position last;
  };

  void run() {
    try {
      while (!finished()) turn();
      close_inbox();
    } catch (const std::exception& error) {
      log::error("writer", "the writer cannot go on", {{"error", error.what()}});
      invariant_failed("the writer's thread ends only when it is stopped", std::source_location::current());
    }
  }

  /// One turn: hear, then decide, then send.
  void turn() {
    const auto outcomes = pipeline_.poll(impatient_ ? milliseconds(0) : doze);
    impatient_ = false;
    {
      const http::AnswersTogether together;
      for (const AppendOutcome& outcome : outcomes) settle(outcome);
      take_mail();
      mind_the_lead();
      act(machine_.step(now()));
    }
    // These wait for Postgres, and nobody's answer with them.
    if (lease_->held() && !stopping_ && !machine_.leading() && machine_.idle() && Clock::now() >= next_attempt_) lead();
    if (wants_tail_) read_tail(*wants_tail_);
    show_status();
  }

  void settle(const AppendOutcome& outcome) {
    invariant(!in_flight_.empty() && in_flight_.front().number == outcome.batch, "outcomes come in the order of sending");
    const InFlight batch = in_flight_.front();
    in_flight_.pop_front();
    if (outcome.result == AppendResult::committed)
      tell(batch.last);  // before the answers: who follows the log can begin while they are made
    else
      log::warning("writer", "a batch failed", {{"result", name_of(outcome.result)}, {"detail", outcome.detail}});
    note_progress(outcome.result == AppendResult::committed);
    machine_.append_finished(batch.id, outcome.result);
  }

  /// Whoever leads and cannot append, for whatever reason, answers nobody and bars those who could.
  void note_progress(bool made) {
    if (made) {
      stuck_since_.reset();
      return;
    }
    if (!stuck_since_) stuck_since_ = Clock::now();
    next_attempt_ = Clock::now() + retry_every;
  }

  void step_down(std::string_view why) {
    log::error("writer", "lets another lead", {{"why", why}});
    stuck_since_.reset();
    lease_->let_go();
  }

  static std::string_view name_of(AppendResult result) {
    switch (result) {
      case AppendResult::committed:
        return "committed";
      case AppendResult::fence_lost:
        return "fence lost";
      case AppendResult::connection_lost:
        return "connection lost";
      case AppendResult::data_error:
        return "data error";
    }
    return "unknown";
  }

  void tell(Position position) {
    if (position <= told_) return;
    told_ = position;
    hub_.publish(Hub::log_topic, position);
    notifier_->committed(position);
  }

  void take_mail() {
    {
      const std::lock_guard lock(mutex_);
      mail_.swap(inbox_);
      woken_ = false;
      status_.pending += mail_.size();  // nobody sees the queue empty meanwhile
    }
    for (std::unique_ptr<Work>& work : mail_) machine_.submit(std::move(work), now());
    mail_.clear();
    for (Loader::Loaded& loaded : loader_->take()) {
      if (loaded.result)
        machine_.loaded(loaded.id, *loaded.result);
      else
        machine_.load_failed(loaded.id);
    }
    for (const Loader::KeysRead& read : loader_->take_keys()) machine_.keys_read(read.page, read.keys);
  }

  void mind_the_lead() {
    if (machine_.leading() && machine_.pending() == 0) stuck_since_.reset();
    if (machine_.leading() && stuck_since_ && Clock::now() > *stuck_since_ + options_.doubt_max) step_down("nothing can be appended");
    const bool drained = machine_.pending() == 0 || Clock::now() >= stop_at_.load();
    const bool may_lead = lease_->held() && !(stopping_ && drained) && !pg::waits_have_ended();
    if (machine_.leading() && !may_lead) {
      ready_ = false;
      deposed_at_ = Clock::now();
      log::info("writer", "leads no more", {{"position", machine_.confirmed().position}});
      machine_.stop();
    }
  }

  void lead() {
    try {
      const milliseconds offset = reader_.clock_offset();
      if (std::chrono::abs(offset) > options_.clock_offset_max) {
        log::error("writer", "does not lead: our clock is too far from that of Postgres", {{"offset_ms", offset.count()}});
        return step_down("the clock is wrong");
      }
      if (!pipeline_.connected()) pipeline_.reconnect();
      const LogPoint head = reader_.head();
      reader_.await_durable();
      machine_.start(head);
      stuck_since_.reset();
      tell(head.position);
      log::info("writer", "leads", {{"position", head.position}});
      ready_ = !stopping_;
      impatient_ = true;
    } catch (const pg::Error& error) {
      complain_("cannot lead yet", error);
      note_progress(false);
      if (Clock::now() > *stuck_since_ + options_.doubt_max) step_down("it cannot begin to");
    }
  }

  void act(WriterOutputs out) {
    for (WriterOutputs::Load& load : out.loads) loader_->ask(std::move(load));
    if (out.key_page) loader_->ask(*out.key_page);
    keeper_->keep(std::move(out.snapshots));
    if (out.read_tail) wants_tail_ = out.read_tail;
    for (const WriterOutputs::Append& append : out.appends) {
      if (pipeline_.has_room()) {
        in_flight_.push_back({pipeline_.send(append.batch), append.id, append.batch.last().position});
      } else {
        machine_.append_finished(append.id, AppendResult::connection_lost);  // it was lost a moment ago; nothing is sent
        impatient_ = true;
      }
    }
  }

  /// Nothing is in flight. Before the tail is read, the backend of a lost connection is ended: afterwards nothing of it can be applied.
  /// What is found in it is answered, so it is on disk first.
  void read_tail(LogPoint after) {
    if (Clock::now() < next_attempt_) return;
    try {
      if (!pipeline_.connected()) pipeline_.reconnect();
      Tail tail = reader_.tail(after, tail_events_max);
      reader_.await_durable();
      tail.whole = tail.events.size() < tail_events_max;
      wants_tail_.reset();
      machine_.tail(tail);
      tell(tail.head.position);
      impatient_ = true;
    } catch (const pg::Error& error) {
      complain_("cannot read the tail yet", error);
      note_progress(false);
      if (!machine_.leading() && (Clock::now() > deposed_at_ + options_.doubt_max || pg::waits_have_ended())) give_up_tail();
    }
  }

  void give_up_tail() {
    log::error("writer", "commands are answered without knowing what became of them", {{"pending", machine_.pending()}});
    wants_tail_.reset();
    machine_.tail_unreachable();
  }

  /// For the other threads; and when they are to wake this one, which must not look up for each command while a batch gathers.
  void show_status() {
    const std::lock_guard lock(mutex_);
    wake_at_ = machine_.commands_wanted();
    if (inbox_.size() >= wake_at_) impatient_ = true;
    status_ = {.counters = machine_.counters(),
               .leading = machine_.leading(),
               .pending = machine_.pending(),
               .facts = machine_.facts().size(),
               .facts_bytes = machine_.facts().bytes(),
               .confirmed = machine_.confirmed().position,
               .loads_fail = loader_->stuck_for(options_.doubt_max)};
  }

  bool finished() const { return stopping_ && !machine_.leading() && machine_.idle() && machine_.pending() == 0; }

  void close_inbox() {
    std::vector<std::unique_ptr<Work>> late;
    {
      const std::lock_guard lock(mutex_);
      closed_ = true;
      late.swap(inbox_);
    }
    for (const std::unique_ptr<Work>& work : late) work->answer({.kind = Answer::Kind::unavailable});
  }

  const WriterOptions options_;
  Hub& hub_;

  // The writer's thread's own.
  WriterMachine machine_;
  AppendPipeline pipeline_;
  LogReader reader_;  ///< heads and tails
  std::deque<InFlight> in_flight_;
  std::vector<std::unique_ptr<Work>> mail_;
  std::optional<LogPoint> wants_tail_;
  Position told_ = 0;
  Complaint complain_;
  bool impatient_ = false;  ///< there is something to do without being woken
  Clock::time_point next_attempt_ = {};
  Clock::time_point deposed_at_ = {};
  std::optional<Clock::time_point> stuck_since_;  ///< the first failure since something was appended

  // Everybody's.
  std::atomic<bool> ready_ = false;
  std::atomic<bool> stopping_ = false;
  std::atomic<Clock::time_point> stop_at_ = Clock::time_point::max();
  mutable std::mutex mutex_;
  std::vector<std::unique_ptr<Work>> inbox_;
  std::size_t wake_at_ = 1;  ///< of so many in the inbox the writer wants to know
  bool woken_ = false;       ///< since it last looked
  bool closed_ = false;
  WriterStatus status_;

  std::unique_ptr<Loader> loader_;
  std::unique_ptr<Keeper> keeper_;
  std::unique_ptr<Notifier> notifier_;
  std::unique_ptr<Lease> lease_;
  std::jthread thread_;
};

Writer::Writer(WriterOptions options, MakeState make_state, Hub& hub)
    : loop_(std::make_unique<Loop>(std::move(options), std::move(make_state), hub)) {}

Writer::~Writer() = default;

void Writer::start() { loop_->start(); }
void Writer::stop(std::chrono::milliseconds drain_max) { loop_->stop(drain_max); }
bool Writer::submit(std::unique_ptr<Work> work) { return loop_->submit(std::move(work)); }
bool Writer::ready() const { return loop_->ready(); }
WriterStatus Writer::status() const { return loop_->status(); }

}  // namespace bloomwatch
