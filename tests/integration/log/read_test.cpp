// Reading: from one snapshot, in order, by position, stream and partition key.
#include <gmock/gmock.h>

#include <array>

#include "tests/integration/log/log_fixture.h"

namespace bloomwatch::test {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;
using enum AppendResult;

using LogReading = LogTest;

std::vector<Position> positions(const std::vector<RecordedEvent>& events) {
  std::vector<Position> out;
  for (const RecordedEvent& event : events) out.push_back(event.meta.position);
  return out;
}

TEST_F(LogReading, begins_at_the_genesis_row_and_never_shows_it) {
  const LogPoint head = reader.head();
  EXPECT_EQ(head.position, 0);
  EXPECT_NE(head.event_id, EventId{});
  EXPECT_THAT(reader.read(0, 10), IsEmpty());
  EXPECT_THAT(reader.tail(head, 10).events, IsEmpty());
  EXPECT_EQ(reader.tail({}, 10).head, head) << "who knows nothing learns where it begins";
  EXPECT_EQ(reader.epoch().size(), 8U);
}

TEST_F(LogReading, goes_through_the_log_in_steps) {
  ASSERT_EQ(append(writer, batch_after(reader.head(), 10)), committed);
  EXPECT_THAT(positions(reader.read(0, 4)), ElementsAre(1, 2, 3, 4));
  EXPECT_THAT(positions(reader.read(4, 4)), ElementsAre(5, 6, 7, 8));
  EXPECT_THAT(positions(reader.read(8, 4)), ElementsAre(9, 10));
  std::vector<Position> raw;
  EXPECT_EQ(reader.read_raw(7, 10, [&](const RawEvent& event) { raw.push_back(event.meta.position); }), 3U);
  EXPECT_THAT(raw, ElementsAre(8, 9, 10));
}

TEST_F(LogReading, cuts_a_tail_at_its_limit_and_says_where_it_is) {
  ASSERT_EQ(append(writer, batch_after(reader.head(), 10)), committed);
  const Tail some = reader.tail(*reader.point(2), 3);
  EXPECT_THAT(positions(some.events), ElementsAre(3, 4, 5));
  EXPECT_EQ(some.head, *reader.point(5));
  const Tail rest = reader.tail(some.head, 30);
  EXPECT_THAT(positions(rest.events), ElementsAre(6, 7, 8, 9, 10));
  EXPECT_EQ(rest.head, reader.head());
}

TEST_F(LogReading, finds_the_points_of_several_positions) {
  ASSERT_EQ(append(writer, batch_after(reader.head(), 10)), committed);
  const std::map<Position, LogPoint> expected = {{3, *reader.point(3)}, {7, *reader.point(7)}};
  EXPECT_EQ(reader.points({7, 3, 11}), expected);
  EXPECT_THAT(reader.points({}), IsEmpty());
}

TEST_F(LogReading, stops_when_the_log_is_not_the_one_it_has_read) {
  ASSERT_EQ(append(writer, batch_after(reader.head(), 1)), committed);
  // A reader of its own for the process that dies: a connection is not for two.
  EXPECT_DEATH(LogReader(url).tail({1, EventId(Uuid::v7(now())), {}}, 10), "still holds");
  EXPECT_DEATH(LogReader(url).tail({7, EventId(Uuid::v7(now())), {}}, 10), "still holds");
}

TEST_F(LogReading, loads_streams_claims_and_keys_from_one_snapshot) {
  const Uuid one = Uuid::v7(now()), two = Uuid::v7(now());
  const ClaimKey claim(Uuid::v7(now())), free(Uuid::v7(now()));
  const IdempotencyKey key(Uuid::v7(now()));
  Batch batch = stream_after(reader.head(), one, 2);
  batch.events.push_back(new_event(two, 1));
  batch.events.push_back(new_event(one, 3));
  batch.claims.push_back({claim, ClaimHolder{"anime", one}});
  batch.idempotency.push_back(record_of(key));
  ASSERT_EQ(append(writer, batch), committed);

  const LoadResult loaded = reader.load({.streams = {{"anime", one}, {"user", two}, {"anime", one}},
                                         .claims = {claim, free},
                                         .keys = {key, IdempotencyKey(Uuid::v7(now()))}});
  EXPECT_EQ(loaded.as_of, 4);
  EXPECT_THAT(positions(loaded.events), ElementsAre(1, 2, 4)) << "another category with the same id is another stream";
  EXPECT_THAT(loaded.claims, testing::UnorderedElementsAre(batch.claims[0], ClaimChange{free, std::nullopt}));
  EXPECT_THAT(loaded.idempotency, ElementsAre(batch.idempotency[0]));

  const LoadResult keys_alone = reader.load({.streams = {}, .claims = {}, .keys = {key}});
  EXPECT_EQ(keys_alone.as_of, 4);
  EXPECT_THAT(keys_alone.idempotency, ElementsAre(batch.idempotency[0]));
  EXPECT_EQ(reader.load({.streams = {}, .claims = {}, .keys = {IdempotencyKey(Uuid::v7(now()))}}).as_of, 4);
}

StreamSnapshot snapshot_of(const NewEvent& event, std::string state, std::int32_t shape = 1) {
  return {event.stream, event.version, event.event_id, shape, std::move(state)};
}

TEST_F(LogReading, loads_streams_from_behind_their_snapshots) {
  const Uuid one = Uuid::v7(now()), two = Uuid::v7(now());
  Batch batch = stream_after(reader.head(), one, 4);
  batch.events.push_back(new_event(two, 1));
  ASSERT_EQ(append(writer, batch), committed);
  pg::Connection connection({.url = url});
  const StreamSnapshot kept = snapshot_of(batch.events[2], "three");
  keep_snapshots(connection, std::array{kept, snapshot_of(batch.events[4], "of another shape", 2)});

  const LoadRequest both{.streams = {{"anime", one}, {"anime", two}}};
  const LoadResult loaded = reader.load(both, {{"anime", 1}});
  EXPECT_THAT(loaded.snapshots, ElementsAre(kept));
  EXPECT_THAT(positions(loaded.events), ElementsAre(4, 5));
  EXPECT_THAT(positions(reader.load(both).events), ElementsAre(1, 2, 3, 4, 5)) << "who asks for no shape gets events";
  EXPECT_THAT(positions(reader.load(both, {{"anime", 3}}).events), ElementsAre(1, 2, 3, 4, 5));
}

TEST_F(LogReading, keeps_the_newest_snapshot_whose_event_is_in_the_log) {
  const Uuid stream = Uuid::v7(now());
  const Batch batch = stream_after(reader.head(), stream, 4);
  ASSERT_EQ(append(writer, batch), committed);
  pg::Connection connection({.url = url});
  const auto kept_after = [&](const StreamSnapshot& snapshot) {
    keep_snapshots(connection, std::array{snapshot});
    const std::vector<StreamSnapshot> all = reader.snapshots({}, 10);
    return all.empty() ? "" : all.front().state;
  };
  StreamSnapshot of_a_lost_event = snapshot_of(batch.events[1], "lost");
  of_a_lost_event.event_id = EventId(Uuid::v7(now()));
  EXPECT_EQ(kept_after(of_a_lost_event), "");
  EXPECT_EQ(kept_after(snapshot_of(batch.events[1], "two")), "two");
  EXPECT_EQ(kept_after(snapshot_of(batch.events[0], "one")), "two");
  EXPECT_EQ(kept_after(snapshot_of(batch.events[3], "four")), "four");
  EXPECT_EQ(kept_after(snapshot_of(batch.events[2], "three, of a newer program", 2)), "three, of a newer program");
}

TEST_F(LogReading, reads_snapshots_in_pages) {
  Batch batch{.fence = reader.head()};
  for (int i = 0; i < 5; ++i) batch.events.push_back(new_event(Uuid::v7(now()), 1));
  ASSERT_EQ(append(writer, batch), committed);
  std::vector<StreamSnapshot> snapshots;
  for (const NewEvent& event : batch.events) snapshots.push_back(snapshot_of(event, "{}"));
  pg::Connection connection({.url = url});
  keep_snapshots(connection, snapshots);
  std::vector<StreamSnapshot> read;
  for (std::vector<StreamSnapshot> page = reader.snapshots({}, 2); !page.empty(); page = reader.snapshots(page.back().stream, 2))
    read.insert(read.end(), page.begin(), page.end());
  EXPECT_THAT(read, testing::UnorderedElementsAreArray(snapshots));
}

TEST_F(LogReading, reads_one_stream_and_one_partition_key) {
  const Uuid one = Uuid::v7(now()), two = Uuid::v7(now()), other = Uuid::v7(now());
  const PartitionKey space(Uuid::v7(now()));
  Batch batch{.fence = reader.head()};
  for (const auto& [stream, version] :
       std::initializer_list<std::pair<Uuid, Version>>{{one, 1}, {two, 1}, {one, 2}, {other, 1}, {one, 3}, {two, 2}})
    batch.events.push_back(new_event(stream, version, "{}", stream == other ? PartitionKey(other) : space));
  ASSERT_EQ(append(writer, batch), committed);
  EXPECT_THAT(positions(reader.stream({"anime", one})), ElementsAre(1, 3, 5));
  EXPECT_THAT(positions(reader.stream({"anime", one}, 1, 1)), ElementsAre(3));
  EXPECT_THAT(positions(reader.read_partition_key(space, 0, 100, 100)), ElementsAre(1, 2, 3, 5, 6));
  EXPECT_THAT(positions(reader.read_partition_key(space, 1, 5, 2)), ElementsAre(2, 3));
  EXPECT_THAT(positions(reader.read_partition_key(space, 0, 1, 100)), ElementsAre(1)) << "a stream that began later";
}

TEST_F(LogReading, finds_the_position_of_a_time) {
  Batch batch = batch_after(reader.head(), 100);
  const Time start = now();
  for (std::size_t i = 0; i < batch.events.size(); ++i) batch.events[i].recorded_at = start + std::chrono::milliseconds(10 * (i / 2));
  ASSERT_EQ(append(writer, batch), committed);
  EXPECT_EQ(reader.position_at(start - std::chrono::milliseconds(1)), 0);
  EXPECT_EQ(reader.position_at(start), 2);
  EXPECT_EQ(reader.position_at(start + std::chrono::milliseconds(105)), 22);
  EXPECT_EQ(reader.position_at(start + std::chrono::hours(1)), 100);
}

TEST_F(LogReading, knows_how_far_its_clock_is_from_postgres) {
  EXPECT_LT(std::chrono::abs(reader.clock_offset()), std::chrono::seconds(1));
}

TEST_F(LogReading, connects_again_after_its_backend_was_ended) {
  EXPECT_EQ(reader.head().position, 0);
  pg::Connection({.url = url})
      .script(
          "SELECT pg_terminate_backend(pid, 1000) FROM pg_stat_activity WHERE datname = current_database() AND application_name = "
          "'bloomwatch log reader'");
  EXPECT_EQ(reader.head().position, 0);
}

TEST_F(LogReading, forgets_old_idempotency_records_a_bounded_number_at_once) {
  Batch batch{.fence = reader.head()};
  for (int i = 0; i < 25; ++i) batch.idempotency.push_back(record_of(IdempotencyKey(Uuid::v7(now()))));
  ASSERT_EQ(append(writer, batch), committed);
  pg::Connection connection({.url = url});
  const auto prune = [&] { return prune_idempotency(connection, 10); };
  EXPECT_EQ(prune(), 0);
  connection.query("UPDATE log.idempotency SET recorded_at = recorded_at - interval '25 hours' WHERE key <> $1",
                   pg::Params(batch.idempotency[0].key));
  EXPECT_THAT((std::array{prune(), prune(), prune(), prune()}), ElementsAre(10, 10, 4, 0));
  EXPECT_THAT(reader.load({.streams = {}, .claims = {}, .keys = {batch.idempotency[0].key, batch.idempotency[1].key}}).idempotency,
              SizeIs(1));
}

TEST_F(LogReading, reads_recorded_keys_in_pages) {
  Batch batch{.fence = reader.head()};
  std::vector<IdempotencyKey> keys;
  for (int i = 0; i < 5; ++i) batch.idempotency.push_back(record_of(keys.emplace_back(Uuid::v7(now()))));
  ASSERT_EQ(append(writer, batch), committed);
  std::ranges::sort(keys);
  EXPECT_THAT(reader.recorded_keys({}, 3), ElementsAre(keys[0], keys[1], keys[2]));
  EXPECT_THAT(reader.recorded_keys(keys[2], 3), ElementsAre(keys[3], keys[4]));
  EXPECT_THAT(reader.recorded_keys(keys[4], 3), SizeIs(0));
}

TEST_F(LogReading, begins_a_new_epoch_when_told) {
  const std::string before = reader.epoch();
  pg::Connection connection({.url = url});
  EXPECT_NE(begin_epoch(connection), before);
  EXPECT_NE(reader.epoch(), before);
}

}  // namespace
}  // namespace bloomwatch::test
