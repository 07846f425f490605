// Appending: one autocommitted prepared statement a batch with binary array parameters, several in flight through libpq's pipeline, each
// closed by a sync of its own. A batch is committed when its sync has come, not before: "command complete" comes ahead of the commit. It is
// reported when it is on disk as well: the commit does not wait for that, a second connection flushes all that has come meanwhile at once
// (ops/decisions/0011), so that the next batch is executed while the disk is at work.
#include <libpq-fe.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <deque>
#include <iterator>
#include <memory>
#include <system_error>

#include "events/durability.h"
#include "events/log.h"
#include "runtime/invariant.h"
#include "runtime/json.h"
#include "runtime/postgres_access.h"

namespace bloomwatch {

namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

/// Beyond this without an answer the connection counts as lost.
constexpr milliseconds answer_timeout{30'000};

// --------------------------------------------------------------------------------------------------------------------------- statements

/// What a batch carries decides its statement: nobody pays for what is not there.
struct Carries {
  bool events = false;
  bool claims = false;
  bool idempotency = false;

  static Carries of(const Batch& batch) { return {!batch.events.empty(), !batch.claims.empty(), !batch.idempotency.empty()}; }
  static Carries number(std::size_t index) { return {(index & 1) != 0, (index & 2) != 0, (index & 4) != 0}; }
  std::size_t index() const { return (events ? 1U : 0U) | (claims ? 2U : 0U) | (idempotency ? 4U : 0U); }
};

/// Takes the next parameters' numbers: `unnest($3), unnest($4)`. Set-returning functions in a select list run in step, without the
/// tuple store that each function of a FROM clause fills first.
class Numbers {
 public:
  std::string next() { return "$" + std::to_string(++last_); }
  std::string unnest(int count) {
    std::string out;
    for (int i = 0; i < count; ++i) out += (i == 0 ? "unnest(" : ", unnest(") + next() + ")";
    return out;
  }

 private:
  int last_ = 2;  // $1 and $2 are the fence
};

std::string append_sql(Carries carries) {
  Numbers numbers;
  // The fence: the event at its position is the one that the batch was decided on. Two batches on one fence meet at the next position,
  // where the primary key decides. A batch without events meets nobody there, so it looks itself whether somebody was.
  std::string fence = "(SELECT event_id FROM log.events WHERE position = $1) = $2";
  if (!carries.events) fence += " AND NOT EXISTS (SELECT FROM log.events WHERE position = $1 + 1)";

  std::string main = "SELECT 1 WHERE " + fence;
  if (carries.events) {
    main =
        "INSERT INTO log.events (position, recorded_at, version, schema_version, partition, event_id, stream_id, partition_key, "
        "command_id, correlation_id, account, profile, causation_id, undoes, category, type, origin, provider, reference, data) SELECT " +
        numbers.unnest(20) + " WHERE " + fence;
  }
  std::vector<std::string> others;
  if (carries.claims) {
    others.push_back("released AS (DELETE FROM log.claims WHERE key = ANY (" + numbers.next() + ") AND " + fence + ")");
    others.push_back("held AS (INSERT INTO log.claims (key, stream_id, category, retired_at) SELECT " + numbers.unnest(4) + " WHERE " +
                     fence +
                     " ON CONFLICT (key) DO UPDATE SET stream_id = excluded.stream_id, category = excluded.category, retired_at = "
                     "excluded.retired_at)");
  }
  if (carries.idempotency) {
    others.push_back(
        "answered AS (INSERT INTO log.idempotency (key, body_mac, command_id, id, version, position, refusal, created) SELECT " +
        numbers.unnest(8) + " WHERE " + fence + ")");
  }
  std::string with;
  for (const std::string& other : others) with += (with.empty() ? "WITH " : ", ") + other;
  return with + (with.empty() ? "" : " ") + main;
}

const pg::Statement& append_statement(Carries carries) {
  static const auto all = [] {
    std::array<std::unique_ptr<pg::Statement>, 8> statements;
    for (std::size_t i = 0; i < statements.size(); ++i) statements[i] = std::make_unique<pg::Statement>(append_sql(Carries::number(i)));
    return statements;
  }();
  return *all[carries.index()];
}

void add_events(pg::Params& params, const Batch& batch) {
  const std::vector<NewEvent>& events = batch.events;
  Position position = batch.fence.position;
  params.add_array(events, [&](const NewEvent&) { return ++position; });
  params.add_array(events, &NewEvent::recorded_at);
  params.add_array(events, &NewEvent::version);
  params.add_array(events, [](const NewEvent& e) { return static_cast<std::int16_t>(e.schema_version); });
  params.add_array(events, [](const NewEvent& e) { return partition_of(e.partition_key); });
  params.add_array(events, &NewEvent::event_id);
  params.add_array(events, [](const NewEvent& e) { return e.stream.id; });
  params.add_array(events, &NewEvent::partition_key);
  params.add_array(events, [](const NewEvent& e) { return e.by.command; });
  params.add_array(events, [](const NewEvent& e) { return e.by.correlation; });
  params.add_array(events, [](const NewEvent& e) { return e.by.account; });
  params.add_array(events, [](const NewEvent& e) { return e.by.profile; });
  params.add_array(events, [](const NewEvent& e) { return e.by.causation; });
  params.add_array(events, &NewEvent::undoes);
  params.add_array(events, [](const NewEvent& e) { return e.stream.category; });
  params.add_array(events, &NewEvent::type);
  params.add_array(events, [](const NewEvent& e) { return json::name_of(e.by.origin.kind); });
  params.add_array(events, [](const NewEvent& e) -> const std::optional<std::string>& { return e.by.origin.provider; });
  params.add_array(events, [](const NewEvent& e) -> const std::optional<std::string>& { return e.by.origin.reference; });
  params.add_array(events, [](const NewEvent& e) { return pg::Jsonb{e.data}; });
}

void add_claims(pg::Params& params, const std::vector<ClaimChange>& claims) {
  std::vector<ClaimKey> released;
  std::vector<const ClaimChange*> held;
  for (const ClaimChange& claim : claims) {
    if (claim.holder) {
      held.push_back(&claim);
    } else {
      released.push_back(claim.key);
    }
  }
  params.add_array(released);
  params.add_array(held, [](const ClaimChange* c) { return c->key; });
  params.add_array(held, [](const ClaimChange* c) { return c->holder->id; });
  params.add_array(held, [](const ClaimChange* c) { return std::string_view(c->holder->category); });
  params.add_array(held, [](const ClaimChange* c) { return c->holder->retired_at; });
}

void add_idempotency(pg::Params& params, const std::vector<IdempotencyRecord>& records) {
  params.add_array(records, &IdempotencyRecord::key);
  params.add_array(records, [](const IdempotencyRecord& r) { return pg::Bytes(r.body_mac); });
  params.add_array(records, &IdempotencyRecord::command);
  params.add_array(records, &IdempotencyRecord::id);
  params.add_array(records, &IdempotencyRecord::version);
  params.add_array(records, &IdempotencyRecord::position);
  params.add_array(records, [](const IdempotencyRecord& r) { return std::string_view(r.refusal); });
  params.add_array(records, &IdempotencyRecord::created);
}

pg::Params append_params(const Batch& batch, Carries carries) {
  pg::Params params(batch.fence.position, batch.fence.event_id);
  if (carries.events) add_events(params, batch);
  if (carries.claims) add_claims(params, batch.claims);
  if (carries.idempotency) add_idempotency(params, batch.idempotency);
  return params;
}

pg::Options append_options(std::string url) {
  pg::Options options;
  options.url = std::move(url);
  options.application_name = "bloomwatch writer";
  options.statement_timeout = answer_timeout - milliseconds(5000);
  // One plan for good, by index even if it was made on an empty table. The disk is waited for by the connection that flushes.
  options.settings = {{"enable_seqscan", "off"}, {"plan_cache_mode", "force_generic_plan"}, {"jit", "off"}, {"synchronous_commit", "off"}};
  return options;
}

pg::Options flush_options(const pg::Options& append) {
  pg::Options options = append;
  options.application_name = "bloomwatch writer flushes";
  options.settings = {{"synchronous_commit", "on"}};
  return options;
}

AppendResult classify(const pg::Error& error) {
  if (error.unique_violation() && (error.constraint() == "events_position" || error.constraint() == "idempotency_key"))
    return AppendResult::fence_lost;
  if (error.data_error()) return AppendResult::data_error;
  return AppendResult::connection_lost;  // no disk, no memory, cancelled …: whatever it was, begin anew and look at the tail
}

// ------------------------------------------------------------------------------------------------------------------------------ flushes

/// The connection that waits for the disk, one flush after the other. Throws pg::Error when it is lost.
class Flusher {
 public:
  explicit Flusher(const pg::Options& options) : connection_(options) { connection_.prepare(flush_commits, {}); }

  int socket() { return PQsocket(connection_.raw()); }
  bool under_way() const { return under_way_; }
  bool overdue() const { return under_way_ && Clock::now() - sent_ > answer_timeout; }

  /// For all that is committed by now.
  void begin() {
    if (PQsendQueryPrepared(connection_.raw(), flush_commits.name().c_str(), 0, nullptr, nullptr, nullptr, 1) == 0)
      throw pg::lost(connection_.raw());
    under_way_ = true;
    sent_ = Clock::now();
  }

  /// Takes what Postgres has said; true if the flush is over with it.
  bool hear() {
    PGconn* raw = connection_.raw();
    const bool alive = PQconsumeInput(raw) != 0;
    bool over = false;
    while (under_way_ && PQisBusy(raw) == 0) {
      const pg::Result result(PQgetResult(raw));
      over = result.raw() == nullptr;  // ready for the next query, so the commit is behind it
      under_way_ = !over;
      if (!over && PQresultStatus(result.raw()) != PGRES_TUPLES_OK) throw pg::error_of(result.raw(), raw);
    }
    if (!alive || PQstatus(raw) == CONNECTION_BAD) throw pg::lost(raw);
    return over;
  }

 private:
  pg::Connection connection_;
  bool under_way_ = false;
  Clock::time_point sent_ = {};
};

}  // namespace

// ----------------------------------------------------------------------------------------------------------------------------- pipeline

struct AppendPipeline::State {
  struct InFlight {
    std::uint64_t number;
    std::int64_t rows;  // that the statement affects if the fence holds
    Clock::time_point sent;
    AppendOutcome outcome;
  };
  struct Backend {
    int pid;
    std::string started;
  };

