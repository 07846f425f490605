// Blue/green: make the tables beside, fold, and switch once the live checkpoint is reached while its row is locked. Old tables go last.
#include "projector/rebuild.h"

#include <algorithm>
#include <future>
#include <numeric>
#include <optional>
#include <stdexcept>
#include <thread>

#include "events/log.h"
#include "projector/follower.h"
#include "projector/models.h"
#include "projector/parked.h"
#include "runtime/logging.h"

namespace bloomwatch::projection {
namespace {

/// How long Kafka may have nothing more to give, before the log is read instead.
constexpr std::chrono::milliseconds kafka_patience{10'000};
/// How long a batch may take to fill: with few events each it would cost more to write than to fold.
constexpr std::chrono::milliseconds kafka_fill_time{100};

/// How far behind the live checkpoint the switch may begin: what is left is folded while flushes wait.
constexpr Position switch_distance_max = 2000;

/// How often old tables are dropped: pages that are being read may be in the way, but not for long.
constexpr int attempts_max = 50;
/// How often the lock is tried that says that no other rebuild of the model runs.
constexpr int lock_attempts_max = 20;
/// How often the switch is tried: a backup may be in the way for hours, and so much folding would begin anew.
constexpr int switch_attempts_max = 36'000;
constexpr std::chrono::milliseconds between_attempts{100};
/// Less than Postgres' `deadlock_timeout`: of a rebuild and a page that wait for each other, the rebuild gives way before anybody is told.
constexpr std::string_view short_locks = "SET LOCAL lock_timeout = '200ms'";
/// Counts are for the operator to look at: of a table of many millions none is worth a snapshot of minutes, which keeps dead rows
/// everywhere.
constexpr std::string_view short_counts = "SET LOCAL statement_timeout = '2s'";

/// Whether it may go well the next time. A transaction that was aborted had an event that Postgres refused, which the next attempt parks.
bool may_go_well_again(const pg::Error& error) {
  return error.lock_timed_out() || error.serialization_failure() || error.transaction_aborted();
}

/// Tries until it goes well, or throws what the last attempt did.
template <class Attempt>
void persist(Attempt attempt, int attempts = attempts_max) {
  for (int left = attempts;; std::this_thread::sleep_for(between_attempts)) {
    try {
      return attempt();
    } catch (const pg::Error& error) {
      if (--left == 0 || !may_go_well_again(error)) throw;
    }
  }
}

/// One at a time for each model, whichever process runs it. That of one that has just ended goes when Postgres sees that its session has.
bool take_lock(pg::Connection& connection, std::string_view model) {
  for (int left = lock_attempts_max;; std::this_thread::sleep_for(between_attempts)) {
    static const pg::Statement try_lock("SELECT pg_try_advisory_lock(hashtext('bloomwatch rebuild'), hashtext($1))");
    if (connection.run(try_lock, pg::Params(model))[0].get<bool>(0)) return true;
    if (--left == 0) return false;
  }
}

/// In the place of what an earlier rebuild has left: pages may still read its old tables.
void make_tables(pg::Connection& connection, const StoredModel& model) {
  const std::string live = schema_of(model.name(), Slot::live);
  const std::string next = schema_of(model.name(), Slot::next);
  pg::Transaction transaction(connection);
  transaction.query(std::string(short_locks));
  transaction.query("DROP SCHEMA IF EXISTS " + next + " CASCADE");
  transaction.query("DROP SCHEMA IF EXISTS " + live + "_old CASCADE");
  transaction.query("CREATE SCHEMA " + next);
  for (const std::string& table : model.tables())
    transaction.query("CREATE TABLE " + next + '.' + table + " (LIKE " + live + '.' + table + " INCLUDING ALL)");
  // LIKE copies no storage parameters.
  for (const std::string& table : model.tables()) {
    const pg::Result fill = transaction.query(
        "SELECT substring(option FROM 'fillfactor=(\\d+)') FROM pg_class, unnest(reloptions) AS option "
        "WHERE oid = ($1 || '.' || $2)::regclass AND option LIKE 'fillfactor=%'",
        pg::Params(live, table));
    if (!fill.empty()) transaction.query("ALTER TABLE " + next + '.' + table + " SET (fillfactor = " + fill[0].get<std::string>(0) + ")");
  }
  transaction.query("DELETE FROM projection.parked WHERE model = $1 AND slot = 'next'", pg::Params(model.name()));
  transaction.query("DELETE FROM projection.checkpoints WHERE model = $1 AND slot = 'next'", pg::Params(model.name()));
  transaction.commit();
}

void drop_tables(pg::Connection& connection, const std::string& model) {
  pg::Transaction transaction(connection);
  transaction.query("DROP SCHEMA IF EXISTS " + schema_of(model, Slot::next) + " CASCADE");
  transaction.query("DELETE FROM projection.parked WHERE model = $1 AND slot = 'next'", pg::Params(model));
  transaction.query("DELETE FROM projection.checkpoints WHERE model = $1 AND slot = 'next'", pg::Params(model));
  transaction.commit();
}

/// A migration that comes while the next tables are filled changes the live ones only. Throws if the two have other columns.
void refuse_other_columns(pg::Connection& connection, const std::string& model) {
  const auto columns_of = [](std::string_view schema) {
    return "SELECT table_name, column_name, data_type FROM information_schema.columns WHERE table_schema = " + std::string(schema);
  };
  const pg::Result others = connection.query(
      "(" + columns_of("$1") + " EXCEPT " + columns_of("$2") + ") UNION ALL (" + columns_of("$2") + " EXCEPT " + columns_of("$1") + ")",
      pg::Params(schema_of(model, Slot::live), schema_of(model, Slot::next)));
  if (!others.empty())
    throw std::runtime_error("a migration has changed the tables of '" + model + "' meanwhile: they are to be filled anew");
}

/// Renames the schemas and hands over checkpoint and parked keys: the new tables have the whole log up to one position, and so has each of
/// the live checkpoints, in whichever form. Readers of the old tables are waited for, later ones find the new ones.
void switch_tables(pg::Connection& connection, const StoredModel& model) {
  const std::string name(model.name());
  const std::string live = schema_of(name, Slot::live);
  const std::string next = schema_of(name, Slot::next);
  connection.query(std::string(short_locks));
  for (const std::string& table : model.tables())
    connection.query("LOCK TABLE " + live + '.' + table + ", " + next + '.' + table + " IN ACCESS EXCLUSIVE MODE");
  refuse_other_columns(connection, name);
  connection.query("ALTER SCHEMA " + live + " RENAME TO " + live + "_old");
  connection.query("ALTER SCHEMA " + next + " RENAME TO " + live);
  connection.query(
      "UPDATE projection.checkpoints l SET version = n.version, position = n.position, epoch = n.epoch, generation = l.generation + 1 "
      "FROM projection.checkpoints n WHERE n.model = $1 AND n.slot = 'next' AND n.partition = -1 AND l.model = $1 AND l.slot = 'live'",
      pg::Params(name));
  connection.query("DELETE FROM projection.checkpoints WHERE model = $1 AND slot = 'next'", pg::Params(name));
  connection.query("DELETE FROM projection.parked WHERE model = $1 AND slot = 'live'", pg::Params(name));
  connection.query("UPDATE projection.parked SET slot = 'live' WHERE model = $1 AND slot = 'next'", pg::Params(name));
}

/// Reads the batch after the present one while that is folded.
class ReadAhead {
 public:
  explicit ReadAhead(const std::string& database_url) : reader_(database_url, "bloomwatch rebuild") {}

  /// At most `limit` events after a position, and begins to read what follows them.
  std::vector<RecordedEvent> take(Position after, std::size_t limit) {
    std::vector<RecordedEvent> events;
    if (ahead_.valid() && ahead_after_ == after)
      events = ahead_.get();
    else
      events = (wait(), reader_.read(after, limit));
    if (events.size() > limit) events.resize(limit);
    if (events.size() == limit) begin(events.back().meta.position, limit);
    return events;
  }

 private:
  void wait() {
    if (ahead_.valid()) ahead_.wait();
  }
  void begin(Position after, std::size_t limit) {
    wait();
    ahead_after_ = after;
    ahead_ = std::async(std::launch::async, [this, after, limit] { return reader_.read(after, limit); });
  }

  LogReader reader_;
  Position ahead_after_ = 0;
  std::future<std::vector<RecordedEvent>> ahead_;  // last: waited for before the reader goes
};

/// Reads the events of Kafka up to a head, each batch while the one before it is folded.
class KafkaAhead {
 public:
  KafkaAhead(KafkaFeedOptions options, Position head, std::size_t limit)
      : head_(head), left_(head), limit_(limit), feed_(kafka_feed(alone(std::move(options)))) {
    for (const std::int16_t p : feed_->partitions()) cursor_.positions[p] = 0;
    begin();
  }
  ~KafkaAhead() { feed_->wake(); }

  /// How many events up to the head it has not given: positions have no gaps, so it is enough to count them.
  Position left() const { return left_; }
  /// What comes next; nothing when there was none for a while.
  std::vector<RecordedEvent> take() {
    FeedBatch batch = ahead_.get();
    cursor_.advance(batch.cursor);
    left_ -= std::ranges::count_if(batch.events, [&](const RecordedEvent& event) { return event.meta.position <= head_; });
    if (left_ > 0 && !batch.events.empty()) begin();
    return std::move(batch.events);
  }

 private:
  static KafkaFeedOptions alone(KafkaFeedOptions options) {
    options.group.clear();
    options.fill_time = kafka_fill_time;
    return options;
  }
  void begin() {
    const std::size_t limit = std::min(limit_, static_cast<std::size_t>(left_));
    ahead_ = std::async(std::launch::async, [this, limit] { return feed_->next(cursor_, limit, kafka_patience); });
  }

  Position head_;
  Position left_;
  std::size_t limit_;
  std::unique_ptr<Feed> feed_;
  Cursor cursor_;
  std::future<FeedBatch> ahead_;  // last: waited for before the feed goes
};

/// A rebuild under way: the follower of the next slot, and the log that it reads.
class Rebuild {
 public:
  Rebuild(const std::string& database_url, const std::string& model, const RebuildOptions& options)
      : options_(options), model_(model), log_(database_url), follower_(database_url, Slot::next, next_model(model)) {
    if (options.kafka) fold_kafka();
    follower_.open(whole_log_);
    // Partitions that Kafka has left apart meet before anything else: the switch expects one checkpoint.
    fold_until(read_checkpoints(connection(), model_, Slot::next).greatest());
  }

  /// Folds up to a position; false if told to stop.
  bool fold_until(Position until) {
    while (position() < until) {
      if (options_.stop.stop_requested()) return false;
      const auto limit = std::min<Position>(static_cast<Position>(options_.batch_events_max), until - position());
      const std::vector<RecordedEvent> events = log_.take(position(), static_cast<std::size_t>(limit));
      if (events.empty()) return true;
      follower_.fold(events);
      if (options_.progress) options_.progress(position(), until);
    }
    return true;
  }

  Position position() const { return follower_.position(model_); }
  Position from_kafka() const { return from_kafka_; }
  pg::Connection& connection() { return follower_.connection(); }
  std::size_t parked() const { return follower_.parked(model_).size(); }

 private:
  static std::vector<std::unique_ptr<StoredModel>> next_model(const std::string& name) {
    std::vector<std::unique_ptr<StoredModel>> models;
    models.push_back(model_named(name, Slot::next));
    return models;
  }

  /// Until all events up to the present head have come.
  void fold_kafka() {
    std::vector<std::int16_t> all(partition_count);
    std::iota(all.begin(), all.end(), std::int16_t{0});
    follower_.open(all);
    const Position head = LogReader(options_.kafka->database_url).head().position;
    if (head == 0) return;
    KafkaAhead kafka(*options_.kafka, head, options_.batch_events_max);
    while (kafka.left() > 0 && !options_.stop.stop_requested()) {
      const std::vector<RecordedEvent> events = kafka.take();
      if (events.empty()) break;
      follower_.fold(events);
      from_kafka_ += static_cast<Position>(events.size());
      if (options_.progress) options_.progress(head - kafka.left(), head);
    }
    if (kafka.left() == 0) return pass_over_quiet_partitions(head);
    log::warning("rebuild", "Kafka has not given the whole log: the rest is read from the log",
                 {{"model", model_}, {"events", head - kafka.left()}});
  }

  /// A partition whose last event is long ago has been read to the head as well.
  void pass_over_quiet_partitions(Position head) {
    connection().query("UPDATE projection.checkpoints SET position = greatest(position, $2) WHERE model = $1 AND slot = 'next'",
                       pg::Params(model_, head));
  }

  static constexpr std::int16_t whole_log_[] = {Cursor::whole_log};
  const RebuildOptions& options_;
  std::string model_;
  ReadAhead log_;
  Follower follower_;
  Position from_kafka_ = 0;
};

/// Folds what is left while the live checkpoint stands still, and switches. False if it was too far away.
bool finish(Rebuild& rebuild, const StoredModel& model, RebuildReport& report) {
  pg::Connection& connection = rebuild.connection();
  pg::Transaction transaction(connection);
  const Position live = read_checkpoints(connection, model.name(), Slot::live, Lock::yes).greatest();
  if (live - rebuild.position() > switch_distance_max) return false;
  rebuild.fold_until(live);
  if (rebuild.position() < live) return false;
  switch_tables(connection, model);
  report.events = rebuild.position();
  report.parked = rebuild.parked();
  transaction.commit();
  report.switched = true;
  return true;
}

void fold_and_switch(const std::string& database_url, const StoredModel& model, pg::Connection& operations, const RebuildOptions& options,
                     RebuildReport& report) {
  const std::string name(model.name());
  Rebuild rebuild(database_url, name, options);
  report.from_kafka += rebuild.from_kafka();
  do {
    if (!rebuild.fold_until(read_checkpoints(operations, name, Slot::live).greatest())) return;
  } while (!finish(rebuild, model, report));
}

/// Nothing if it does not come in time.
std::optional<std::int64_t> count_rows(pg::Connection& connection, const std::string& table) {
  try {
    pg::Transaction transaction(connection);
    transaction.query(std::string(short_counts));
    return transaction.query("SELECT count(*) FROM " + table)[0].get<std::int64_t>(0);
  } catch (const pg::Error& error) {
    log::debug("rebuild", "rows could not be counted", {{"table", table}, {"error", error.what()}});
    return std::nullopt;
  }
}

/// Once the switch is over: a count within would keep all that folds waiting.
void count_old_and_new(pg::Connection& connection, const StoredModel& model, RebuildReport& report) {
  const std::string live = schema_of(model.name(), Slot::live);
  for (const std::string& table : model.tables())
    report.tables.push_back({table, count_rows(connection, live + "_old." + table), count_rows(connection, live + '.' + table)});
}

/// What stays goes with the next rebuild.
void drop_old(pg::Connection& connection, const std::string& model) {
  try {
    persist([&] {
      pg::Transaction transaction(connection);
      transaction.query(std::string(short_locks));
      transaction.query("DROP SCHEMA " + schema_of(model, Slot::live) + "_old CASCADE");
      transaction.commit();
    });
  } catch (const pg::Error& error) {
    log::warning("rebuild", "the old tables stay until the next rebuild", {{"model", model}, {"error", error.what()}});
  }
}

/// Events that somebody discarded while the new tables were filled: their keys have been parked again. One that stays so is listed as such.
void repeat_discards(const std::string& database_url, pg::Connection& connection, const std::string& model) {
  try {
    const pg::Result keys = connection.query(
        "SELECT p.partition_key FROM projection.parked p JOIN projection.discarded d ON d.model = p.model AND d.position = p.position "
        "WHERE p.slot = 'live' AND p.model = $1",
        pg::Params(model));
    for (const pg::Row row : keys) retry_parked(database_url, model, row.get<PartitionKey>(0));
  } catch (const std::runtime_error& error) {
    log::warning("rebuild", "keys whose event was discarded may be parked again: retry them", {{"model", model}, {"error", error.what()}});
  }
}

}  // namespace

RebuildReport rebuild(const std::string& database_url, std::string_view model_name, const RebuildOptions& options) {
  const std::string name(model_name);
  const auto model = model_named(name, Slot::live);
  if (model == nullptr) throw std::runtime_error("there is no read model '" + name + "'");
  pg::Connection operations(folding_options(database_url));
  if (!take_lock(operations, name)) throw std::runtime_error("another rebuild of '" + name + "' is running");
  if (const int live = read_checkpoints(operations, name, Slot::live).version_most; live > model->version())
    throw std::runtime_error("'" + name + "' is at version " + std::to_string(live) + ", and this program's is " +
                             std::to_string(model->version()) + ": it is newer than this program");
  const auto started = std::chrono::steady_clock::now();
  log::info("rebuild", "a read model is folded anew", {{"model", name}, {"version", model->version()}});
  persist([&] { make_tables(operations, *model); });
  RebuildReport report;
  RebuildOptions rest = options;
  const auto attempt = [&] {
    const RebuildOptions now = rest;
    rest.kafka.reset();  // its part is folded by the first attempt
    fold_and_switch(database_url, *model, operations, now, report);
  };
  persist(attempt, switch_attempts_max);
  if (report.switched) {  // Pages read the new rows: whatever of this fails, the rebuild has not, and what pages show comes first.
    repeat_discards(database_url, operations, name);
    count_old_and_new(operations, *model, report);
    drop_old(operations, name);
  } else {
    drop_tables(operations, name);
  }
  report.took = std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - started);
  log::info("rebuild", report.switched ? "pages read the new rows" : "the rebuild was given up",
            {{"model", name}, {"events", report.events}});
  return report;
}

}  // namespace bloomwatch::projection
