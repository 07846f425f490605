// Page reads through libpq's pipeline mode: whatever has queued while the driver was away goes out as a group with one sync, so a group
// costs each side one write and one read, and Postgres one transaction. A failing statement aborts the rest of its group; those are sent
// again in a later group (they only read). Answers are handed over as they come; nothing waits for the sync.
// Runs of one SELECT within a group are joined, where that is wanted (postgres_joined.h).
#include <libpq-fe.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <system_error>

#include "runtime/invariant.h"
#include "runtime/logging.h"
#include "runtime/postgres.h"
#include "runtime/postgres_access.h"
#include "runtime/postgres_joined.h"

namespace bloomwatch::pg {

namespace {

using Clock = std::chrono::steady_clock;

/// One statement from submit to answer.
struct Job {
  const Statement* statement;
  Params params;
  Pipeline::Callback callback;
  Clock::time_point deadline;
  int attempts = 0;
  bool alone = false;  // it was joined to others, and one of them failed
};
using Jobs = std::vector<std::unique_ptr<Job>>;

/// What one sync closes. Results come in the order of `expected`.
struct Group {
  struct Expected {
    Jobs jobs;  // not answered yet; none from the start: the PREPARE of `statement`
    const Statement* statement;
    bool prepares = false;
    bool done = false;
  };
  std::vector<Expected> expected;
  std::size_t next = 0;
};

/// One connection and the groups in flight on it.
struct Link {
  std::unique_ptr<Connection> connection;
  std::unordered_set<std::uint64_t> prepared;
  std::deque<Group> groups;
  bool unsent = false;  // libpq holds bytes that the socket did not take
  Clock::time_point next_attempt = {};
  Milliseconds backoff{0};
};

Error timed_out() { return {"Postgres did not answer in time", "57014"}; }

}  // namespace

struct Pipeline::Driver {
  Driver(Options options, Limits limits, Around around)
      : options_(std::move(options)), limits_(limits), around_(std::move(around)), links_(limits.connections) {
    event_ = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (event_ < 0) throw std::system_error(errno, std::generic_category(), "eventfd");
    options_.connect_timeout = std::min(options_.connect_timeout, Milliseconds(2000));
    thread_ = std::thread([this] { run(); });
  }

  ~Driver() {
    {
      const std::lock_guard lock(mutex_);
      stopping_ = true;
    }
    signal();
    thread_.join();
    ::close(event_);
  }

  Milliseconds query_timeout() const { return limits_.query_timeout; }

  void submit(std::unique_ptr<Job> job) {
    std::unique_lock lock(mutex_);
    if (stopping_ || open_ >= limits_.queue_max) {
      lock.unlock();
      return job->callback(std::unexpected(Error("too many reads are waiting for Postgres", "53300")));
    }
    ++open_;
    incoming_.push_back(std::move(job));
    const bool wake = std::exchange(asleep_, false);
    lock.unlock();
    if (wake) signal();
  }

 private:
  void signal() const {
    const std::uint64_t one = 1;
    [[maybe_unused]] const ssize_t written = ::write(event_, &one, sizeof one);  // full: it is awake anyway
  }

  void run() {
    while (take_incoming()) {
      connect_links();
      send_groups();
      receive();
      expire();
    }
    answer_all(Error("the service is stopping", "57P01"));
  }

  /// Moves what was submitted to the end of the queue; false when stopping.
  bool take_incoming() {
    const std::lock_guard lock(mutex_);
    for (auto& job : incoming_) waiting_.push_back(std::move(job));
    incoming_.clear();
    return !stopping_;
  }

  void answer(std::unique_ptr<Job> job, std::expected<Result, Error> outcome) {
    open_.fetch_sub(1, std::memory_order_relaxed);
    job->callback(std::move(outcome));
  }

  // ------------------------------------------------------------------------------------------------------------------------- sending

  void connect_links() {
    for (Link& link : links_) {
      if (link.connection != nullptr || waiting_.empty() || Clock::now() < link.next_attempt) continue;
      try {
        link.connection = std::make_unique<Connection>(options_);
        PGconn* raw = link.connection->raw();
        if (PQenterPipelineMode(raw) == 0 || PQsetnonblocking(raw, 1) != 0) throw lost(raw);
        link.backoff = Milliseconds(0);
      } catch (const Error&) {  // what waits is answered at its deadline
        link.connection.reset();
        link.backoff = std::min(Milliseconds(500), std::max(Milliseconds(20), link.backoff * 2));
        link.next_attempt = Clock::now() + link.backoff;
      }
    }
  }

