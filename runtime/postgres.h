// PostgreSQL as BloomWatch speaks it: libpq behind RAII, values in binary both ways, prepared statements, a pool, and pipelined page reads.
// Only this and events/log.* speak libpq. libpqxx is used where nothing is hot (runtime/migrate.cpp): its parameters are text, and text
// arrays cost Postgres 1.8 times as much as binary ones. No libpq header is needed to include this one.
#pragma once

#include <atomic>
#include <bit>
#include <chrono>
#include <concepts>
#include <condition_variable>
#include <cstdint>
#include <cstring>
#include <deque>
#include <expected>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <ranges>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <unordered_set>
#include <utility>
#include <vector>

#include "runtime/time.h"
#include "runtime/uuid.h"

struct pg_conn;
struct pg_result;

namespace bloomwatch::pg {

using Milliseconds = std::chrono::milliseconds;

// ---------------------------------------------------------------------------------------------------------------------------- errors

/// Postgres said no, or could not be asked. Infrastructure: thrown, and caught at the request edge or in a worker loop.
class Error : public std::runtime_error {
 public:
  /// `sqlstate` is empty where the connection failed before the server could name one.
  Error(const std::string& message, std::string sqlstate, std::string constraint = {})
      : std::runtime_error(message), sqlstate_(std::move(sqlstate)), constraint_(std::move(constraint)) {}

  const std::string& sqlstate() const { return sqlstate_; }
  /// The constraint that was violated, without schema; empty if none.
  const std::string& constraint() const { return constraint_; }
  /// The outcome of what was under way is unknown, and the connection is gone. Class 08, or an end by the server (57P01–57P05).
  bool connection_lost() const;
  bool unique_violation() const { return sqlstate_ == "23505"; }
  /// The data does not fit (class 22) or breaks a constraint (class 23); asking again cannot help.
  bool data_error() const { return sqlstate_.starts_with("22") || sqlstate_.starts_with("23"); }
  /// Serialization failure or deadlock: asking again may help.
  bool serialization_failure() const { return sqlstate_ == "40001" || sqlstate_ == "40P01"; }
  /// Others held a lock for longer than `lock_timeout`: asking again may help.
  bool lock_timed_out() const { return sqlstate_ == "55P03"; }
  /// An earlier statement of the transaction had failed.
  bool transaction_aborted() const { return sqlstate_ == "25P02"; }
  /// Taken too long: `statement_timeout`, or a deadline of ours.
  bool timed_out() const { return sqlstate_ == "57014"; }

