// The connection, the pool and what threads do with them; runtime/postgres_pipeline.cpp has the pipelined reads.
// Every wait has a deadline: a server that hangs costs its caller an error, not its thread.
#include "runtime/postgres.h"

#include <libpq-fe.h>
#include <poll.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <string>

#include "runtime/ascii.h"
#include "runtime/invariant.h"
#include "runtime/postgres_access.h"

namespace bloomwatch::pg {

using Clock = std::chrono::steady_clock;

// ------------------------------------------------------------------------------------------------------------------ errors and values

bool Error::connection_lost() const {
  return sqlstate_.empty() || sqlstate_.starts_with("08") || sqlstate_.starts_with("57P") || sqlstate_ == "25P03";
}

namespace {

/// libpq ends its messages with a line end.
std::string trimmed(const char* message) { return std::string(ascii::trimmed(message == nullptr ? "" : message)); }

std::string field(const PGresult* result, int code) {
  const char* text = PQresultErrorField(result, code);
  return text == nullptr ? "" : text;
}

}  // namespace

Error error_of(const PGresult* result, const PGconn* connection) {
  std::string sqlstate = field(result, PG_DIAG_SQLSTATE);
  std::string message = trimmed(PQresultErrorMessage(result));
  if (message.empty()) message = trimmed(PQerrorMessage(connection));
  if (sqlstate.empty()) sqlstate = PQstatus(connection) == CONNECTION_BAD ? "08006" : "XX000";
  return {message, sqlstate, field(result, PG_DIAG_CONSTRAINT_NAME)};
}

Error lost(const PGconn* connection) { return {"connection to Postgres lost: " + trimmed(PQerrorMessage(connection)), "08006"}; }

namespace {
/// Nothing where `element` is no element's type, but an array's.
std::optional<std::uint32_t> array_type(Type element) {
  switch (element) {
    case Type::boolean:
      return 1000;
    case Type::bytea:
      return 1001;
    case Type::int8:
      return 1016;
    case Type::int2:
      return 1005;
    case Type::int4:
      return 1007;
    case Type::text:
      return 1009;
    case Type::float8:
      return 1022;
    case Type::timestamptz:
      return 1185;
    case Type::uuid:
      return 2951;
    case Type::jsonb:
      return 3807;
  }
  return std::nullopt;
}
}  // namespace

std::uint32_t array_of(Type element) {
  const auto type = array_type(element);
  invariant(type.has_value(), "a parameter type has an array type");
  return *type;
}

std::size_t Params::begin(std::uint32_t type) {
  types_.push_back(type);
  offsets_.push_back(buffer_.size());
  return buffer_.size();
}

Params& Params::end(std::size_t start) {
  lengths_.push_back(static_cast<int>(buffer_.size() - start));
  return *this;
}

Params& Params::add_null(Type type) {
  begin(static_cast<std::uint32_t>(type));
  lengths_.push_back(-1);
  return *this;
}

std::size_t Params::begin_array(Type element) {
  const std::size_t header = buffer_.size();
  detail::put(buffer_, std::int32_t{1});  // one dimension
  detail::put(buffer_, std::int32_t{0});  // nulls or none
  detail::put_be(buffer_, static_cast<std::uint32_t>(element));
  detail::put(buffer_, std::int32_t{0});  // elements
  detail::put(buffer_, std::int32_t{1});  // lower bound
  return header;
}

void Params::end_array(std::size_t header, std::uint32_t count, bool nulls) {
  patch(header + 4, nulls ? 1 : 0);
  patch(header + 12, count);
}

void Params::patch(std::size_t at, std::uint32_t value) {
  value = std::byteswap(value);
  std::memcpy(buffer_.data() + at, &value, sizeof value);
}

std::optional<Params> Params::joined(std::span<const Params* const> runs) {
  const Params& one = *runs.front();
  if (one.size() == 0) return std::nullopt;
  for (const std::uint32_t type : one.types_)
    if (!array_type(static_cast<Type>(type))) return std::nullopt;  // an array has no array
  for (const Params* run : runs)
    if (run->types_ != one.types_) return std::nullopt;
  Params joined;
  for (std::size_t i = 0; i < one.size(); ++i) {
    const auto element = static_cast<Type>(one.types_[i]);
    const auto start = joined.begin(array_of(element));
    const auto header = joined.begin_array(element);
    bool nulls = false;
    for (const Params* run : runs) {
      const int length = run->lengths_[i];
      detail::put(joined.buffer_, length);
      if (length < 0)
        nulls = true;
      else
        joined.buffer_.append(run->buffer_, run->offsets_[i], static_cast<std::size_t>(length));
    }
    joined.end_array(header, static_cast<std::uint32_t>(runs.size()), nulls);
    joined.end(start);
  }
  return joined;
}

ParamsAccess::ParamsAccess(const Params& params)
    : count(static_cast<int>(params.types_.size())), types(params.types_.data()), lengths(params.lengths_.data()) {
  values.reserve(params.types_.size());
  for (std::size_t i = 0; i < params.types_.size(); ++i)
    values.push_back(params.lengths_[i] < 0 ? nullptr : params.buffer_.data() + params.offsets_[i]);
  formats.assign(params.types_.size(), 1);
}

void detail::bad_cell(const Cell& cell, std::string_view wanted) {
  throw Error(
      "a column is not " + std::string(wanted) + " (type " + std::to_string(cell.type) + ", " + std::to_string(cell.size) + " bytes)",
      "42804");
}

void detail::each_element(const Cell& cell, const std::function<void(const Cell*)>& visit) {
  const char* at = cell.data;
  const char* end = cell.data + cell.size;
  const auto word = [&] {
    if (end - at < 4) bad_cell(cell, "an array");
    const auto value = static_cast<std::int32_t>(get_be<std::uint32_t>(at));
    at += 4;
    return value;
  };
  const int dimensions = word();
  word();  // whether there are nulls
  const auto element_type = static_cast<std::uint32_t>(word());
  if (dimensions == 0) return;
  if (dimensions != 1) bad_cell(cell, "an array of one dimension");
  const int count = word();
  word();  // lower bound
  for (int i = 0; i < count; ++i) {
    const int size = word();
    if (size < 0) {
      visit(nullptr);
      continue;
    }
    if (end - at < size) bad_cell(cell, "an array");
    const Cell element{at, size, element_type};
    visit(&element);
    at += size;
  }
}

Result::Result(pg_result* raw) : raw_(raw, PQclear), size_(raw == nullptr ? 0 : PQntuples(raw)) {}

int Result::columns() const { return raw_ ? PQnfields(raw_.get()) : 0; }

Result Result::part(int first, int last) const {
  Result some;
  some.raw_ = raw_;
  some.first_ = first_ + first;
  some.size_ = last - first;
  return some;
}

std::int64_t Result::affected() const {
  const char* text = raw_ ? PQcmdTuples(raw_.get()) : "";
  return *text == '\0' ? 0 : std::stoll(text);
}

std::optional<Cell> Row::cell(int column) const {
  const PGresult* raw = result_->raw();
  const int row = result_->first_ + row_;
  if (PQgetisnull(raw, row, column) != 0) return std::nullopt;
  return Cell{PQgetvalue(raw, row, column), PQgetlength(raw, row, column), PQftype(raw, column)};
}

Statement::Statement(std::string sql) : sql_(std::move(sql)) {
  static std::atomic<std::uint64_t> next{1};
  id_ = next.fetch_add(1);
  name_ = "s" + std::to_string(id_);
}

// ------------------------------------------------------------------------------------------------------------------------ connection

namespace {

std::string quoted(std::string_view name) {
  std::string out = "\"";
  for (const char c : name) out.append(c == '"' ? 2 : 1, c);
  return out + '"';
}

std::atomic<Clock::time_point> waits_end = never;

/// Waits this long at most before it looks whether the process ends.
constexpr Milliseconds look_every{250};

PGconn* connect(const Options& options) {
  check_url(options.url);
  if (waits_have_ended()) throw Error("no connection to Postgres is opened any more: the process ends", "08001");
  const std::string seconds = std::to_string(std::max<std::int64_t>(1, options.connect_timeout.count() / 1000));
  // Keepalives and the user timeout find a machine that vanished; they only concern TCP.
  const char* names[] = {"dbname",           "fallback_application_name", "connect_timeout",
                         "keepalives_idle",  "keepalives_interval",       "keepalives_count",
                         "tcp_user_timeout", "client_encoding",           nullptr};
  const char* values[] = {options.url.c_str(), options.application_name.c_str(), seconds.c_str(), "10", "3", "3", "10000", "UTF8", nullptr};
  return PQconnectdbParams(names, values, 1);
}

}  // namespace

void check_url(const std::string& url) {
  const std::unique_ptr<PQconninfoOption, void (*)(PQconninfoOption*)> parts(PQconninfoParse(url.c_str(), nullptr), PQconninfoFree);
  bool plain = parts != nullptr;
  for (const PQconninfoOption* part = parts.get(); plain && part->keyword != nullptr; ++part) {
    const std::string_view keyword = part->keyword;
    const std::string_view value = part->val == nullptr ? "" : part->val;
    // Where a password ends too early, its rest is taken for these.
    if (keyword == "host") plain = !value.contains('@');
    if (keyword == "port") plain = std::ranges::all_of(value, [](char c) { return ascii::is_digit(c) || c == ','; });
  }
  if (!plain)
    throw std::runtime_error(
        "the database URL cannot be read: it is postgresql://user:password@host:port/name, special characters of the "
        "password as %XX (RFC 3986 §2.1), or libpq's `name=value` pairs");
}

void end_waits(Clock::time_point when) { waits_end = when; }
bool waits_have_ended() { return Clock::now() >= waits_end.load(); }

Connection::Connection(const Options& options) : raw_(connect(options)), statement_timeout_(options.statement_timeout) {
  if (PQstatus(raw_) != CONNECTION_OK) {
    const std::string why = trimmed(PQerrorMessage(raw_));
    close();
    throw Error("cannot connect to Postgres: " + why, "08001");
  }
  PQsetNoticeProcessor(raw_, [](void*, const char*) {}, nullptr);
  std::string settings = "SET statement_timeout = " + std::to_string(options.statement_timeout.count());
  for (const auto& [name, value] : options.settings) settings += "; SET " + name + " = '" + value + "'";
  try {
    script(settings);
  } catch (...) {
    close();
    throw;
  }
}

Connection::~Connection() { close(); }

Connection::Connection(Connection&& other) noexcept
    : raw_(std::exchange(other.raw_, nullptr)),
      statement_timeout_(other.statement_timeout_),
      broken_(other.broken_),
      prepared_(std::move(other.prepared_)) {}

Connection& Connection::operator=(Connection&& other) noexcept {
  if (this != &other) {
    close();
    raw_ = std::exchange(other.raw_, nullptr);
    statement_timeout_ = other.statement_timeout_;
    broken_ = other.broken_;
    prepared_ = std::move(other.prepared_);
  }
  return *this;
}

void Connection::close() noexcept {
  if (raw_ != nullptr) PQfinish(raw_);
  raw_ = nullptr;
}

Clock::time_point Connection::answer_deadline() const {
  if (statement_timeout_.count() == 0) return never;
  return Clock::now() + statement_timeout_ + std::chrono::seconds(5);
}

void Connection::wait_readable(Clock::time_point deadline) {
  const auto now = Clock::now();
  const auto until = std::min(deadline, waits_end.load());
  const auto wait = until == never ? look_every : std::clamp(std::chrono::ceil<Milliseconds>(until - now), Milliseconds(0), look_every);
  pollfd waiting{PQsocket(raw_), POLLIN, 0};
  const int ready = ::poll(&waiting, 1, static_cast<int>(wait.count()));
  if (ready < 0 && errno == EINTR) return;
  if (ready == 0) {
    if (now + wait < std::min(deadline, waits_end.load())) return;
    broken_ = true;
    throw Error("Postgres did not answer in time", "08006");
  }
  if (PQconsumeInput(raw_) == 0) {
    broken_ = true;
    throw lost(raw_);
  }
}

/// The next result of what was sent, or nothing at its end.
Result Connection::take_result() {
  const auto deadline = answer_deadline();
  while (PQisBusy(raw_) != 0) wait_readable(deadline);
  return Result(PQgetResult(raw_));
}

/// All results of a command that was sent; throws the first error, once the connection can be used again.
Result Connection::finish_command() {
  Result kept;
  std::optional<Error> failure;
  for (Result next = take_result(); next.raw() != nullptr; next = take_result()) {
    const ExecStatusType status = PQresultStatus(next.raw());
    if (status == PGRES_FATAL_ERROR && !failure) failure = error_of(next.raw(), raw_);
    if (status == PGRES_COPY_IN || status == PGRES_COPY_OUT) return next;
    kept = std::move(next);
  }
  // A session that may only read stays so after its server, or the setting, has changed back: another one is wanted.
  if (PQstatus(raw_) == CONNECTION_BAD || (failure && failure->sqlstate() == "25006")) broken_ = true;
  if (failure) throw *failure;
  if (broken_) throw lost(raw_);
  return kept;
}

void Connection::prepare(const Statement& statement, const Params& params) {
  if (prepared_.contains(statement.id())) return;
  const ParamsAccess access(params);
  if (PQsendPrepare(raw_, statement.name().c_str(), statement.sql().c_str(), access.count, access.types) == 0) throw lost(raw_);
  finish_command();
  prepared_.insert(statement.id());
}

Result Connection::run(const Statement& statement, const Params& params) {
  prepare(statement, params);
  const ParamsAccess access(params);
  if (PQsendQueryPrepared(raw_, statement.name().c_str(), access.count, access.values.data(), access.lengths, access.formats.data(), 1) ==
      0)
    throw lost(raw_);
  return finish_command();
}

Result Connection::query(const std::string& sql, const Params& params) {
  const ParamsAccess access(params);
  if (PQsendQueryParams(raw_, sql.c_str(), access.count, access.types, access.values.data(), access.lengths, access.formats.data(), 1) == 0)
    throw lost(raw_);
  return finish_command();
}

void Connection::script(const std::string& sql) {
  if (PQsendQuery(raw_, sql.c_str()) == 0) throw lost(raw_);
  finish_command();
}

std::vector<Result> Connection::run_together(std::span<const Call> calls) {
  const bool within = in_transaction();
  for (const Call& call : calls) prepare(call.statement, call.params);
  if (PQenterPipelineMode(raw_) == 0) throw lost(raw_);
  for (const Call& call : calls) {
    const ParamsAccess access(call.params);
    if (PQsendQueryPrepared(raw_, call.statement.name().c_str(), access.count, access.values.data(), access.lengths, access.formats.data(),
                            1) == 0)
      throw lost(raw_);
  }
  if (PQpipelineSync(raw_) == 0) {
    broken_ = true;
    throw lost(raw_);
  }
  std::vector<Result> results;
  results.reserve(calls.size());
  std::optional<Error> failure;
  for (bool synced = false; !synced;) {
    Result next = take_result();
    if (next.raw() == nullptr) {
      if (PQstatus(raw_) == CONNECTION_BAD) {
        broken_ = true;
        throw lost(raw_);
      }
      continue;
    }
    const ExecStatusType status = PQresultStatus(next.raw());
    if (status == PGRES_FATAL_ERROR && !failure) failure = error_of(next.raw(), raw_);
    if (status == PGRES_PIPELINE_SYNC) {
      synced = true;
    } else {
      results.push_back(std::move(next));
    }
  }
  if (PQexitPipelineMode(raw_) == 0) broken_ = true;
  if (failure) {
    if (!broken_ && !within && in_transaction()) script("ROLLBACK");
    throw *failure;
  }
  return results;
}

void Connection::copy_out(const std::string& sql, const std::function<void(std::string_view)>& take) {
  if (PQsendQuery(raw_, sql.c_str()) == 0) throw lost(raw_);
  if (PQresultStatus(finish_command().raw()) != PGRES_COPY_OUT) throw Error("not a COPY … TO STDOUT", "42601");
  for (;;) {
    char* data = nullptr;
    const int size = PQgetCopyData(raw_, &data, 1);
    if (size == 0) {
      wait_readable(answer_deadline());
      continue;
    }
    if (size < 0) break;
    const std::unique_ptr<char, void (*)(void*)> owned(data, PQfreemem);
    take({data, static_cast<std::size_t>(size)});
  }
  finish_command();
}

std::int64_t Connection::copy_in(const std::string& sql, const std::function<bool(std::string&)>& more) {
  if (PQsendQuery(raw_, sql.c_str()) == 0) throw lost(raw_);
  if (PQresultStatus(finish_command().raw()) != PGRES_COPY_IN) throw Error("not a COPY … FROM STDIN", "42601");
  std::string data;
  try {
    for (bool go_on = true; go_on; data.clear()) {
      go_on = more(data);
      if (!data.empty() && PQputCopyData(raw_, data.data(), static_cast<int>(data.size())) < 0) throw lost(raw_);
    }
  } catch (...) {
    if (PQputCopyEnd(raw_, "the sender gave up") < 0) broken_ = true;
    try {
      if (!broken_) finish_command();
    } catch (const Error&) {  // NOLINT(bugprone-empty-catch): the error that we asked for
    }
    throw;
  }
  if (PQputCopyEnd(raw_, nullptr) < 0) throw lost(raw_);
  return finish_command().affected();
}

void Connection::listen(std::string_view channel) { script("LISTEN " + quoted(channel)); }

void Connection::notify(std::string_view channel, std::string_view payload) {
  static const Statement statement("SELECT pg_notify($1, $2)");
  run(statement, Params(channel, payload));
}

std::optional<Notification> Connection::wait_notification(Milliseconds timeout) {
  const auto deadline = Clock::now() + timeout;
  for (;;) {
    if (PGnotify* found = PQnotifies(raw_); found != nullptr) {
      Notification notification{found->relname, found->extra};
      PQfreemem(found);
      return notification;
    }
    if (PQstatus(raw_) == CONNECTION_BAD) throw lost(raw_);
    const auto left = std::chrono::ceil<Milliseconds>(deadline - Clock::now()).count();
    pollfd waiting{PQsocket(raw_), POLLIN, 0};
    const int ready = left <= 0 ? 0 : ::poll(&waiting, 1, static_cast<int>(left));
    if (ready < 0 && errno == EINTR) continue;
    if (ready <= 0) return std::nullopt;
    if (PQconsumeInput(raw_) == 0) {
      broken_ = true;
      throw lost(raw_);
    }
  }
}

bool Connection::usable() const {
  if (raw_ == nullptr || broken_ || PQstatus(raw_) == CONNECTION_BAD) return false;
  // The server speaks unasked only to notify or to say goodbye; the end of the connection comes behind that.
  for (pollfd idle{PQsocket(raw_), POLLIN, 0}; ::poll(&idle, 1, 0) > 0;) {
    if (PQconsumeInput(raw_) == 0) return false;
  }
  return PQstatus(raw_) == CONNECTION_OK;
}

bool Connection::in_transaction() const { return PQtransactionStatus(raw_) != PQTRANS_IDLE; }
int Connection::backend_pid() const { return PQbackendPID(raw_); }

Transaction::Transaction(Connection& connection, std::string_view mode) : connection_(connection) {
  connection_.script("BEGIN " + std::string(mode));
}

Transaction::~Transaction() {
  if (!open_ || !connection_.usable()) return;
  try {
    connection_.script("ROLLBACK");
  } catch (const Error&) {  // NOLINT(bugprone-empty-catch): the connection is gone, and the transaction with it
  }
}

void Transaction::commit() {
  open_ = false;
  connection_.script("COMMIT");
}

void end_backend(const Options& options, int pid, std::string_view started, Milliseconds timeout) {
  Connection connection(options);
  const auto deadline = Clock::now() + timeout;
  while (Clock::now() < deadline) {
    const Result found = connection.query(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid = $1 AND backend_start::text = $2", Params(pid, started));
    if (found.empty()) return;
    std::this_thread::sleep_for(Milliseconds(10));
  }
  throw Error("the backend of a lost connection does not end", "57014");
}

// ------------------------------------------------------------------------------------------------------------------------------ pool

Pool::Pool(Options options, Limits limits) : options_(std::move(options)), limits_(limits) {}

Pool::Checkout::Checkout(Checkout&& other) noexcept : pool_(other.pool_), connection_(std::move(other.connection_)) {}

Pool::Checkout::~Checkout() {
  if (connection_ == nullptr) return;
  try {
    if (connection_->usable() && connection_->in_transaction()) connection_->script("ROLLBACK");
  } catch (const Error&) {  // NOLINT(bugprone-empty-catch): given back unusable, and so dropped
  }
  pool_->give_back(std::move(connection_));
}

void Pool::give_back(std::unique_ptr<Connection> connection) {
  {
    const std::lock_guard lock(mutex_);
    --out_;
    if (connection != nullptr && connection->usable()) idle_.push_back(std::move(connection));
  }
  freed_.notify_one();
}

Pool::Checkout Pool::checkout() {
  const auto deadline = Clock::now() + limits_.checkout_timeout;
  std::unique_lock lock(mutex_);
  for (;;) {
    if (!freed_.wait_until(lock, deadline, [&] { return out_ < limits_.connections_max; }))
      throw Error("all connections to Postgres are busy", "57014");
    while (!idle_.empty()) {  // the one used last first: the others may rest
      std::unique_ptr<Connection> connection = std::move(idle_.back());
      idle_.pop_back();
      if (!connection->usable()) continue;
      ++out_;
      return {*this, std::move(connection)};
    }
    if (next_attempt_ <= Clock::now()) break;
    if (next_attempt_ >= deadline) throw Error("Postgres cannot be reached; the next attempt is later", "08001");
    freed_.wait_until(lock, next_attempt_);
  }
  ++out_;
  lock.unlock();
  try {
    auto connection = std::make_unique<Connection>(options_);
    lock.lock();
    backoff_ = Milliseconds(0);
    return {*this, std::move(connection)};
  } catch (...) {
    lock.lock();
    backoff_ = std::min(Milliseconds(1000), std::max(Milliseconds(50), backoff_ * 2));
    next_attempt_ = Clock::now() + backoff_;
    --out_;
    freed_.notify_one();
    throw;
  }
}

// --------------------------------------------------------------------------------------------------------------------- notifications

namespace {
/// Waits unless asked to stop.
void pause(const std::stop_token& stop, Milliseconds time) {
  const auto until = Clock::now() + time;
  while (!stop.stop_requested() && Clock::now() < until) std::this_thread::sleep_for(Milliseconds(20));
}
}  // namespace

Listener::Listener(Options options, std::vector<std::string> channels, std::function<void(const Notification&)> callback)
    : options_(std::move(options)),
      channels_(std::move(channels)),
      callback_(std::move(callback)),
      thread_([this](const std::stop_token& stop) { run(stop); }) {}

Listener::~Listener() = default;

void Listener::run(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    try {
      Connection connection(options_);
      for (const std::string& channel : channels_) connection.listen(channel);
      while (!stop.stop_requested()) {
        if (const auto notification = connection.wait_notification(Milliseconds(100))) callback_(*notification);
      }
    } catch (const Error&) {  // whoever waits has a poll behind it
      pause(stop, Milliseconds(300));
    }
  }
}

Notifier::Notifier(Options options, std::string channel) : options_(std::move(options)), channel_(std::move(channel)) {
  options_.settings.emplace_back("synchronous_commit", "off");  // a wake-up need not survive a crash
  thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
}

Notifier::~Notifier() = default;

void Notifier::notify(std::string payload) {
  {
    const std::lock_guard lock(mutex_);
    pending_ = std::move(payload);
  }
  wake_.notify_one();
}

void Notifier::run(const std::stop_token& stop) {
  constexpr Milliseconds pace{5};  // what comes within it goes out as one
  std::unique_ptr<Connection> connection;
  while (!stop.stop_requested()) {
    std::string payload;
    {
      std::unique_lock lock(mutex_);
      if (!wake_.wait(lock, stop, [&] { return pending_.has_value(); })) return;
      payload = std::move(*pending_);
      pending_.reset();
    }
    try {
      if (connection == nullptr) connection = std::make_unique<Connection>(options_);
      connection->notify(channel_, payload);
      std::this_thread::sleep_for(pace);
    } catch (const Error&) {  // readers poll; the next wake-up comes with the next commit
      connection.reset();
      pause(stop, Milliseconds(300));
    }
  }
}

}  // namespace bloomwatch::pg