  bool has_room(const Link& link) const { return link.connection != nullptr && link.groups.size() < limits_.groups_in_flight_max; }

  void send_groups() {
    while (!waiting_.empty()) {
      Link* least = nullptr;
      std::size_t with_room = 0;
      for (Link& link : links_) {
        if (!has_room(link)) continue;
        ++with_room;
        if (least == nullptr || link.groups.size() < least->groups.size()) least = &link;
      }
      if (least == nullptr) return;
      const std::size_t share = (waiting_.size() + with_room - 1) / with_room;
      send_group(*least, std::min(share, limits_.group_max));
    }
  }

  void send_group(Link& link, std::size_t size) {
    Group& group = link.groups.emplace_back();
    bool sent = true;
    for (Jobs& runs : take_runs(size)) sent = send_runs(link, group, std::move(runs), sent) && sent;
    PGconn* raw = link.connection->raw();
    if (!sent || PQpipelineSync(raw) == 0) return drop(link, lost(raw));
    flush(link);
  }

  /// The next `size` of the queue, those together that may be joined.
  std::vector<Jobs> take_runs(std::size_t size) {
    std::vector<Jobs> taken;
    for (; size > 0; --size) {
      std::unique_ptr<Job> job = std::move(waiting_.front());
      waiting_.pop_front();
      ++job->attempts;
      const auto same = std::ranges::find_if(taken, [&](const Jobs& runs) {
        return !job->alone && !runs.front()->alone && runs.front()->statement == job->statement && runs.size() < limits_.joined_max;
      });
      (same == taken.end() ? taken.emplace_back() : *same).push_back(std::move(job));
    }
    return taken;
  }

  /// Whether libpq took them; `sent`: it took all before. They are in the group in any case.
  bool send_runs(Link& link, Group& group, Jobs runs, bool sent) {
    if (runs.size() == 1) {
      const Job& job = *runs.front();
      return send(link, group, *job.statement, job.params, std::move(runs), sent);
    }
    std::vector<const Params*> params;
    for (const auto& job : runs) params.push_back(&job->params);
    const std::optional<Params> joined = Params::joined(params);
    const Statement* statement = joined ? joined_.of(*runs.front()->statement, joined->size()) : nullptr;
    if (statement != nullptr) return send(link, group, *statement, *joined, std::move(runs), sent);
    for (auto& job : runs) {
      Jobs one;
      one.push_back(std::move(job));
      sent = send_runs(link, group, std::move(one), sent) && sent;
    }
    return sent;
  }

  bool send(Link& link, Group& group, const Statement& statement, const Params& params, Jobs jobs, bool sent) {
    PGconn* raw = link.connection->raw();
    const ParamsAccess access(params);
    const char* name = statement.name().c_str();
    if (link.prepared.insert(statement.id()).second) {
      group.expected.push_back({.jobs = {}, .statement = &statement, .prepares = true});
      sent = sent && PQsendPrepare(raw, name, statement.sql().c_str(), access.count, access.types) != 0;
    }
    group.expected.push_back({.jobs = std::move(jobs), .statement = &statement});
    return sent && PQsendQueryPrepared(raw, name, access.count, access.values.data(), access.lengths, access.formats.data(), 1) != 0;
  }

  void flush(Link& link) {
    const int left = PQflush(link.connection->raw());
    if (left < 0) return drop(link, lost(link.connection->raw()));
    link.unsent = left > 0;
  }

  // ----------------------------------------------------------------------------------------------------------------------- receiving

  /// Sleeps until there is something to read, to send or to time out.
  void receive() {
    std::vector<pollfd> polled{{event_, POLLIN, 0}};
    std::vector<Link*> of;
    for (Link& link : links_) {
      if (link.connection == nullptr) continue;
      polled.push_back({PQsocket(link.connection->raw()), static_cast<short>(POLLIN | (link.unsent ? POLLOUT : 0)), 0});
      of.push_back(&link);
    }
    const int ready = ::poll(polled.data(), polled.size(), fall_asleep());
    if (ready <= 0) return awake();
    awake();
    if ((polled[0].revents & POLLIN) != 0) {
      std::uint64_t count = 0;
      [[maybe_unused]] const ssize_t got = ::read(event_, &count, sizeof count);
    }
    for (std::size_t i = 0; i < of.size(); ++i) {
      if (polled[i + 1].revents == 0) continue;
      if ((polled[i + 1].revents & POLLOUT) != 0) flush(*of[i]);
      if (of[i]->connection != nullptr && (polled[i + 1].revents & ~POLLOUT) != 0) around_([&] { read(*of[i]); });
    }
  }