 private:
  std::string sqlstate_;
  std::string constraint_;
};

// ------------------------------------------------------------------------------------------------------------------------ parameters

/// Type numbers of pg_type that we send; they never change.
enum class Type : std::uint32_t {
  boolean = 16,
  bytea = 17,
  int8 = 20,
  int2 = 21,
  int4 = 23,
  text = 25,
  float8 = 701,
  timestamptz = 1184,
  uuid = 2950,
  jsonb = 3802,
};
/// The array type of an element type.
std::uint32_t array_of(Type element);

/// A `jsonb` parameter: JSON text, not owned.
struct Jsonb {
  std::string_view text;
};
/// A `bytea` parameter or column, not owned.
using Bytes = std::span<const std::uint8_t>;

namespace detail {
inline void put_be(std::string& out, std::unsigned_integral auto value) {
  if constexpr (std::endian::native == std::endian::little && sizeof value > 1) value = std::byteswap(value);
  char bytes[sizeof value];
  std::memcpy(bytes, &value, sizeof value);
  out.append(bytes, sizeof value);
}
template <std::unsigned_integral U>
U get_be(const char* bytes) {
  U value;
  std::memcpy(&value, bytes, sizeof value);
  if constexpr (std::endian::native == std::endian::little && sizeof value > 1) value = std::byteswap(value);
  return value;
}
/// Postgres counts microseconds from 2000-01-01.
inline constexpr std::int64_t postgres_epoch_ms = 946'684'800'000;

// The binary form of one value, without its length. One overload for each C++ type that can be sent.
inline constexpr Type type_of(bool) { return Type::boolean; }
inline constexpr Type type_of(std::int16_t) { return Type::int2; }
inline constexpr Type type_of(std::int32_t) { return Type::int4; }
inline constexpr Type type_of(std::int64_t) { return Type::int8; }
inline constexpr Type type_of(double) { return Type::float8; }
inline constexpr Type type_of(std::string_view) { return Type::text; }
inline constexpr Type type_of(Bytes) { return Type::bytea; }
inline constexpr Type type_of(Jsonb) { return Type::jsonb; }
inline constexpr Type type_of(Time) { return Type::timestamptz; }
inline constexpr Type type_of(const Uuid&) { return Type::uuid; }
template <class Tag>
constexpr Type type_of(const Id<Tag>&) {
  return Type::uuid;
}

inline void put(std::string& out, bool value) { out.push_back(value ? '\1' : '\0'); }
inline void put(std::string& out, std::int16_t value) { put_be(out, static_cast<std::uint16_t>(value)); }
inline void put(std::string& out, std::int32_t value) { put_be(out, static_cast<std::uint32_t>(value)); }
inline void put(std::string& out, std::int64_t value) { put_be(out, static_cast<std::uint64_t>(value)); }
inline void put(std::string& out, double value) { put_be(out, std::bit_cast<std::uint64_t>(value)); }
inline void put(std::string& out, std::string_view value) { out.append(value); }
inline void put(std::string& out, Bytes value) { out.append(reinterpret_cast<const char*>(value.data()), value.size()); }
inline void put(std::string& out, Jsonb value) {
  out.push_back('\1');
  out.append(value.text);
}
inline void put(std::string& out, Time value) { put(out, (value.time_since_epoch().count() - postgres_epoch_ms) * 1000); }
inline void put(std::string& out, const Uuid& value) { out.append(reinterpret_cast<const char*>(value.bytes.data()), value.bytes.size()); }
template <class Tag>
void put(std::string& out, const Id<Tag>& value) {
  put(out, value.uuid);
}

template <class T>
inline constexpr bool is_optional = false;
template <class T>
inline constexpr bool is_optional<std::optional<T>> = true;

template <class T>
auto unwrap_sample() {
  if constexpr (is_optional<T>) {
    return typename T::value_type{};
  } else if constexpr (std::convertible_to<T, std::string_view>) {
    return std::string_view{};
  } else {
    return T{};
  }
}
}  // namespace detail

/// The binary parameters of one statement, in order: `Params(space, title, 3)`. Owns copies of all values; cheap to move.
/// Types: bool, std::int16_t/32_t/64_t, double, text (std::string, std::string_view, literals), Bytes, Jsonb, Time, Uuid, Id<…>,
/// std::optional of these (absent is NULL), and arrays through `add_array`. The C++ type decides the SQL type, so no casts are needed.
class Params {
 public:
  Params() = default;
  template <class First, class... Rest>
    requires(!std::same_as<std::remove_cvref_t<First>, Params>)
  explicit Params(const First& first, const Rest&... rest) {
    add(first);
    (add(rest), ...);
  }

  template <class T>
  Params& add(const T& value) {
    if constexpr (detail::is_optional<T>) {
      if (!value) return add_null(detail::type_of(detail::unwrap_sample<typename T::value_type>()));
      return add(*value);
    } else if constexpr (std::convertible_to<const T&, std::string_view>) {
      const auto start = begin(static_cast<std::uint32_t>(Type::text));
      detail::put(buffer_, std::string_view(value));
      return end(start);
    } else {
      const auto start = begin(static_cast<std::uint32_t>(detail::type_of(value)));
      detail::put(buffer_, value);
      return end(start);
    }
  }

  /// A one-dimensional array of what a range holds; elements may be optional. `projection` picks the value of each element:
  /// `add_array(rows, &Row::key)`, `add_array(rows, [](const Row& r) { return r.title; })`.
  template <std::ranges::forward_range Range, class Projection = std::identity>
  Params& add_array(const Range& range, Projection projection = {}) {
    using Value = std::remove_cvref_t<std::invoke_result_t<Projection&, std::ranges::range_reference_t<const Range>>>;
    constexpr Type element = detail::type_of(decltype(detail::unwrap_sample<decltype(plain<Value>())>()){});
    const auto start = begin(array_of(element));
    const auto header = begin_array(element);
    std::uint32_t count = 0;
    bool nulls = false;
    for (auto&& item : range) {
      put_element(std::invoke(projection, item), nulls);
      ++count;
    }
    end_array(header, count, nulls);
    return end(start);
  }

  Params& add_null(Type type);
  std::size_t size() const { return types_.size(); }

