// The projector on real Postgres: exactly once, poison, parked keys, rebuilds while it follows, a database that goes away, a new epoch.
#include "projector/projector.h"

#include <atomic>
#include <future>
#include <thread>
#include <utility>

#include "projector/parked.h"
#include "projector/rebuild.h"
#include "runtime/config.h"
#include "runtime/metrics.h"
#include "runtime/migrate.h"
#include "tests/integration/projection/projection_fixture.h"

namespace bloomwatch::test {
namespace {

using std::chrono::seconds;

constexpr seconds long_enough{60};

class ProjectorTest : public ProjectionTest {
 protected:
  void append_and_publish(const std::vector<NewEvent>& events) {
    append(events);
    hub.publish(Hub::log_topic, reader.head().position);
  }
  projection::ProjectorOptions options(Hub& its_hub) { return {.database_url = url, .hub = its_hub}; }

  Hub hub;
};

TEST_F(ProjectorTest, follows_the_log_and_tells_how_far_it_is) {
  History history(1);
  append(history.next(200));
  projection::Projector projector(options(hub));
  projector.start();
  ASSERT_TRUE(projector.wait(reader.head().position, long_enough));
  append_and_publish(history.next(200));
  ASSERT_TRUE(projector.wait(reader.head().position, long_enough));
  EXPECT_TRUE(projector.ready());
  EXPECT_EQ(projector.position("dashboard"), reader.head().position);
  projector.stop();
  expect_verified();
}

TEST_F(ProjectorTest, two_projectors_of_different_models_work_side_by_side) {
  History history(3);
  append(history.next(200));
  Hub other_hub;
  Metrics metrics;
  Metrics other_metrics;
  projection::Projector some(projection::options_of({.database_url = url, .models = "people,spaces,tracking,dashboard"}, hub, metrics));
  projection::Projector others(
      projection::options_of({.database_url = url, .models = "analytics,history,catalog,recaps"}, other_hub, other_metrics));
  some.start();
  others.start();
  ASSERT_TRUE(some.wait(reader.head().position, long_enough));
  ASSERT_TRUE(others.wait(reader.head().position, long_enough));
  EXPECT_EQ(some.position("dashboard"), reader.head().position);
  EXPECT_EQ(some.position("recaps"), -1);
  EXPECT_EQ(others.position("recaps"), reader.head().position);
  some.stop();
  others.stop();
  expect_verified();
}

TEST(ProjectorOptions, refuse_models_that_cannot_be_followed) {
  Hub hub;
  Metrics metrics;
  EXPECT_THROW(projection::options_of({.models = "people,titles"}, hub, metrics), std::runtime_error);
  EXPECT_THROW(projection::options_of({.models = "people,people"}, hub, metrics), std::runtime_error);
  EXPECT_THROW(projection::options_of({.models = "people,"}, hub, metrics), std::runtime_error);
  EXPECT_THROW(projection::options_of({.feed = "kafka", .models = "people", .kafka_bootstrap = "127.0.0.1:1"}, hub, metrics),
               std::runtime_error);
}

TEST_F(ProjectionTest, two_followers_of_one_checkpoint_never_count_twice) {
  History history(2);
  append(history.next(300));
  Follower one = open_follower();
  Follower other = open_follower();
  ASSERT_TRUE(fold_some(one, 100));
  EXPECT_THROW(fold_some(other, 50), projection::StaleCheckpoint);
  EXPECT_THROW(fold_some(other, 50), projection::StaleCheckpoint);
  other.open(whole_log);
  ASSERT_TRUE(fold_some(other, 50));
  EXPECT_THROW(fold_some(one, 50), projection::StaleCheckpoint);
  one.open(whole_log);
  fold_all(one);
  expect_verified();
}

TEST_F(ProjectorTest, two_projectors_may_race_and_one_takes_over_from_the_other) {
  History history(3);
  Hub other_hub;
  projection::Projector one(options(hub));
  auto other = std::make_unique<projection::Projector>(options(other_hub));
  one.start();
  other->start();
  for (int round = 0; round < 30; ++round) append_and_publish(history.next(60));
  ASSERT_TRUE(one.wait(reader.head().position, long_enough));
  ASSERT_TRUE(other->wait(reader.head().position, long_enough));
  other.reset();
  append_and_publish(history.next(60));
  ASSERT_TRUE(one.wait(reader.head().position, long_enough));
  one.stop();
  expect_verified();
}

TEST_F(ProjectionTest, a_poison_event_parks_its_key_only_and_rows_stay_as_before_it) {
  History history(4);
  const ProfileId mira = history.register_user();
  const std::size_t sick = history.create_space(mira);
  const std::size_t well = history.create_space(mira);
  const std::size_t anime = history.add_anime(sick);
  history.rate(anime, mira, 50);
  history.poison(sick);
  history.rate(anime, mira, 90);
  const std::size_t other = history.add_anime(well);
  history.rate(other, mira, 70);
  append(history.take());
  Follower follower = open_follower();
  fold_all(follower);
  history.rate(anime, mira, 100);
  history.rate(other, mira, 80);
  append(history.take());
  fold_all(follower);
  const auto parked = projection::parked_keys(connection);
  EXPECT_EQ(count("projection.parked WHERE model IN ('tracking', 'dashboard', 'analytics')"), 3);
  EXPECT_EQ(count("projection.parked WHERE model IN ('people', 'spaces')"), 0);  // they do not care
  for (const auto& key : parked) {
    EXPECT_EQ(key.key.uuid, history.spaces()[sick].id.uuid);
    EXPECT_EQ(key.event_type, "AnimeRated");
    EXPECT_NE(key.reason, "");
  }
  EXPECT_EQ(count("read_tracking.entries WHERE score_tenths = 50"), 1);
  EXPECT_EQ(count("read_tracking.entries WHERE score_tenths = 80"), 1);
  expect_verified();
  follower.open(whole_log);
  EXPECT_EQ(follower.parked("dashboard").size(), 1U);
}

TEST_F(ProjectionTest, a_parked_key_is_retried_discarded_and_left_out_by_a_rebuild) {
  auto [history, mira, space, anime] = PoisonedSpace(5);
  append(history.take());
  Follower follower = open_follower();
  fold_all(follower);
  const PartitionKey key(history.spaces()[space].id.uuid);
  const auto again = projection::retry_parked(url, "dashboard", key);
  ASSERT_TRUE(again.parked.has_value());
  EXPECT_EQ(count("read_dashboard.anime WHERE raters = 1"), 0);
  const auto gone = projection::discard_parked(url, "dashboard", key, "made by hand");
  EXPECT_FALSE(gone.parked.has_value());
  EXPECT_EQ(gone.events, 1);
  EXPECT_EQ(count("read_dashboard.anime WHERE raters = 1"), 1);
  history.rate(anime, mira, 80);
  append(history.take());
  EXPECT_THROW(fold_some(follower, 10), projection::StaleCheckpoint);
  follower.open(whole_log);
  fold_all(follower);
  EXPECT_EQ(count("read_dashboard.anime WHERE score_tenths::text LIKE '%80%'"), 1);
  expect_verified();
  const auto live = rows_of("dashboard");
  const auto report = projection::rebuild(url, "dashboard");
  EXPECT_EQ(report.parked, 0U);
  EXPECT_EQ(rows_of("dashboard"), live);
  EXPECT_THROW(projection::retry_parked(url, "dashboard", key), std::runtime_error);
  EXPECT_EQ(projection::rebuild(url, "tracking").parked, 1U);
  EXPECT_EQ(count("projection.parked WHERE model = 'tracking'"), 1);
  EXPECT_EQ(count("projection.parked WHERE model = 'dashboard'"), 0);
}

TEST_F(ProjectionTest, a_parked_key_is_not_folded_into_rows_of_another_version) {
  History history(13);
  const ProfileId mira = history.register_user();
  const std::size_t space = history.create_space(mira);
  history.poison(space);
  append(history.take());
  Follower follower = open_follower();
  fold_all(follower);
  const PartitionKey key(history.spaces()[space].id.uuid);
  const auto refusal = [&](const auto& attempt) -> std::string {
    try {
      attempt();
      return "none";
    } catch (const std::runtime_error& error) {
      return error.what();
    }
  };
  for (const std::string version : {"0", "99"}) {
    connection.script("UPDATE projection.checkpoints SET version = " + version + " WHERE model = 'dashboard'");
    EXPECT_THAT(refusal([&] { projection::retry_parked(url, "dashboard", key); }), testing::HasSubstr("is at version " + version));
    EXPECT_THAT(refusal([&] { projection::discard_parked(url, "dashboard", key, "made by hand"); }),
                testing::HasSubstr("is at version " + version));
  }
  EXPECT_EQ(count("projection.discarded"), 0);
  EXPECT_EQ(count("projection.parked WHERE model = 'dashboard'"), 1);
  connection.script("UPDATE projection.checkpoints SET version = 0 WHERE model = 'dashboard'");
  EXPECT_EQ(projection::rebuild(url, "dashboard").parked, 1U);
  EXPECT_FALSE(projection::discard_parked(url, "dashboard", key, "made by hand").parked) << "after the rebuild it may be";
}

TEST_F(ProjectionTest, an_event_that_this_program_does_not_know_parks_its_key) {
  History history(6);
  const ProfileId mira = history.register_user();
  history.create_space(mira);
  auto events = history.take();
  events.back().type = "SomethingNewer";
  append(events);
  Follower follower = open_follower();
  fold_all(follower);
  EXPECT_EQ(projection::parked_keys(connection).size(), projection::all_models().size());
  EXPECT_EQ(count("read_people.accounts"), 1);
}

TEST_F(ProjectorTest, is_rebuilt_while_it_follows_and_no_reader_goes_backwards) {
  History history(7);
  append(history.next(2000));
  projection::Projector projector(options(hub));
  projector.start();
  ASSERT_TRUE(projector.wait(reader.head().position, long_enough));
  testing::internal::CaptureStderr();
  std::atomic<bool> done = false;
  std::jthread commands([&] {
    while (!done) append_and_publish(history.next(20));
  });
  std::jthread pages([&] {
    pg::Connection page(pg::Options{.url = url});
    static const pg::Statement statement(
        "SELECT (SELECT position FROM projection.checkpoints WHERE model = 'tracking' AND slot = 'live'), "
        "(SELECT count(*) FROM read_tracking.anime)");
    std::int64_t position = 0, rows = 0;
    while (!done) {
      const pg::Result now = page.run(statement);
      EXPECT_GE(now[0].get<std::int64_t>(0), position);
      EXPECT_GE(now[0].get<std::int64_t>(1), rows);
      position = now[0].get<std::int64_t>(0);
      rows = now[0].get<std::int64_t>(1);
    }
  });
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(projection::rebuild(url, "tracking", {.batch_events_max = 700}).switched);
  done = true;
  commands.join();
  pages.join();
  EXPECT_TRUE(projector.wait(reader.head().position, long_enough));
  projector.stop();
  const std::string logged = testing::internal::GetCapturedStderr();
  EXPECT_NE(logged.find("changed by a switch or a retry"), std::string::npos) << logged;
  EXPECT_EQ(logged.find("standing by"), std::string::npos) << "nobody else is at work\n" << logged;
  expect_verified();
}

TEST_F(ProjectionTest, a_rebuild_keeps_nobody_from_old_tables_that_an_earlier_one_has_left) {
  History history(12);
  append(history.next(100));
  Follower follower = open_follower();
  fold_all(follower);
  connection.script("CREATE SCHEMA read_people_old; CREATE TABLE read_people_old.accounts (LIKE read_people.accounts)");
  pg::Connection page(pg::Options{.url = url});
  page.script("BEGIN");
  page.query("SELECT FROM read_people_old.accounts");
  auto rebuilt = std::async(std::launch::async, [this] { return projection::rebuild(url, "people"); });
  const std::string waiting = "pg_locks WHERE NOT granted AND database = (SELECT oid FROM pg_database WHERE datname = current_database())";
  for (const auto end = std::chrono::steady_clock::now() + long_enough; count(waiting) == 0 && std::chrono::steady_clock::now() < end;)
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  pg::Connection another(pg::Options{.url = url});
  another.script("SET lock_timeout = '2s'");
  EXPECT_NO_THROW(another.query("SELECT FROM read_people_old.accounts")) << "it waits behind the rebuild, which waits for the page";
  page.script("COMMIT");
  EXPECT_TRUE(rebuilt.get().switched);
  EXPECT_EQ(count("pg_namespace WHERE nspname = 'read_people_old'"), 0);
}

TEST_F(ProjectionTest, a_rebuild_takes_no_tables_back_to_before_a_migration) {
  History history(15);
  append(history.next(200));
  Follower follower = open_follower();
  fold_all(follower);
  pg::Connection migration(pg::Options{.url = url});
  const auto migrate = [&](Position, Position) {
    migration.script("ALTER TABLE read_dashboard.anime ADD COLUMN IF NOT EXISTS fresh integer");
  };
  EXPECT_THAT([&] { projection::rebuild(url, "dashboard", {.progress = migrate, .batch_events_max = 50}); },
              testing::ThrowsMessage<std::runtime_error>(testing::HasSubstr("a migration has changed the tables of 'dashboard'")));
  EXPECT_EQ(count("information_schema.columns WHERE table_schema = 'read_dashboard' AND column_name = 'fresh'"), 1);
  EXPECT_TRUE(projection::rebuild(url, "dashboard").switched);
  EXPECT_EQ(count("information_schema.columns WHERE table_schema = 'read_dashboard' AND column_name = 'fresh'"), 1);
}

TEST_F(ProjectionTest, a_rebuild_that_has_switched_ends_well_whatever_counting_its_rows_takes) {
  auto [history, mira, space, anime] = PoisonedSpace(14);
  append(history.take());
  Follower follower = open_follower();
  fold_all(follower);
  // Old tables too large to be counted: one of them, as soon as it is old, becomes a view that nobody sees the end of.
  connection.script(
      "CREATE FUNCTION make_endless() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN "
      "IF to_regclass('read_dashboard_old.anime') IS NULL OR to_regclass('read_dashboard_old.counted') IS NOT NULL THEN RETURN; END IF; "
      "ALTER TABLE read_dashboard_old.anime RENAME TO counted; "
      "CREATE VIEW read_dashboard_old.anime AS SELECT pg_sleep(600)::text FROM read_dashboard_old.counted; END $$;"
      "CREATE EVENT TRIGGER endless ON ddl_command_end WHEN TAG IN ('ALTER SCHEMA') EXECUTE FUNCTION make_endless()");
  bool discarded = false;
  const auto discard_meanwhile = [&](Position, Position) {
    if (!std::exchange(discarded, true))
      projection::discard_parked(url, "dashboard", PartitionKey(history.spaces()[space].id.uuid), "made by hand");
  };
  const auto report = projection::rebuild(url, "dashboard", {.progress = discard_meanwhile});
  EXPECT_TRUE(report.switched);
  for (const auto& table : report.tables) {
    EXPECT_EQ(table.rows_before.has_value(), table.name != "anime") << table.name;
    EXPECT_TRUE(table.rows_after.has_value()) << table.name;
  }
  EXPECT_EQ(count("projection.parked WHERE model = 'dashboard'"), 0) << "discarded while the new tables were filled";
  EXPECT_EQ(count("pg_namespace WHERE nspname = 'read_dashboard_old'"), 0);
  expect_verified();
}

TEST_F(ProjectorTest, a_model_of_an_older_version_is_made_anew_by_itself) {
  History history(8);
  append(history.next(300));
  {
    Follower follower = open_follower();
    fold_all(follower);
  }
  connection.script(
      "UPDATE projection.checkpoints SET version = 0 WHERE model = 'dashboard';"
      "UPDATE read_dashboard.anime SET raters = 99");
  append(history.next(100));
  projection::Projector projector(options(hub));
  projector.start();
  ASSERT_TRUE(projector.wait(reader.head().position, long_enough));
  projector.stop();
  expect_verified();
}

TEST_F(ProjectorTest, a_model_made_anew_is_followed_while_the_next_one_is_made) {
  History history(8);
  append(history.next(300));
  {
    Follower follower = open_follower();
    fold_all(follower);
  }
  connection.script("UPDATE projection.checkpoints SET version = 0 WHERE model IN ('dashboard', 'history')");
  append(history.next(100));
  pg::Connection holds_up({.url = url});
  holds_up.script("BEGIN; LOCK TABLE read_history.changes IN ACCESS EXCLUSIVE MODE");
  projection::Projector projector(options(hub));
  projector.start();
  EXPECT_TRUE(hub.wait(Hub::model_topic("dashboard"), reader.head().position, projection::Projector::rebuild_again_after / 2));
  holds_up.script("ROLLBACK");
  projector.stop();
}

TEST_F(ProjectorTest, fills_anew_when_the_log_begins_a_new_epoch) {
  History history(9);
  append(history.next(300));
  Follower follower = open_follower();
  fold_all(follower);
  connection.script("UPDATE read_tracking.anime SET shared_episodes = 999");
  begin_epoch(connection);
  follower.open(whole_log);
  EXPECT_EQ(follower.position("tracking"), 0);
  fold_all(follower);
  expect_verified();
}

TEST_F(ProjectionTest, what_was_discarded_stays_left_out_in_a_new_epoch) {
  auto [history, mira, space, anime] = PoisonedSpace(11);
  append(history.take());
  Follower follower = open_follower();
  fold_all(follower);
  projection::discard_parked(url, "dashboard", PartitionKey(history.spaces()[space].id.uuid), "made by hand");
  // Of an event that a restore has taken away.
  connection.query("INSERT INTO projection.discarded (model, position, reason) VALUES ('dashboard', $1, 'lost')",
                   pg::Params(reader.head().position + 1));
  projection::forget_lost_discards(connection);
  begin_epoch(connection);
  follower.open(whole_log);
  history.rate(anime, mira, 80);
  append(history.take());
  fold_all(follower);
  EXPECT_EQ(count("projection.parked WHERE model = 'dashboard'"), 0);
  EXPECT_EQ(count("projection.parked WHERE model = 'tracking'"), 1) << "there it was not discarded";
  EXPECT_EQ(count("read_dashboard.anime WHERE score_tenths::text LIKE '%80%'"), 1) << "the event that came in the lost one's position";
  expect_verified();
}

TEST(ProjectorOnABrokenDatabase, goes_on_when_it_is_back) {
  PostgresCluster cluster;
  pg::Connection(pg::Options{.url = cluster.url()}).script("CREATE DATABASE bloom");
  const std::string url = cluster.url("bloom");
  migrate(url, migrations_folder());
  History history(10);
  LogReader reader(url);
  const auto append = [&](const std::vector<NewEvent>& events) {
    AppendPipeline writer(url);
    writer.reconnect();
    writer.send(Batch{.fence = reader.head(), .events = events});
    ASSERT_EQ(writer.poll(seconds(20)).at(0).result, AppendResult::committed);
  };
  append(history.next(200));
  Hub hub;
  projection::Projector projector({.database_url = url, .hub = hub});
  projector.start();
  ASSERT_TRUE(projector.wait(reader.head().position, long_enough));
  cluster.stop("immediate");
  std::this_thread::sleep_for(std::chrono::milliseconds(300));
  cluster.start();
  LogReader after(url);
  append(history.next(200));
  ASSERT_TRUE(projector.wait(after.head().position, long_enough));
  projector.stop();
  for (const auto& verdict : projection::verify_models(url)) EXPECT_TRUE(verdict.holds()) << verdict.model;
}

}  // namespace
}  // namespace bloomwatch::test
