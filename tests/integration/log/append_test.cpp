// What the log refuses and what it keeps: the fence, dense positions, claims, idempotency, and the truth after a lost connection.
#include <gmock/gmock.h>

#include <optional>
#include <thread>

#include "runtime/migrate.h"
#include "tests/integration/log/log_fixture.h"

namespace bloomwatch::test {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using enum AppendResult;

using Log = LogTest;

TEST_F(Log, keeps_every_field_of_an_event) {
  NewEvent sent = new_event(Uuid::v7(now()), 1, R"({"title":"葬送のフリーレン","score":85})", PartitionKey(Uuid::v7(now())));
  sent.schema_version = 2;
  sent.by.account = UserId(Uuid::v7(now()));
  sent.by.profile = ProfileId(Uuid::v7(now()));
  sent.by.origin = {OriginKind::import, "mal", "an import"};
  sent.by.causation = EventId(Uuid::v7(now()));
  sent.undoes = EventId(Uuid::v7(now()));
  ASSERT_EQ(append(writer, {.fence = reader.head(), .events = {sent}}), committed);

  const RecordedEvent got = reader.read(0, 10).at(0);
  EXPECT_EQ(got.meta.position, 1);
  EXPECT_EQ(got.meta.stream, sent.stream);
  EXPECT_EQ(got.meta.version, 1);
  EXPECT_EQ(got.meta.event_id, sent.event_id);
  EXPECT_EQ(got.meta.partition_key, sent.partition_key);
  EXPECT_EQ(got.meta.partition, partition_of(sent.partition_key));
  EXPECT_EQ(got.meta.recorded_at, sent.recorded_at);
  EXPECT_EQ(got.meta.by.account, sent.by.account);
  EXPECT_EQ(got.meta.by.profile, sent.by.profile);
  EXPECT_EQ(got.meta.by.origin.kind, OriginKind::import);
  EXPECT_EQ(got.meta.by.origin.provider, "mal");
  EXPECT_EQ(got.meta.by.origin.reference, "an import");
  EXPECT_EQ(got.meta.by.command, sent.by.command);
  EXPECT_EQ(got.meta.by.correlation, sent.by.correlation);
  EXPECT_EQ(got.meta.by.causation, sent.by.causation);
  EXPECT_EQ(got.meta.undoes, sent.undoes);
  EXPECT_EQ(got.type, "AnimeRated");
  EXPECT_EQ(got.schema_version, 2);
  EXPECT_EQ(got.data, R"({"score": 85, "title": "葬送のフリーレン"})");
}

TEST_F(Log, counts_positions_without_gaps_through_batches_in_flight) {
  LogPoint at = reader.head();
  for (int i = 0; i < 4; ++i) {
    const Batch batch = batch_after(at, 7);
    writer.send(batch);
    at = batch.last();
  }
  EXPECT_THAT(outcomes(writer, 4), ElementsAre(committed, committed, committed, committed));
  EXPECT_EQ(reader.head(), at);
  const auto events = reader.read(0, 100);
  ASSERT_EQ(events.size(), 28U);
  for (std::size_t i = 0; i < events.size(); ++i) EXPECT_EQ(events[i].meta.position, static_cast<Position>(i) + 1);
}

TEST_F(Log, refuses_a_batch_decided_before_another_writers_event_of_the_same_number) {
  const LogPoint start = reader.head();
  AppendPipeline other(url);
  other.reconnect();
  const Batch ours = batch_after(start, 3);
  ASSERT_EQ(append(other, batch_after(start, 3)), committed);
  EXPECT_EQ(append(writer, ours), fence_lost);
  EXPECT_EQ(append(writer, batch_after(ours.last(), 1)), fence_lost) << "position 3 exists, but it is somebody else's event";
  EXPECT_EQ(append(writer, batch_after(reader.head(), 1)), committed);
}

TEST_F(Log, lets_one_of_two_writers_win_when_both_append_at_once) {
  AppendPipeline other(url);
  other.reconnect();
  int won = 0;
  for (int round = 0; round < 100; ++round) {
    const LogPoint fence = reader.head();
    writer.send(batch_after(fence, 5));
    other.send(batch_after(fence, 5));
    const AppendResult a = outcomes(writer, 1).at(0);
    const AppendResult b = outcomes(other, 1).at(0);
    ASSERT_NE(a, b);
    won += a == committed || b == committed ? 1 : 0;
    ASSERT_TRUE(a == fence_lost || b == fence_lost);
  }
  EXPECT_EQ(won, 100);
  EXPECT_EQ(reader.head().position, 500);
}

TEST_F(Log, fails_the_batches_in_flight_after_one_that_fails) {
  const LogPoint start = reader.head();
  Batch bad = batch_after(start, 2);
  bad.events[1].data = "not JSON";
  const Batch next = batch_after(bad.last(), 2);
  const Batch last = batch_after(next.last(), 2);
  writer.send(bad);
  writer.send(next);
  writer.send(last);
  EXPECT_THAT(outcomes(writer, 3), ElementsAre(data_error, fence_lost, fence_lost));
  EXPECT_EQ(reader.head().position, 0);
  EXPECT_EQ(append(writer, batch_after(start, 1)), committed) << "the connection goes on";
}

TEST_F(Log, calls_a_version_that_is_there_already_an_error_in_the_data) {
  const Uuid stream = Uuid::v7(now());
  ASSERT_EQ(append(writer, stream_after(reader.head(), stream, 2)), committed);
  EXPECT_EQ(append(writer, stream_after(reader.head(), stream, 1)), data_error);
}

TEST_F(Log, refuses_a_recorded_key_again_with_all_that_came_with_it) {
  const IdempotencyKey key(Uuid::v7(now()));
  Batch first = batch_after(reader.head(), 1);
  first.idempotency.push_back(record_of(key));
  ASSERT_EQ(append(writer, first), committed);
  Batch second = batch_after(reader.head(), 1);
  second.idempotency.push_back(record_of(key));
  EXPECT_EQ(append(writer, second), fence_lost);
  EXPECT_EQ(reader.head(), first.last());
  EXPECT_THAT(reader.load({.streams = {}, .claims = {}, .keys = {key}}).idempotency, ElementsAre(first.idempotency[0]));
}

TEST_F(Log, checks_the_fence_for_a_batch_without_events) {
  const LogPoint start = reader.head();
  const IdempotencyKey key(Uuid::v7(now()));
  EXPECT_EQ(append(writer, {.fence = start, .events = {}, .claims = {}, .idempotency = {record_of(key)}}), committed);
  EXPECT_EQ(append(writer, {.fence = start}), committed) << "a fence check alone";
  ASSERT_EQ(append(writer, batch_after(start, 1)), committed);
  EXPECT_EQ(append(writer, {.fence = start}), fence_lost) << "something follows the fence";
  EXPECT_EQ(append(writer, {.fence = start, .events = {}, .claims = {}, .idempotency = {record_of(IdempotencyKey(Uuid::v7(now())))}}),
            fence_lost);
  EXPECT_EQ(append(writer, {.fence = {7, EventId(Uuid::v7(now())), {}}}), fence_lost);
}

TEST_F(Log, takes_moves_and_releases_claims_with_the_batch) {
  const ClaimKey kept(Uuid::v7(now())), moved(Uuid::v7(now())), released(Uuid::v7(now()));
  const Uuid one = Uuid::v7(now()), two = Uuid::v7(now());
  const Time retired = now();
  Batch first = batch_after(reader.head(), 1);
  first.claims = {{kept, ClaimHolder{"user", one}}, {moved, ClaimHolder{"user", one}}, {released, ClaimHolder{"user", one}}};
  ASSERT_EQ(append(writer, first), committed);
  Batch second = batch_after(reader.head(), 1);
  second.claims = {{moved, ClaimHolder{"profile", two, retired}}, {released, std::nullopt}};
  ASSERT_EQ(append(writer, second), committed);

  Batch lost = batch_after(first.last(), 1);
  lost.claims = {{kept, std::nullopt}, {moved, ClaimHolder{"user", one}}};
  EXPECT_EQ(append(writer, lost), fence_lost);

  EXPECT_THAT(reader.load({.streams = {}, .claims = {kept, moved, released}, .keys = {}}).claims,
              testing::UnorderedElementsAre(ClaimChange{kept, ClaimHolder{"user", one}},
                                            ClaimChange{moved, ClaimHolder{"profile", two, retired}}, ClaimChange{released, std::nullopt}));
}

TEST_F(Log, refuses_to_change_or_delete_events) {
  ASSERT_EQ(append(writer, batch_after(reader.head(), 1)), committed);
  pg::Connection connection({.url = url});
  EXPECT_THROW(connection.script("UPDATE log.events SET type = 'Other' WHERE position = 1"), pg::Error);
  EXPECT_THROW(connection.script("DELETE FROM log.events WHERE position = 1"), pg::Error);
  EXPECT_THROW(connection.script("TRUNCATE log.events"), pg::Error);
  EXPECT_EQ(reader.head().position, 1);
}

TEST_F(Log, tells_the_truth_after_a_connection_was_lost_with_batches_in_flight) {
  pg::Connection killer({.url = url});
  LogPoint known = reader.head();
  int lost = 0;
  for (int round = 0; round < 40; ++round) {
    LogPoint at = known;
    std::vector<Batch> sent;
    for (int i = 0; i < 4; ++i) {
      sent.push_back(batch_after(at, 50));
      at = sent.back().last();
      writer.send(sent.back());
    }
    std::this_thread::sleep_for(std::chrono::microseconds(round / 2 * 300));
    const std::string connection = round % 2 == 0 ? "bloomwatch writer" : "bloomwatch writer flushes";
    killer.script("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND application_name = '" +
                  connection + "'");
    const std::vector<AppendResult> results = outcomes(writer, 4);
    ASSERT_EQ(results.size(), 4U);
    if (writer.connected()) (void)writer.poll(100ms);  // it may have answered all and been ended after that
    writer.reconnect();
    const Tail tail = reader.tail(known, 1000);
    ASSERT_EQ(tail.events.size() % 50, 0U) << "a batch is there whole or not at all";
    const std::size_t there = tail.events.size() / 50;
    for (std::size_t i = 0; i < 4; ++i) {
      if (results[i] == committed) {
        ASSERT_LT(i, there) << "what was acknowledged is in the log";
      } else {
        ASSERT_EQ(results[i], connection_lost);
        ++lost;
      }
      if (i < there) ASSERT_EQ(tail.events[i * 50].meta.event_id, sent[i].events[0].event_id);
    }
    known = tail.head;
  }
  EXPECT_GT(lost, 0) << "the test has to hit batches in flight";
  EXPECT_EQ(reader.head(), known);
}

TEST_F(Log, wakes_a_writer_that_waits_for_results) {
  std::jthread other([&] {
    std::this_thread::sleep_for(50ms);
    writer.wake();
  });
  const auto before = std::chrono::steady_clock::now();
  EXPECT_TRUE(writer.poll(10s).empty());
  EXPECT_LT(std::chrono::steady_clock::now() - before, 5s);
}

TEST(LogRestart, goes_on_with_a_new_connection_after_the_server_came_back) {
  PostgresCluster cluster;
  const std::string url = cluster.url();
  migrate(url, migrations_folder());
  AppendPipeline writer(url);
  LogReader reader(url);
  writer.reconnect();
  ASSERT_EQ(append(writer, batch_after(reader.head(), 1)), committed);
  cluster.stop("immediate");
  EXPECT_EQ(append(writer, batch_after({}, 1)), connection_lost);
  EXPECT_THROW(writer.reconnect(), pg::Error);
  EXPECT_THROW(reader.head(), pg::Error);
  cluster.start();
  writer.reconnect();
  EXPECT_EQ(append(writer, batch_after(reader.head(), 1)), committed);
  EXPECT_EQ(reader.head().position, 2);
}

/// A cluster that writes its log to disk only when somebody waits for it, so that a crash takes what it can.
class LogCrash : public testing::Test {
 protected:
  LogCrash() {
    migrate(url, migrations_folder());
    pg::Connection(pg::Options{.url = url}).query("ALTER SYSTEM SET wal_writer_delay = '10s'");
    restart("fast");
  }