  /// The parameters of several runs of one statement, an array for each, one element a run. Nothing if there are none, if they differ in
  /// their types, or if one is an array itself.
  static std::optional<Params> joined(std::span<const Params* const> runs);

 private:
  friend struct ParamsAccess;
  template <class T>
  static auto plain() {
    if constexpr (detail::is_optional<T>) {
      return typename T::value_type{};
    } else {
      return T{};
    }
  }
  template <class T>
  void put_element(const T& value, bool& nulls) {
    if constexpr (detail::is_optional<T>) {
      if (value) return put_element(*value, nulls);
      nulls = true;
      detail::put_be(buffer_, ~std::uint32_t{0});
    } else {
      const std::size_t at = buffer_.size();
      detail::put_be(buffer_, std::uint32_t{0});
      if constexpr (std::convertible_to<const T&, std::string_view>) {
        detail::put(buffer_, std::string_view(value));
      } else {
        detail::put(buffer_, value);
      }
      patch(at, static_cast<std::uint32_t>(buffer_.size() - at - 4));
    }
  }
  std::size_t begin(std::uint32_t type);
  Params& end(std::size_t start);
  std::size_t begin_array(Type element);
  void end_array(std::size_t header, std::uint32_t count, bool nulls);
  void patch(std::size_t at, std::uint32_t value);

  std::string buffer_;
  std::vector<std::uint32_t> types_;
  std::vector<std::size_t> offsets_;
  std::vector<int> lengths_;  // −1: NULL
};

// --------------------------------------------------------------------------------------------------------------------------- results

/// One value as it came, in binary; views into the Result.
struct Cell {
  const char* data;
  int size;
  std::uint32_t type;
};

namespace detail {
[[noreturn]] void bad_cell(const Cell& cell, std::string_view wanted);

template <class T>
struct Read;
template <std::signed_integral T>
struct Read<T> {
  static T from(const Cell& cell) {
    std::int64_t value = 0;
    if (cell.size == 8) {
      value = static_cast<std::int64_t>(get_be<std::uint64_t>(cell.data));
    } else if (cell.size == 4) {
      value = static_cast<std::int32_t>(get_be<std::uint32_t>(cell.data));
    } else if (cell.size == 2) {
      value = static_cast<std::int16_t>(get_be<std::uint16_t>(cell.data));
    } else {
      bad_cell(cell, "an integer");
    }
    if (!std::in_range<T>(value)) bad_cell(cell, "a smaller integer");
    return static_cast<T>(value);
  }
};
template <>
struct Read<bool> {
  static bool from(const Cell& cell) {
    if (cell.size != 1) bad_cell(cell, "a boolean");
    return cell.data[0] != 0;
  }
};
template <>
struct Read<double> {
  static double from(const Cell& cell) {
    if (cell.size != 8) bad_cell(cell, "a double");
    return std::bit_cast<double>(get_be<std::uint64_t>(cell.data));
  }
};
template <>
struct Read<std::string_view> {
  static std::string_view from(const Cell& cell) {
    const bool skip_version = cell.type == static_cast<std::uint32_t>(Type::jsonb);  // jsonb's text comes after a version byte
    return {cell.data + (skip_version ? 1 : 0), static_cast<std::size_t>(cell.size - (skip_version ? 1 : 0))};
  }
};
template <>
struct Read<std::string> {
  static std::string from(const Cell& cell) { return std::string(Read<std::string_view>::from(cell)); }
};
template <>
struct Read<Bytes> {
  static Bytes from(const Cell& cell) { return {reinterpret_cast<const std::uint8_t*>(cell.data), static_cast<std::size_t>(cell.size)}; }
};
template <>
struct Read<Uuid> {
  static Uuid from(const Cell& cell) {
    Uuid uuid;
    if (cell.size != 16) bad_cell(cell, "a uuid");
    std::memcpy(uuid.bytes.data(), cell.data, 16);
    return uuid;
  }
};
template <class Tag>
struct Read<Id<Tag>> {
  static Id<Tag> from(const Cell& cell) { return Id<Tag>(Read<Uuid>::from(cell)); }
};
template <>
struct Read<Time> {
  static Time from(const Cell& cell) {
    if (cell.size != 8) bad_cell(cell, "a timestamptz");
    const auto microseconds = static_cast<std::int64_t>(get_be<std::uint64_t>(cell.data));
    return Time(std::chrono::floor<Milliseconds>(std::chrono::microseconds(microseconds)) + Milliseconds(postgres_epoch_ms));
  }
};
/// Elements of a one-dimensional array; `visit` gets a null pointer for NULL.
void each_element(const Cell& cell, const std::function<void(const Cell*)>& visit);
template <class T>
struct Read<std::vector<T>> {
  static std::vector<T> from(const Cell& cell) {
    std::vector<T> out;
    each_element(cell, [&](const Cell* element) {
      if constexpr (is_optional<T>) {
        out.push_back(element == nullptr ? T{} : T{Read<typename T::value_type>::from(*element)});
      } else {
        if (element == nullptr) bad_cell(cell, "an array without nulls");
        out.push_back(Read<T>::from(*element));
      }
    });
    return out;
  }
};
}  // namespace detail

class Result;

/// One row of a Result; valid as long as it.
class Row {
 public:
  Row(const Result& result, int row) : result_(&result), row_(row) {}
  bool null(int column) const { return !cell(column).has_value(); }
  /// The value of a column, 0 the first. NULL is allowed for std::optional only; a wrong type throws Error (a bug in the statement).
  /// std::string_view and Bytes point into the Result. `jsonb` reads as text, arrays as std::vector.
  template <class T>
  T get(int column) const {
    const std::optional<Cell> found = cell(column);
    if constexpr (detail::is_optional<T>) {
      if (!found) return std::nullopt;
      return T{detail::Read<typename T::value_type>::from(*found)};
    } else {
      if (!found) detail::bad_cell(Cell{nullptr, 0, 0}, "a value, not NULL");
      return detail::Read<T>::from(*found);
    }
  }
  std::optional<Cell> cell(int column) const;