  pg::Options options;
  std::optional<pg::Connection> connection;
  std::optional<Flusher> flusher;       // there with `connection`
  std::optional<Backend> backend;       // of `connection`, or of the one that was lost
  std::deque<InFlight> in_flight;       // sent, not answered
  std::deque<AppendOutcome> unflushed;  // answered, perhaps not on disk
  std::size_t flushing = 0;             // the first of `unflushed`, for whom the flush under way is
  std::vector<AppendOutcome> done;
  std::uint64_t last_number = 0;
  bool unsent = false;
  int event = -1;
  std::atomic<bool> asleep = false;
  std::atomic<bool> woken = false;

  PGconn* raw() { return connection->raw(); }

  /// Everything not reported has an unknown outcome now. The sockets are closed; the backend may still be at work.
  void lose(const std::string& why) {
    for (AppendOutcome& outcome : unflushed) {
      if (outcome.result == AppendResult::committed) outcome = {outcome.batch, AppendResult::connection_lost, why};
      done.push_back(std::move(outcome));
    }
    for (const InFlight& batch : in_flight) done.push_back({batch.number, AppendResult::connection_lost, why});
    unflushed.clear();
    in_flight.clear();
    connection.reset();
    flusher.reset();
    unsent = false;
  }

  void send_rest() {
    const int left = PQflush(raw());
    if (left < 0) return lose(pg::lost(raw()).what());
    unsent = left > 0;
  }

