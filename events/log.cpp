// Reading the log. All reads are by index and in order: the planner may not choose otherwise (a plan made for an empty table would scan
// the whole of a full one: p99 45 ms instead of 7), so sequential scans, sorts and hash joins are off on these connections.
#include "events/log.h"

#include <libpq-fe.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "events/durability.h"
#include "runtime/interned.h"
#include "runtime/invariant.h"
#include "runtime/json.h"

namespace bloomwatch {
namespace {

// ---------------------------------------------------------------------------------------------------------------------------- decoding

// The order that `decode` expects.
constexpr std::string_view event_columns =
    "e.position, e.recorded_at, e.version, e.schema_version, e.partition, e.event_id, e.stream_id, e.partition_key, e.command_id, "
    "e.correlation_id, e.account, e.profile, e.causation_id, e.undoes, e.category, e.type, e.origin, e.provider, e.reference, e.data";

std::string select_events(std::string_view rest) { return "SELECT " + std::string(event_columns) + ' ' + std::string(rest); }

/// One row of `event_columns`, without the checks of Row::get: a rebuild decodes a hundred thousand a second.
class EventRow {
 public:
  EventRow(const PGresult* result, int row) : result_(result), row_(row) {}

  void decode(RawEvent& event) const {
    Meta& meta = event.meta;
    meta.position = int64(0);
    meta.recorded_at = time(1);
    meta.version = int64(2);
    event.schema_version = int16(3);
    meta.partition = int16(4);
    meta.event_id = EventId(uuid(5));
    meta.stream.id = uuid(6);
    meta.partition_key = PartitionKey(uuid(7));
    meta.by.command = CommandId(uuid(8));
    meta.by.correlation = CorrelationId(uuid(9));
    meta.by.account = optional_id<UserId>(10);
    meta.by.profile = optional_id<ProfileId>(11);
    meta.by.causation = optional_id<EventId>(12);
    meta.undoes = optional_id<EventId>(13);
    meta.stream.category = interned(text(14));
    event.type = text(15);
    meta.by.origin.kind = origin(text(16));
    meta.by.origin.provider = optional_text(17);
    meta.by.origin.reference = optional_text(18);
    event.data = text(19).substr(1);  // jsonb: a version byte, then text
  }

 private:
  const char* at(int column) const { return PQgetvalue(result_, row_, column); }
  bool null(int column) const { return PQgetisnull(result_, row_, column) != 0; }
  std::int64_t int64(int column) const { return static_cast<std::int64_t>(pg::detail::get_be<std::uint64_t>(at(column))); }
  std::int16_t int16(int column) const { return static_cast<std::int16_t>(pg::detail::get_be<std::uint16_t>(at(column))); }
  Time time(int column) const { return pg::detail::Read<Time>::from({at(column), 8, 0}); }
  Uuid uuid(int column) const {
    Uuid value;
    std::memcpy(value.bytes.data(), at(column), value.bytes.size());
    return value;
  }
  template <class IdType>
  std::optional<IdType> optional_id(int column) const {
    if (null(column)) return std::nullopt;
    return IdType(uuid(column));
  }
  std::string_view text(int column) const { return {at(column), static_cast<std::size_t>(PQgetlength(result_, row_, column))}; }
  std::optional<std::string> optional_text(int column) const {
    if (null(column)) return std::nullopt;
    return std::string(text(column));
  }
  static OriginKind origin(std::string_view text) {
    const auto kind = json::enum_of<OriginKind>(text);
    invariant(kind.has_value(), "an event in the log has an origin that this program does not know");
    return *kind;
  }