 private:
  const Result* result_;
  int row_;
};

/// What a statement answered, or some rows of it. Shares it with those that have the others.
class Result {
 public:
  Result() = default;
  explicit Result(pg_result* raw);
  int size() const { return size_; }
  bool empty() const { return size() == 0; }
  Row operator[](int row) const { return Row(*this, row); }
  int columns() const;
  /// The rows from `first` to before `last`.
  Result part(int first, int last) const;
  /// Rows inserted, updated, deleted or selected, as the command tag says.
  std::int64_t affected() const;
  pg_result* raw() const { return raw_.get(); }

  class Iterator {
   public:
    using value_type = Row;
    using difference_type = std::ptrdiff_t;
    Iterator() = default;
    Iterator(const Result& result, int row) : result_(&result), row_(row) {}
    Row operator*() const { return Row(*result_, row_); }
    Iterator& operator++() {
      ++row_;
      return *this;
    }
    Iterator operator++(int) {
      Iterator old = *this;
      ++row_;
      return old;
    }
    bool operator==(const Iterator& other) const { return row_ == other.row_; }

   private:
    const Result* result_ = nullptr;
    int row_ = 0;
  };
  Iterator begin() const { return {*this, 0}; }
  Iterator end() const { return {*this, size()}; }

 private:
  friend class Row;
  std::shared_ptr<pg_result> raw_;
  int first_ = 0;
  int size_ = 0;
};

// ------------------------------------------------------------------------------------------------------------------------ connection

/// A statement that each connection prepares at its first use. Make it once and keep it (`static const pg::Statement …`): connections and
/// pipelines refer to it while they run it, and each object takes a name of its own on the server. The first use of a connection fixes
/// the parameters' types.
class Statement {
 public:
  explicit Statement(std::string sql);
  Statement(const Statement&) = delete;
  Statement& operator=(const Statement&) = delete;
  const std::string& sql() const { return sql_; }
  const std::string& name() const { return name_; }
  std::uint64_t id() const { return id_; }