  void read() {
    const bool alive = PQconsumeInput(raw()) != 0;
    for (int nothing = 0; connection && !in_flight.empty() && nothing < 2 && PQisBusy(raw()) == 0;) {
      const pg::Result result(PQgetResult(raw()));
      if (result.raw() == nullptr) {
        ++nothing;
        continue;
      }
      nothing = 0;
      take(result);
    }
    if (connection && (!alive || PQstatus(raw()) == CONNECTION_BAD)) lose(pg::lost(raw()).what());
    flush();
  }

  void take(const pg::Result& result) {
    InFlight& batch = in_flight.front();
    switch (PQresultStatus(result.raw())) {
      case PGRES_PIPELINE_SYNC: {
        const bool broken = batch.outcome.result == AppendResult::connection_lost;
        const std::string why = batch.outcome.detail;
        if (broken) return lose(why);
        unflushed.push_back(std::move(batch.outcome));
        in_flight.pop_front();
        return;
      }
      case PGRES_COMMAND_OK:
      case PGRES_TUPLES_OK: {
        const bool applied = result.affected() == batch.rows;
        batch.outcome.result = applied ? AppendResult::committed : AppendResult::fence_lost;
        if (!applied) batch.outcome.detail = "another event follows the fence";
        return;
      }
      default: {
        const pg::Error error = pg::error_of(result.raw(), raw());
        batch.outcome.result = classify(error);
        batch.outcome.detail = error.what();
      }
    }
  }

  /// One at a time, for all that has been answered.
  void flush() {
    if (!connection || flusher->under_way() || unflushed.empty()) return;
    flushing = unflushed.size();
    try {
      flusher->begin();
    } catch (const pg::Error& error) {
      lose(error.what());
    }
  }

  void read_flush() {
    try {
      if (!flusher->hear()) return;
    } catch (const pg::Error& error) {
      return lose(error.what());
    }
    const auto end = unflushed.begin() + static_cast<std::ptrdiff_t>(flushing);
    std::move(unflushed.begin(), end, std::back_inserter(done));
    unflushed.erase(unflushed.begin(), end);
    flush();
  }

  bool overdue() const {
    return (!in_flight.empty() && Clock::now() - in_flight.front().sent > answer_timeout) || (flusher && flusher->overdue()) ||
           (connection && pg::waits_have_ended());
  }