  const PGresult* result_;
  int row_;
};

RecordedEvent recorded(const PGresult* result, int row) {
  RawEvent raw;
  EventRow(result, row).decode(raw);
  return {std::move(raw.meta), std::string(raw.type), raw.schema_version, std::string(raw.data)};
}

std::vector<RecordedEvent> recorded(const pg::Result& result) {
  std::vector<RecordedEvent> events;
  const int count = result.size();
  events.reserve(static_cast<std::size_t>(count));
  for (int row = 0; row < count; ++row) events.push_back(recorded(result.raw(), row));
  return events;
}

LogPoint point_of(const RecordedEvent& event) { return {event.meta.position, event.meta.event_id, event.meta.recorded_at}; }

LogPoint point_of(const pg::Row& row) { return {row.get<Position>(0), row.get<EventId>(1), row.get<Time>(2)}; }

IdempotencyRecord idempotency_of(const pg::Row& row, int first) {
  IdempotencyRecord record;
  record.key = row.get<IdempotencyKey>(first);
  const pg::Bytes mac = row.get<pg::Bytes>(first + 1);
  std::copy_n(mac.begin(), std::min(mac.size(), record.body_mac.size()), record.body_mac.begin());
  record.command = row.get<CommandId>(first + 2);
  record.id = row.get<Uuid>(first + 3);
  record.version = row.get<Version>(first + 4);
  record.position = row.get<Position>(first + 5);
  record.refusal = row.get<std::string>(first + 6);
  record.created = row.get<bool>(first + 7);
  return record;
}

// The order that `snapshot_of` expects.
constexpr std::string_view snapshot_columns = "SELECT s.stream_id, s.category, s.version, s.event_id, s.shape, s.state ";

StreamSnapshot snapshot_of(const pg::Row& row) {
  return {{interned(row.get<std::string_view>(1)), row.get<Uuid>(0)},
          row.get<Version>(2),
          row.get<EventId>(3),
          row.get<std::int32_t>(4),
          row.get<std::string>(5)};
}

/// Each stream with the shape of its snapshots, 0 where it has none.
pg::Params wanted_streams(const std::vector<StreamName>& streams, const SnapshotShapes& shapes) {
  std::vector<std::int32_t> of_each;
  for (const StreamName& stream : streams) {
    const auto shape = shapes.find(stream.category);
    of_each.push_back(shape == shapes.end() ? 0 : shape->second);
  }
  return std::move(pg::Params().add_array(streams, &StreamName::id).add_array(streams, &StreamName::category).add_array(of_each));
}

ClaimChange claim_of(const pg::Row& row) {
  ClaimChange claim{row.get<ClaimKey>(0), std::nullopt};
  if (const auto id = row.get<std::optional<Uuid>>(1))
    claim.holder = ClaimHolder{row.get<std::string>(2), *id, row.get<std::optional<Time>>(3)};
  return claim;
}

// -------------------------------------------------------------------------------------------------------------------------- statements

const pg::Statement begin_snapshot("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY");
const pg::Statement end_snapshot("COMMIT");
const pg::Statement select_head("SELECT position, event_id, recorded_at FROM log.events ORDER BY position DESC LIMIT 1");
const pg::Statement select_points("SELECT position, event_id, recorded_at FROM log.events WHERE position = ANY ($1)");
const pg::Statement select_streams(
    select_events("FROM unnest($1, $2, $3) AS wanted (id, category, shape) "
                  "LEFT JOIN log.snapshots s ON s.stream_id = wanted.id AND s.category = wanted.category AND s.shape = wanted.shape "
                  "JOIN log.events e ON e.stream_id = wanted.id AND e.category = wanted.category AND e.version > coalesce(s.version, 0) "
                  "ORDER BY e.position"));
const pg::Statement select_snapshots(
    std::string(snapshot_columns) +
    "FROM unnest($1, $2, $3) AS wanted (id, category, shape) "
    "JOIN log.snapshots s ON s.stream_id = wanted.id AND s.category = wanted.category AND s.shape = wanted.shape");
const pg::Statement select_kept(
    std::string(snapshot_columns) +
    "FROM log.snapshots s WHERE (s.stream_id, s.category) > ($1, $2) ORDER BY s.stream_id, s.category LIMIT $3");
const pg::Statement select_claims(
    "SELECT wanted.key, c.stream_id, c.category, c.retired_at FROM unnest($1) AS wanted (key) LEFT JOIN log.claims c ON c.key = "
    "wanted.key");
const pg::Statement select_keys(
    "SELECT key, body_mac, command_id, id, version, position, refusal, created FROM log.idempotency WHERE key = ANY ($1)");
const pg::Statement select_recorded_keys("SELECT key FROM log.idempotency WHERE key > $1 ORDER BY key LIMIT $2");
// Keys alone, in one statement: the head comes with every row, or alone.
const pg::Statement select_head_and_keys(
    "SELECT head.position, i.key, i.body_mac, i.command_id, i.id, i.version, i.position, i.refusal, i.created "
    "FROM (SELECT position FROM log.events ORDER BY position DESC LIMIT 1) head LEFT JOIN log.idempotency i ON i.key = ANY ($1)");
const pg::Statement select_from(select_events("FROM log.events e WHERE e.position >= $1 ORDER BY e.position LIMIT $2"));
const pg::Statement select_partition_key(select_events(std::string(from_partition_key) + " ORDER BY e.position LIMIT $4"));
const pg::Statement select_partition(
    select_events("FROM log.events e WHERE e.partition = $1 AND e.position > $2 AND e.position <= $3 ORDER BY e.position LIMIT $4"));
const pg::Statement select_stream(
    select_events("FROM log.events e WHERE e.stream_id = $1 AND e.category = $2 AND e.version > $3 ORDER BY e.version LIMIT $4"));
const pg::Statement select_unseen(
    "SELECT e.position FROM log.events e WHERE e.position > $1 AND e.position <= $2 AND e.position > ($3)[e.partition + 1] "
    "ORDER BY e.position LIMIT 1");
const pg::Statement select_epoch("SELECT epoch FROM log.epoch");
const pg::Statement select_clock("SELECT clock_timestamp()");
const pg::Statement search_time(
    "WITH RECURSIVE search (low, high) AS ("
    "  SELECT 0::bigint, (SELECT position FROM log.events ORDER BY position DESC LIMIT 1)"
    "  UNION ALL"
    "  SELECT CASE WHEN e.recorded_at <= $1 THEN e.position ELSE s.low END, CASE WHEN e.recorded_at <= $1 THEN s.high ELSE e.position - 1 "
    "END"
    "  FROM search s JOIN log.events e ON e.position = (s.low + s.high + 1) / 2 WHERE s.low < s.high"
    ") SELECT low FROM search WHERE low = high");

pg::Options reader_options(std::string url, std::string application_name, std::chrono::milliseconds statement_timeout) {
  pg::Options options;
  options.url = std::move(url);
  options.application_name = std::move(application_name);
  options.statement_timeout = statement_timeout;
  options.settings = {{"enable_seqscan", "off"},
                      {"enable_bitmapscan", "off"},
                      {"enable_hashjoin", "off"},
                      {"enable_mergejoin", "off"},
                      {"jit", "off"},
                      {"max_parallel_workers_per_gather", "0"},
                      {"default_transaction_read_only", "on"},
                      {"synchronous_commit", "on"},
                      {"plan_cache_mode", "force_generic_plan"}};
  return options;
}

}  // namespace

// ------------------------------------------------------------------------------------------------------------------------------ reader

struct LogReader::State {
  pg::Options options;
  std::optional<pg::Connection> connection;
  bool awaits_disk = false;  ///< something was read since the last `await_durable`
  bool lost_sight = false;   ///< and the connection that it was read over is gone