 private:
  std::string sql_;
  std::uint64_t id_;
  std::string name_;
};

/// A statement with its parameters, for `Connection::run_together`.
struct Call {
  const Statement& statement;
  Params params = {};
};

/// How to connect. `url` is a libpq connection string or URI.
struct Options {
  std::string url;
  std::string application_name = "bloomwatch";
  Milliseconds connect_timeout{5000};
  Milliseconds statement_timeout{30'000};  ///< 0: none. The client gives up 5 s later by itself.
  /// `SET` once after connecting, e.g. {"enable_seqscan", "off"}.
  std::vector<std::pair<std::string, std::string>> settings = {};
};

/// Throws std::runtime_error where libpq would take `url` otherwise than it was meant, mostly for a password whose special characters are
/// not escaped. libpq's own errors repeat pieces of such a URL; ours say nothing of it. Connection asks this by itself.
void check_url(const std::string& url);

/// From then on nobody in this process waits for Postgres: what is under way is a lost connection, and no other one is opened. For a
/// process that ends. `never` takes it back.
void end_waits(std::chrono::steady_clock::time_point when);
inline constexpr std::chrono::steady_clock::time_point never = std::chrono::steady_clock::time_point::max();
/// Whether it is then.
bool waits_have_ended();

struct Notification {
  std::string channel;
  std::string payload;
};

/// One connection. Not for use from two threads at once. After a lost connection it stays broken: make another one (the pool does).
class Connection {
 public:
  /// Connects, or throws Error with `connection_lost()`, or as check_url().
  explicit Connection(const Options& options);
  ~Connection();
  Connection(Connection&&) noexcept;
  Connection& operator=(Connection&&) noexcept;

  /// Runs a prepared statement; parameters and rows are binary. Throws Error.
  Result run(const Statement& statement, const Params& params = {});
  /// The same without keeping it prepared.
  Result query(const std::string& sql, const Params& params = {});
  /// Several statements in one round trip (libpq's pipeline) and in one implicit transaction: all or nothing; the first error is thrown.
  /// In a transaction of the caller's they are part of that, and so is their failure: to be rolled back by the caller, or to a savepoint.
  /// Under READ COMMITTED each statement has a snapshot of its own.
  std::vector<Result> run_together(std::span<const Call> calls);
  /// SQL text of one or several statements, without parameters or rows.
  void script(const std::string& sql);

  /// `COPY … TO STDOUT`: `take` gets the data as it comes (text: one row at a time).
  void copy_out(const std::string& sql, const std::function<void(std::string_view)>& take);
  /// `COPY … FROM STDIN`: `more` appends the next data to its argument and says whether there may be more. Returns the rows copied.
  std::int64_t copy_in(const std::string& sql, const std::function<bool(std::string&)>& more);

  void listen(std::string_view channel);
  void notify(std::string_view channel, std::string_view payload);
  /// The next notification, or nothing within `timeout`. Throws Error when the connection is lost.
  std::optional<Notification> wait_notification(Milliseconds timeout);

  /// False once the connection was seen to be lost.
  bool usable() const;
  bool in_transaction() const;
  int backend_pid() const;
  pg_conn* raw() const { return raw_; }
  /// Prepares on the server unless done before on this connection.
  void prepare(const Statement& statement, const Params& params);

 private:
  friend class Transaction;
  Result take_result();
  void wait_readable(std::chrono::steady_clock::time_point deadline);
  std::chrono::steady_clock::time_point answer_deadline() const;
  Result finish_command();
  void close() noexcept;

  pg_conn* raw_ = nullptr;
  Milliseconds statement_timeout_{0};
  bool broken_ = false;
  std::unordered_set<std::uint64_t> prepared_;  // ids, because addresses come again
};

/// BEGIN … COMMIT; rolled back when it goes out of scope uncommitted.
class Transaction {
 public:
  /// `mode` follows BEGIN: "ISOLATION LEVEL REPEATABLE READ READ ONLY".
  explicit Transaction(Connection& connection, std::string_view mode = {});
  ~Transaction();
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;

  Result run(const Statement& statement, const Params& params = {}) { return connection_.run(statement, params); }
  Result query(const std::string& sql, const Params& params = {}) { return connection_.query(sql, params); }
  void commit();

 private:
  Connection& connection_;
  bool open_ = true;
};

/// Ends the server's process of another connection and returns once it is gone, so that the outcome of what it did is settled.
/// `started` tells it from a later process with the same number. Throws Error after `timeout`.
void end_backend(const Options& options, int pid, std::string_view started, Milliseconds timeout = Milliseconds(5000));

// ------------------------------------------------------------------------------------------------------------------------------ pool

/// Connections for many threads. Broken ones are replaced; while the server cannot be reached, attempts back off up to 1 s apart.
class Pool {
 public:
  struct Limits {
    std::size_t connections_max = 8;
    Milliseconds checkout_timeout{2000};
  };
  explicit Pool(Options options) : Pool(std::move(options), Limits{}) {}
  Pool(Options options, Limits limits);