  /// Sleeps until Postgres answers, `wake` is called (then true) or the time is over.
  bool wait(milliseconds timeout) {
    std::array<pollfd, 3> polled = {{{event, POLLIN, 0}, {-1, 0, 0}, {-1, 0, 0}}};
    if (connection) polled[1] = {PQsocket(raw()), static_cast<short>(POLLIN | (unsent ? POLLOUT : 0)), 0};
    if (connection) polled[2] = {flusher->socket(), POLLIN, 0};
    asleep = true;
    const bool stay_awake = woken.load();
    const int ready = ::poll(polled.data(), polled.size(), stay_awake ? 0 : static_cast<int>(timeout.count()));
    asleep = false;
    if (ready > 0 && (polled[0].revents & POLLIN) != 0) {
      std::uint64_t count = 0;
      [[maybe_unused]] const ssize_t got = ::read(event, &count, sizeof count);
    }
    if (ready > 0 && connection && (polled[1].revents & POLLOUT) != 0) send_rest();
    if (ready > 0 && connection && (polled[1].revents & ~POLLOUT) != 0) read();
    if (ready > 0 && connection && polled[2].revents != 0) read_flush();
    return woken.exchange(false);
  }
};

AppendPipeline::AppendPipeline(std::string database_url) : state_(std::make_unique<State>()) {
  state_->options = append_options(std::move(database_url));
  state_->event = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (state_->event < 0) throw std::system_error(errno, std::generic_category(), "eventfd");
}

AppendPipeline::~AppendPipeline() { ::close(state_->event); }

void AppendPipeline::reconnect() {
  invariant(in_flight() == 0, "no batch is in flight when the writer connects");
  state_->connection.reset();
  state_->flusher.reset();
  if (state_->backend) {
    pg::end_backend({.url = state_->options.url, .application_name = "bloomwatch writer"}, state_->backend->pid, state_->backend->started);
    state_->backend.reset();
  }
  pg::Connection connection(state_->options);
  const std::string started =
      connection.query("SELECT backend_start::text FROM pg_stat_activity WHERE pid = pg_backend_pid()")[0].get<std::string>(0);
  for (std::size_t i = 0; i < 8; ++i) connection.prepare(append_statement(Carries::number(i)), append_params({}, Carries::number(i)));
  if (PQenterPipelineMode(connection.raw()) == 0 || PQsetnonblocking(connection.raw(), 1) != 0) throw pg::lost(connection.raw());
  state_->flusher.emplace(flush_options(state_->options));
  state_->backend = State::Backend{connection.backend_pid(), started};
  state_->connection.emplace(std::move(connection));
}

bool AppendPipeline::connected() const { return state_->connection.has_value(); }
std::size_t AppendPipeline::in_flight() const { return state_->in_flight.size() + state_->unflushed.size(); }

std::uint64_t AppendPipeline::send(const Batch& batch) {
  invariant(has_room(), "a batch is sent only where there is room for it");
  State& state = *state_;
  const Carries carries = Carries::of(batch);
  const pg::Statement& statement = append_statement(carries);
  const pg::Params params = append_params(batch, carries);
  const pg::ParamsAccess access(params);
  const std::uint64_t number = ++state.last_number;
  state.in_flight.push_back({number,
                             carries.events ? static_cast<std::int64_t>(batch.events.size()) : 1,
                             Clock::now(),
                             {number, AppendResult::connection_lost, {}}});
  if (PQsendQueryPrepared(state.raw(), statement.name().c_str(), access.count, access.values.data(), access.lengths, access.formats.data(),
                          1) == 0 ||
      PQpipelineSync(state.raw()) == 0) {
    state.lose(pg::lost(state.raw()).what());
    return number;
  }
  state.send_rest();
  return number;
}

std::vector<AppendOutcome> AppendPipeline::poll(milliseconds timeout) {
  State& state = *state_;
  const auto deadline = Clock::now() + timeout;
  if (state.connection && !state.in_flight.empty()) state.read();
  while (state.done.empty()) {
    if (state.overdue()) {
      state.lose("Postgres did not answer in time");
      break;
    }
    const auto left = std::chrono::ceil<milliseconds>(deadline - Clock::now());
    const bool woken = state.wait(std::clamp(left, milliseconds(0), milliseconds(1000)));
    if (woken || Clock::now() >= deadline) break;
  }
  return std::exchange(state.done, {});
}

void AppendPipeline::wake() {
  state_->woken = true;
  if (state_->asleep.exchange(false)) {
    const std::uint64_t one = 1;
    [[maybe_unused]] const ssize_t written = ::write(state_->event, &one, sizeof one);
  }
}

}  // namespace bloomwatch