  pg::Connection& connected() {
    if (connection && !connection->usable()) {
      lost_sight = lost_sight || awaits_disk;
      connection.reset();
    }
    if (!connection) connection.emplace(options);
    return *connection;
  }

  /// Every read goes through here, so that `await_durable` speaks of all.
  template <class Ask>
  auto read(const Ask& ask) {
    try {
      auto read = ask(connected());
      awaits_disk = true;
      return read;
    } catch (const pg::Error&) {
      awaits_disk = lost_sight = false;  // who is told begins anew
      throw;
    }
  }

  pg::Result run(const pg::Statement& statement, const pg::Params& params = {}) {
    return read([&](pg::Connection& over) { return over.run(statement, params); });
  }

  /// Over the connection that was read over: Postgres may have been down between it and another.
  void await_durable() {
    connected();
    if (lost_sight) {
      awaits_disk = lost_sight = false;
      throw pg::Error("the connection was lost before what was read over it was on disk", "08006");
    }
    run(flush_commits);
    awaits_disk = false;
  }
};

LogReader::LogReader(std::string database_url, std::string application_name, std::chrono::milliseconds statement_timeout)
    : state_(std::make_unique<State>(reader_options(std::move(database_url), std::move(application_name), statement_timeout))) {}
LogReader::~LogReader() = default;
LogReader::LogReader(LogReader&&) noexcept = default;
LogReader& LogReader::operator=(LogReader&&) noexcept = default;

LoadResult LogReader::load(const LoadRequest& request, const SnapshotShapes& shapes) {
  LoadResult loaded;
  if (request.streams.empty() && request.claims.empty()) {
    const pg::Result rows = state_->run(select_head_and_keys, pg::Params().add_array(request.keys));
    for (const pg::Row row : rows) {
      loaded.as_of = row.get<Position>(0);
      if (!row.null(1)) loaded.idempotency.push_back(idempotency_of(row, 1));
    }
    return loaded;
  }
  std::vector<StreamName> streams = request.streams;  // each once: its events are to come once
  std::ranges::sort(streams);
  streams.erase(std::ranges::unique(streams).begin(), streams.end());
  std::vector<pg::Call> calls;
  calls.push_back({begin_snapshot});
  calls.push_back({select_head});
  const pg::Params wanted = wanted_streams(streams, shapes);
  calls.push_back({select_streams, wanted});
  calls.push_back({select_snapshots, wanted});
  calls.push_back({select_claims, std::move(pg::Params().add_array(request.claims))});
  calls.push_back({select_keys, std::move(pg::Params().add_array(request.keys))});
  calls.push_back({end_snapshot});
  const std::vector<pg::Result> results = state_->read([&](pg::Connection& over) { return over.run_together(calls); });
  loaded.as_of = results[1][0].get<Position>(0);
  loaded.events = recorded(results[2]);
  for (const pg::Row row : results[3]) loaded.snapshots.push_back(snapshot_of(row));
  for (const pg::Row row : results[4]) loaded.claims.push_back(claim_of(row));
  for (const pg::Row row : results[5]) loaded.idempotency.push_back(idempotency_of(row, 0));
  return loaded;
}

std::vector<StreamSnapshot> LogReader::snapshots(const StreamName& after, std::size_t limit) {
  std::vector<StreamSnapshot> snapshots;
  const pg::Result rows = state_->run(select_kept, pg::Params(after.id, after.category, static_cast<std::int64_t>(limit)));
  for (const pg::Row row : rows) snapshots.push_back(snapshot_of(row));
  return snapshots;
}

std::vector<IdempotencyKey> LogReader::recorded_keys(IdempotencyKey after, std::size_t limit) {
  std::vector<IdempotencyKey> keys;
  const pg::Result rows = state_->run(select_recorded_keys, pg::Params(after, static_cast<std::int64_t>(limit)));
  for (const pg::Row row : rows) keys.push_back(row.get<IdempotencyKey>(0));
  return keys;
}

Tail LogReader::tail(const LogPoint& after, std::size_t limit) {
  Tail tail;
  tail.events = recorded(state_->run(select_from, pg::Params(after.position, static_cast<std::int64_t>(limit) + 1)));
  const bool unknown_genesis = after.position == 0 && after.event_id == EventId{};
  invariant(!tail.events.empty() && tail.events.front().meta.position == after.position &&
                (unknown_genesis || tail.events.front().meta.event_id == after.event_id),
            "the log still holds what this process has read from it");
  tail.head = point_of(tail.events.back());
  tail.events.erase(tail.events.begin());
  return tail;
}

std::vector<RecordedEvent> LogReader::read(Position after, std::size_t limit) {
  return recorded(state_->run(select_from, pg::Params(after + 1, static_cast<std::int64_t>(limit))));
}

Position RawBatch::last() const { return rows_[rows_.size() - 1].get<Position>(0); }

void RawBatch::each(const std::function<void(const RawEvent&)>& take) const {
  RawEvent event;
  for (int row = 0; row < rows_.size(); ++row) {
    EventRow(rows_.raw(), row).decode(event);
    take(event);
  }
}

RawBatch LogReader::fetch(Position after, std::size_t limit) {
  return RawBatch(state_->run(select_from, pg::Params(after + 1, static_cast<std::int64_t>(limit))));
}

std::size_t LogReader::read_raw(Position after, std::size_t limit, const std::function<void(const RawEvent&)>& take) {
  const RawBatch batch = fetch(after, limit);
  batch.each(take);
  return batch.size();
}

std::vector<RecordedEvent> LogReader::read_partition_key(PartitionKey key, Position after, Position until, std::size_t limit) {
  return recorded(state_->run(select_partition_key, pg::Params(key, after, until, static_cast<std::int64_t>(limit))));
}

std::vector<RecordedEvent> LogReader::read_partition(std::int16_t partition, Position after, Position until, std::size_t limit) {
  return recorded(state_->run(select_partition, pg::Params(partition, after, until, static_cast<std::int64_t>(limit))));
}

std::vector<RecordedEvent> LogReader::stream(const StreamName& name, Version after, std::size_t limit) {
  return recorded(state_->run(select_stream, pg::Params(name.id, name.category, after, static_cast<std::int64_t>(limit))));
}

void LogReader::await_durable() { state_->await_durable(); }

LogPoint LogReader::head() { return point_of(state_->run(select_head)[0]); }

std::optional<LogPoint> LogReader::point(Position position) {
  const std::map<Position, LogPoint> found = points({position});
  return found.empty() ? std::nullopt : std::optional(found.begin()->second);
}

std::map<Position, LogPoint> LogReader::points(const std::vector<Position>& positions) {
  std::map<Position, LogPoint> points;
  const pg::Result found = state_->run(select_points, pg::Params().add_array(positions));
  for (const pg::Row row : found) points.emplace(row.get<Position>(0), point_of(row));
  return points;
}

std::optional<Position> LogReader::first_unseen(const std::array<Position, partition_count>& seen, Position after, Position until) {
  const pg::Result found = state_->run(select_unseen, pg::Params(after, until).add_array(seen));
  if (found.empty()) return std::nullopt;
  return found[0].get<Position>(0);
}

Position LogReader::position_at(Time time) { return state_->run(search_time, pg::Params(time))[0].get<Position>(0); }

std::string LogReader::epoch() { return state_->run(select_epoch)[0].get<std::string>(0); }

std::chrono::milliseconds LogReader::clock_offset() {
  state_->run(select_clock);  // connects and prepares, so that the second one takes one short round trip
  const Time before = now();
  const Time theirs = state_->run(select_clock)[0].get<Time>(0);
  const Time after = now();
  return before + (after - before) / 2 - theirs;
}

// ------------------------------------------------------------------------------------------------------------------------------- upkeep

void keep_snapshots(pg::Connection& connection, std::span<const StreamSnapshot> snapshots) {
  static const pg::Statement keep(
      "INSERT INTO log.snapshots AS kept (stream_id, category, version, event_id, shape, state) "
      "SELECT w.stream_id, w.category, w.version, w.event_id, w.shape, w.state "
      "FROM unnest($1, $2, $3, $4, $5, $6) AS w (stream_id, category, version, event_id, shape, state) "
      "JOIN log.events e ON e.stream_id = w.stream_id AND e.category = w.category AND e.version = w.version AND e.event_id = w.event_id "
      "ON CONFLICT (stream_id, category) DO UPDATE SET version = EXCLUDED.version, event_id = EXCLUDED.event_id, shape = EXCLUDED.shape, "
      "state = EXCLUDED.state WHERE kept.version < EXCLUDED.version OR kept.shape <> EXCLUDED.shape");
  connection.run(keep, pg::Params()
                           .add_array(snapshots, [](const StreamSnapshot& each) { return each.stream.id; })
                           .add_array(snapshots, [](const StreamSnapshot& each) { return each.stream.category; })
                           .add_array(snapshots, &StreamSnapshot::version)
                           .add_array(snapshots, &StreamSnapshot::event_id)
                           .add_array(snapshots, &StreamSnapshot::shape)
                           .add_array(snapshots, &StreamSnapshot::state));
}

std::int64_t prune_idempotency(pg::Connection& connection, std::int64_t limit) {
  static const pg::Statement remove(
      "DELETE FROM log.idempotency WHERE key IN (SELECT key FROM log.idempotency WHERE recorded_at < now() - $1 * interval '1 hour' "
      "ORDER BY recorded_at LIMIT $2)");
  return connection.run(remove, pg::Params(static_cast<double>(idempotency_life.count()), limit)).affected();
}

std::string begin_epoch(pg::Connection& connection) {
  return connection.query("UPDATE log.epoch SET epoch = left(replace(gen_random_uuid()::text, '-', ''), 8) RETURNING epoch")[0]
      .get<std::string>(0);
}

}  // namespace bloomwatch