  /// How long to sleep in milliseconds: not at all if something came meanwhile, for ever if nothing is open.
  int fall_asleep() {
    const std::lock_guard lock(mutex_);
    const bool full = std::ranges::all_of(links_, [this](const Link& link) { return link.connection != nullptr && !has_room(link); });
    if ((!incoming_.empty() && !full) || stopping_) return 0;
    asleep_ = !full;  // while all are, what is submitted has nowhere to go before an answer comes, and that wakes
    const bool reconnecting = !waiting_.empty() && std::ranges::none_of(links_, [](const Link& l) { return l.connection != nullptr; });
    return reconnecting ? 10 : open_ > 0 ? 50 : -1;
  }

  void awake() {
    const std::lock_guard lock(mutex_);
    asleep_ = false;
  }

  void read(Link& link) {
    PGconn* raw = link.connection->raw();
    const bool alive = PQconsumeInput(raw) != 0;
    for (int nothing = 0; !link.groups.empty() && nothing < 2 && PQisBusy(raw) == 0;) {
      Result result(PQgetResult(raw));
      if (result.raw() == nullptr) {  // the end of one statement's results; twice: the end of all
        ++nothing;
        continue;
      }
      nothing = 0;
      take(link, std::move(result));
    }
    if (!alive || PQstatus(raw) == CONNECTION_BAD) drop(link, lost(raw));
  }

  void take(Link& link, Result result) {
    Group& group = link.groups.front();
    const ExecStatusType status = PQresultStatus(result.raw());
    if (status == PGRES_PIPELINE_SYNC) return finish(link);
    if (group.next >= group.expected.size()) return;  // the farewell of a connection that ends; read() sees that it is gone
    Group::Expected& expected = group.expected[group.next];
    if (status != PGRES_PIPELINE_ABORTED && PQstatus(link.connection->raw()) == CONNECTION_BAD) return;
    ++group.next;
    const bool good = status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK;
    if (expected.prepares) return take_prepared(link, group, expected, result);
    if (status == PGRES_PIPELINE_ABORTED || expected.done) return;
    if (good) {
      expected.done = true;
      return answer_runs(std::exchange(expected.jobs, {}), std::move(result));
    }
    const Error error = error_of(result.raw(), link.connection->raw());
    if (error.connection_lost()) return;  // a farewell: read() sees that the connection is gone, and drop() sends again
    if (error.sqlstate() == "26000") {    // its PREPARE was aborted in the group before: prepare it again, with the next
      link.prepared.erase(expected.statement->id());
      return;
    }
    // It made way for another in a deadlock, as for the switch of a rebuild.
    if (error.serialization_failure() && expected.jobs.front()->attempts < attempts_max) return;
    refuse(expected, error);
  }

  void answer_runs(Jobs jobs, Result result) {
    if (jobs.size() == 1) return answer(std::move(jobs.front()), std::move(result));
    std::vector<Result> parts = split_runs(result, jobs.size());
    for (std::size_t i = 0; i < jobs.size(); ++i) answer(std::move(jobs[i]), std::move(parts[i]));
  }

  /// Whoever was joined goes again alone: the error may be a neighbour's.
  void refuse(Group::Expected& expected, const Error& error) {
    if (expected.jobs.size() > 1) {
      for (auto& job : expected.jobs) job->alone = true;
      return;
    }
    expected.done = true;
    answer(std::move(std::exchange(expected.jobs, {}).front()), std::unexpected(error));
  }

  void take_prepared(Link& link, Group& group, Group::Expected& expected, const Result& result) {
    expected.done = true;
    if (PQresultStatus(result.raw()) == PGRES_COMMAND_OK) return;
    link.prepared.erase(expected.statement->id());
    if (PQresultStatus(result.raw()) != PGRES_FATAL_ERROR) return;  // aborted
    const Error error = error_of(result.raw(), link.connection->raw());
    if (error.connection_lost()) return;
    if (error.sqlstate() == "42P05") {  // prepared already, and forgotten by us: the group goes again
      link.prepared.insert(expected.statement->id());
      return;
    }
    refuse_users_of(group, *expected.statement, error);
  }

