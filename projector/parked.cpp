// A retry folds one key's events from where it was parked to the checkpoint of its partition, while flushes of the model wait, and raises
// the checkpoints' generation so that projectors let go of the rows that they hold.
#include "projector/parked.h"

#include <exception>
#include <set>
#include <stdexcept>

#include "events/log.h"
#include "projector/follower.h"
#include "projector/models.h"

namespace bloomwatch::projection {
namespace {

constexpr std::size_t retried_per_read = 2000;

ParkedKey parked_of(const pg::Row& row) {
  return {row.get<std::string>(0), row.get<PartitionKey>(1), row.get<Position>(2),
          row.get<std::string>(3), row.get<std::string>(4),  row.get<Time>(5)};
}

constexpr std::string_view parked_columns = "SELECT model, partition_key, position, event_type, reason, parked_at FROM projection.parked ";

std::optional<ParkedKey> find_parked(pg::Connection& connection, std::string_view model, PartitionKey key) {
  const pg::Result rows =
      connection.query(std::string(parked_columns) + "WHERE slot = 'live' AND model = $1 AND partition_key = $2", pg::Params(model, key));
  if (rows.empty()) return std::nullopt;
  return parked_of(rows[0]);
}

/// Loads, folds and writes one event. The error of a fold comes out as it is.
void fold_event(pg::Connection& connection, StoredModel& model, const RecordedEvent& recorded) {
  const AnyEvent event = decode(recorded);
  std::vector<pg::Call> calls;
  model.announce(event, recorded.meta);
  model.append_loads(calls);
  if (!calls.empty()) model.take_loads(connection.run_together(calls));
  model.apply(event, recorded.meta);
  calls.clear();
  model.append_writes(calls);
  if (!calls.empty()) connection.run_together(calls);
  model.flushed();
}

/// A retry under way, inside the transaction that holds the checkpoint's lock.
class Retry {
 public:
  Retry(pg::Connection& connection, StoredModel& model, const ParkedKey& parked) : connection_(connection), model_(model), parked_(parked) {
    for (const pg::Row row : connection.query("SELECT position FROM projection.discarded WHERE model = $1", pg::Params(model.name())))
      discarded_.insert(row.get<Position>(0));
  }

  /// Up to and including `until`; stops where the key is stuck again.
  RetryOutcome fold_until(LogReader& reader, Position until) {
    RetryOutcome outcome;
    Position after = parked_.position - 1;
    for (;;) {
      const std::vector<RecordedEvent> events = reader.read_partition_key(parked_.key, after, until, retried_per_read);
      if (events.empty()) return outcome;
      for (const RecordedEvent& event : events) {
        after = event.meta.position;
        if (discarded_.contains(after)) continue;
        if (auto stuck = fold(event)) {
          outcome.parked = std::move(stuck);
          return outcome;
        }
        ++outcome.events;
      }
    }
  }

 private:
  std::optional<ParkedKey> fold(const RecordedEvent& event) {
    connection_.script("SAVEPOINT before_event");
    try {
      fold_event(connection_, model_, event);
    } catch (const pg::Error& error) {
      if (!error.data_error()) throw;
      return stuck(event, error.what());
    } catch (const std::exception& error) {
      return stuck(event, error.what());
    }
    connection_.script("RELEASE SAVEPOINT before_event");
    return std::nullopt;
  }

  ParkedKey stuck(const RecordedEvent& event, const std::string& reason) {
    connection_.script("ROLLBACK TO SAVEPOINT before_event");
    model_.forget();
    return {parked_.model, parked_.key, event.meta.position, event.type, reason, now()};
  }

  pg::Connection& connection_;
  StoredModel& model_;
  const ParkedKey& parked_;
  std::set<Position> discarded_;
};

/// Rows that the folds of another version have made are not for those of this program; until a rebuild, that is.
void refuse_another_version(const Checkpoints& checkpoints, const StoredModel& model) {
  const int version = checkpoints.version_most == model.version() ? checkpoints.version_least : checkpoints.version_most;
  if (version == model.version()) return;
  throw std::runtime_error(
      "'" + std::string(model.name()) + "' is at version " + std::to_string(version) + ", and this program's is " +
      std::to_string(model.version()) +
      (version < model.version() ? ": wait until it is rebuilt, or run `bloomwatch rebuild`" : ": it is newer than this program"));
}

RetryOutcome retry(pg::Connection& connection, LogReader& reader, StoredModel& model, PartitionKey key, std::string_view discard_reason,
                   bool discard) {
  pg::Transaction transaction(connection);
  const Checkpoints checkpoints = read_checkpoints(connection, model.name(), Slot::live, Lock::yes);
  const std::optional<ParkedKey> parked = find_parked(connection, model.name(), key);
  if (!parked) throw std::runtime_error("that key is not parked in that model");
  refuse_another_version(checkpoints, model);
  if (discard)
    connection.query("INSERT INTO projection.discarded (model, position, reason) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
                     pg::Params(model.name(), parked->position, discard_reason));
  RetryOutcome outcome = Retry(connection, model, *parked).fold_until(reader, checkpoints.position_for(partition_of(key)).value_or(0));
  if (outcome.parked)
    connection.query(
        "UPDATE projection.parked SET position = $3, event_type = $4, reason = $5, parked_at = now() "
        "WHERE slot = 'live' AND model = $1 AND partition_key = $2",
        pg::Params(model.name(), key, outcome.parked->position, outcome.parked->event_type, outcome.parked->reason));
  else
    connection.query("DELETE FROM projection.parked WHERE slot = 'live' AND model = $1 AND partition_key = $2",
                     pg::Params(model.name(), key));
  connection.query("UPDATE projection.checkpoints SET generation = generation + 1 WHERE model = $1 AND slot = 'live'",
                   pg::Params(model.name()));
  transaction.commit();
  return outcome;
}

RetryOutcome retry(const std::string& database_url, std::string_view model_name, PartitionKey key, std::string_view reason, bool discard) {
  const auto model = model_named(model_name, Slot::live);
  if (model == nullptr) throw std::runtime_error("there is no such read model");
  pg::Connection connection(folding_options(database_url));
  LogReader reader(database_url, "bloomwatch parked");
  return retry(connection, reader, *model, key, reason, discard);
}

}  // namespace

std::vector<ParkedKey> parked_keys(pg::Connection& connection) {
  std::vector<ParkedKey> keys;
  for (const pg::Row row : connection.query(std::string(parked_columns) + "WHERE slot = 'live' ORDER BY parked_at, model, partition_key"))
    keys.push_back(parked_of(row));
  return keys;
}

void forget_lost_discards(pg::Connection& connection) {
  connection.query("DELETE FROM projection.discarded WHERE position > (SELECT max(position) FROM log.events)");
}

RetryOutcome retry_parked(const std::string& database_url, std::string_view model, PartitionKey key) {
  return retry(database_url, model, key, {}, false);
}

RetryOutcome discard_parked(const std::string& database_url, std::string_view model, PartitionKey key, std::string_view reason) {
  return retry(database_url, model, key, reason, true);
}

}  // namespace bloomwatch::projection