  /// A connection checked out; goes back when destroyed. A transaction left open is rolled back by then, or the connection is dropped.
  class Checkout {
   public:
    ~Checkout();
    Checkout(Checkout&&) noexcept;
    Checkout& operator=(Checkout&&) = delete;
    Connection& operator*() const { return *connection_; }
    Connection* operator->() const { return connection_.get(); }

   private:
    friend class Pool;
    Checkout(Pool& pool, std::unique_ptr<Connection> connection) : pool_(&pool), connection_(std::move(connection)) {}
    Pool* pool_;
    std::unique_ptr<Connection> connection_;
  };
  /// Waits up to `checkout_timeout` for a free connection; throws Error (`connection_lost()`: no server; `timed_out()`: all are busy).
  Checkout checkout();
  const Options& options() const { return options_; }

 private:
  void give_back(std::unique_ptr<Connection> connection);

  Options options_;
  Limits limits_;
  std::mutex mutex_;
  std::condition_variable_any freed_;
  std::vector<std::unique_ptr<Connection>> idle_;
  std::size_t out_ = 0;
  std::chrono::steady_clock::time_point next_attempt_ = {};
  Milliseconds backoff_{0};
};

// -------------------------------------------------------------------------------------------------------------------------- pipeline

/// Page reads for many threads over few connections: statements are sent in groups through libpq's pipeline mode, so that a group costs
/// one write and one read on either side; and where several ask the same statement, they may ask it joined, so that Postgres starts and
/// ends it once. A driver thread of its own sends, receives and calls back.
/// Only for single read-only statements: those that share a group with a failing one are sent again.
class Pipeline {
 public:
  struct Limits {
    std::size_t connections = 2;
    std::size_t queue_max = 4096;          ///< submitted and not answered; beyond it a submit is answered at once with an error (53300)
    std::size_t group_max = 24;            ///< statements that share a sync, and so wait for each other
    std::size_t groups_in_flight_max = 2;  ///< on one connection
    std::size_t joined_max = 1;            ///< runs of one SELECT that are asked as one, and so answered together; 1: none
    Milliseconds query_timeout{5000};      ///< from submit to answer; then the callback gets `timed_out()`
  };
  using Callback = std::move_only_function<void(std::expected<Result, Error>)>;
  /// Runs what it is given, which calls back for all that came at once; may do something before and after.
  using Around = std::function<void(const std::function<void()>& callbacks)>;
  static void nothing_around(const std::function<void()>& callbacks) { callbacks(); }

  explicit Pipeline(Options options) : Pipeline(std::move(options), Limits{}) {}
  Pipeline(Options options, Limits limits, Around around = nothing_around);
  /// Answers what is still open with an error and joins the driver.
  ~Pipeline();
  Pipeline(const Pipeline&) = delete;
  Pipeline& operator=(const Pipeline&) = delete;

  /// From any thread, never waits. `callback` is called exactly once, in the driver thread (or at once, when the queue is full): it must
  /// not block, and must not throw. `statement` must outlive the pipeline.
  void submit(const Statement& statement, Params params, Callback callback);

 private:
  struct Driver;
  std::unique_ptr<Driver> driver_;
};

// --------------------------------------------------------------------------------------------------------------------- notifications

/// LISTENs in a thread of its own and calls back; reconnects. Wake-ups may be lost while it does: have a poll behind it.
class Listener {
 public:
  Listener(Options options, std::vector<std::string> channels, std::function<void(const Notification&)> callback);
  ~Listener();

 private:
  void run(const std::stop_token& stop);
  Options options_;
  std::vector<std::string> channels_;
  std::function<void(const Notification&)> callback_;
  std::jthread thread_;
};

/// NOTIFYs one channel from a thread of its own, coalesced: only the latest payload is sent. Inside the append's transaction it would cost
/// 3–4 times as much.
class Notifier {
 public:
  Notifier(Options options, std::string channel);
  ~Notifier();
  /// From any thread, never waits.
  void notify(std::string payload);

 private:
  void run(const std::stop_token& stop);
  Options options_;
  std::string channel_;
  std::mutex mutex_;
  std::condition_variable_any wake_;
  std::optional<std::string> pending_;
  std::jthread thread_;
};

}  // namespace bloomwatch::pg