  /// A statement that cannot be prepared fails for all that asked for it; if it is a joined one, they ask alone.
  void refuse_users_of(Group& group, const Statement& statement, const Error& error) {
    if (joined_.refuse(statement)) log::warning("postgres", "a statement cannot be asked joined", {{"error", error.what()}});
    for (auto& expected : group.expected)
      if (!expected.jobs.empty() && expected.statement == &statement) refuse(expected, error);
  }

  /// The sync came: those that were aborted by another's error go again, before all others.
  void finish(Link& link) {
    Group group = std::move(link.groups.front());
    link.groups.pop_front();
    send_again(std::move(group));
  }

  void send_again(Group group) {
    for (auto& expected : group.expected | std::views::reverse)
      for (auto& job : expected.jobs | std::views::reverse) waiting_.push_front(std::move(job));
  }

  /// The connection is gone: its statements go again on another, once.
  void drop(Link& link, const Error& error) {
    link.connection.reset();
    link.prepared.clear();
    link.unsent = false;
    std::deque<Group> groups = std::exchange(link.groups, {});
    for (auto group = groups.rbegin(); group != groups.rend(); ++group) {
      for (auto& expected : group->expected)
        std::erase_if(expected.jobs, [&](auto& job) {
          if (job->attempts < attempts_max) return false;
          answer(std::move(job), std::unexpected(error));
          return true;
        });
      send_again(std::move(*group));
    }
  }

  // ------------------------------------------------------------------------------------------------------------------------- the end

  void expire() {
    const auto time = Clock::now();
    if (time < next_expiry_) return;
    next_expiry_ = time + Milliseconds(50);
    for (Link& link : links_) {
      const bool late = std::ranges::any_of(link.groups, [&](const Group& group) {
        return std::ranges::any_of(group.expected, [&](const auto& expected) {
          return std::ranges::any_of(expected.jobs, [&](const auto& job) { return job->deadline <= time; });
        });
      });
      if (late) drop(link, timed_out());  // libpq cannot give up one statement; its neighbours go again
    }
    for (std::size_t i = 0; i < waiting_.size();) {
      if (waiting_[i]->deadline > time) {
        ++i;
        continue;
      }
      std::unique_ptr<Job> job = std::move(waiting_[i]);
      waiting_.erase(waiting_.begin() + static_cast<std::ptrdiff_t>(i));
      answer(std::move(job), std::unexpected(timed_out()));
    }
  }

  void answer_all(const Error& error) {
    for (Link& link : links_) drop(link, error);
    {
      const std::lock_guard lock(mutex_);
      for (auto& job : incoming_) waiting_.push_back(std::move(job));
      incoming_.clear();
    }
    while (!waiting_.empty()) {
      std::unique_ptr<Job> job = std::move(waiting_.front());
      waiting_.pop_front();
      answer(std::move(job), std::unexpected(error));
    }
  }

  static constexpr int attempts_max = 8;  // lost connections, deadlocks and neighbours' errors together

  Options options_;
  Limits limits_;
  Around around_;
  int event_ = -1;
  std::vector<Link> links_;
  std::deque<std::unique_ptr<Job>> waiting_;  // the driver thread's, like what follows
  JoinedStatements joined_;
  Clock::time_point next_expiry_ = {};

  std::atomic<std::size_t> open_ = 0;  // submitted and not answered; counted up under the lock

  std::mutex mutex_;  // guards what follows
  std::vector<std::unique_ptr<Job>> incoming_;
  bool asleep_ = false;
  bool stopping_ = false;
  std::thread thread_;
};

Pipeline::Pipeline(Options options, Limits limits, Around around)
    : driver_(std::make_unique<Driver>(std::move(options), limits, std::move(around))) {}
Pipeline::~Pipeline() = default;

void Pipeline::submit(const Statement& statement, Params params, Callback callback) {
  const auto deadline = Clock::now() + driver_->query_timeout();
  driver_->submit(std::make_unique<Job>(&statement, std::move(params), std::move(callback), deadline));
}

}  // namespace bloomwatch::pg