  void restart(const std::string& mode) {
    cluster.stop(mode);
    cluster.start();
    // Postgres writes pages of its log that are full, whoever waits: what is to be lost begins a page.
    pg::Connection(pg::Options{.url = url}).query("SELECT pg_switch_wal()");
    writer.emplace(url);
    writer->reconnect();
  }
  void crash() { restart("immediate"); }

  PostgresCluster cluster;
  std::string url = cluster.url();
  std::optional<AppendPipeline> writer;
  LogReader reader{url};
};

TEST_F(LogCrash, keeps_what_was_reported) {
  for (int round = 0; round < 3; ++round) {
    LogPoint at = reader.head();
    for (int i = 0; i < 4; ++i) {
      const Batch batch = batch_after(at, 5);
      writer->send(batch);
      at = batch.last();
    }
    ASSERT_THAT(outcomes(*writer, 4), ElementsAre(committed, committed, committed, committed));
    crash();
    ASSERT_EQ(reader.head(), at);
  }
}

TEST_F(LogCrash, may_take_what_was_seen_unless_it_was_waited_for) {
  const LogPoint start = reader.head();
  const auto see_an_event = [&] {
    writer->send(batch_after(start, 1));  // and nobody polls, so nothing is flushed
    for (int i = 0; i < 1000 && reader.head() == start; ++i) std::this_thread::sleep_for(5ms);
    return reader.head();
  };
  ASSERT_NE(see_an_event(), start);
  crash();
  EXPECT_THROW(reader.await_durable(), pg::Error) << "what was read has gone with its connection";
  EXPECT_EQ(reader.head(), start);
  reader.await_durable();

  const LogPoint seen = see_an_event();
  ASSERT_NE(seen, start);
  reader.await_durable();
  crash();
  EXPECT_EQ(reader.head(), seen);
}

TEST_F(LogCrash, takes_the_snapshot_of_an_event_with_it_and_none_comes_later) {
  const LogPoint start = reader.head();
  const Batch batch = batch_after(start, 1);
  writer->send(batch);  // and nobody polls, so nothing is flushed
  for (int i = 0; i < 1000 && reader.head() == start; ++i) std::this_thread::sleep_for(5ms);
  ASSERT_NE(reader.head(), start);
  const NewEvent& event = batch.events.front();
  const StreamSnapshot snapshot{event.stream, event.version, event.event_id, 1, "seen"};
  const auto keep = [&] {
    pg::Connection connection({.url = url, .settings = {{"synchronous_commit", "off"}}});
    keep_snapshots(connection, std::array{snapshot});
    return LogReader(url).snapshots({}, 10);
  };
  EXPECT_THAT(keep(), ElementsAre(snapshot));
  crash();
  EXPECT_EQ(LogReader(url).head(), start);
  EXPECT_THAT(LogReader(url).snapshots({}, 10), testing::IsEmpty());
  EXPECT_THAT(keep(), testing::IsEmpty()) << "by who saw the event before the crash";
}

}  // namespace
}  // namespace bloomwatch::test
