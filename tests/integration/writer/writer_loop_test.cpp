// The writer against a real Postgres: what the simulation proves of the machine must hold of its threads and of the log's statements too.
// The domain is the simulation's bank.
#include "command-service/writer_loop.h"

#include <gtest/gtest.h>

#include <atomic>
#include <condition_variable>
#include <future>
#include <map>
#include <mutex>
#include <thread>

#include "events/log.h"
#include "runtime/migrate.h"
#include "tests/postgres_cluster.h"
#include "tests/unit/writer_simulation/bank.h"

namespace bloomwatch {
namespace {

using namespace std::chrono_literals;
using simulation::BankWork;
using simulation::Wish;
using simulation::WishKind;

/// What clients heard, by command.
class Clients {
 public:
  struct Heard {
    Answer::Kind kind;
    Version version;
    Position position;
    bool repeated;
    std::string refusal;
  };

  CommandId submit(Writer& writer, const Wish& wish, std::optional<std::uint64_t> key = {}) {
    const CommandId command(Uuid::v7(now()));
    CommandFrame frame{.by = {.command = command}};
    if (key) frame.key = IdempotencyKey(simulation::small_uuid(4, *key));
    {
      const std::lock_guard lock(mutex_);
      ++open_;
    }
    writer.submit(std::make_unique<BankWork>(std::move(frame), wish, command.uuid, [this](const BankWork& work, const Answer& answer) {
      const std::lock_guard lock(mutex_);
      heard_.emplace(work.frame.by.command,
                     Heard{answer.kind, answer.version, answer.position, answer.repeated, std::string(answer.refusal)});
      --open_;
      answered_.notify_all();
    }));
    return command;
  }

  Heard ask(Writer& writer, const Wish& wish, std::optional<std::uint64_t> key = {}) {
    const CommandId command = submit(writer, wish, key);
    std::unique_lock lock(mutex_);
    answered_.wait(lock, [&] { return heard_.contains(command); });
    return heard_.at(command);
  }

  void wait_until_open(std::size_t at_most) {
    std::unique_lock lock(mutex_);
    answered_.wait(lock, [&] { return open_ <= at_most; });
  }

  std::map<CommandId, Heard> all() {
    const std::lock_guard lock(mutex_);
    return heard_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable answered_;
  std::map<CommandId, Heard> heard_;
  std::size_t open_ = 0;
};

bool becomes(const std::function<bool()>& condition, std::chrono::milliseconds timeout = 8s) {
  const auto deadline = std::chrono::steady_clock::now() + timeout;
  while (!condition())
    if (std::chrono::steady_clock::now() > deadline)
      return false;
    else
      std::this_thread::sleep_for(2ms);
  return true;
}

std::unique_ptr<Writer> writer_of(const std::string& url, Hub& hub) {
  const WriterOptions options{.database_url = url,
                              .snapshot_shapes = {{std::string(simulation::account_category), simulation::account_shape}}};
  auto writer = std::make_unique<Writer>(options, simulation::make_account_state, hub);
  writer->start();
  return writer;
}

Wish pay_in(int account, int amount) { return {.kind = WishKind::pay_in, .account = account, .amount = amount}; }
Wish pay_out(int account, int amount) { return {.kind = WishKind::pay_out, .account = account, .amount = amount}; }

/// Every command that was acknowledged is in the log once, nothing that was refused is there, positions and versions are dense.
void check_log(const std::string& url, const std::map<CommandId, Clients::Heard>& heard) {
  LogReader reader(url);
  std::map<CommandId, Meta> found;
  std::map<Uuid, Version> versions;
  Position position = 0;
  while (true) {
    const std::vector<RecordedEvent> events = reader.read(position, 10'000);
    if (events.empty()) break;
    for (const RecordedEvent& event : events) {
      ASSERT_EQ(event.meta.position, ++position);
      ASSERT_EQ(event.meta.version, ++versions[event.meta.stream.id]);
      ASSERT_TRUE(found.emplace(event.meta.by.command, event.meta).second) << "a command is in the log twice";
    }
  }
  for (const auto& [command, answer] : heard) {
    const auto place = found.find(command);
    if (answer.kind == Answer::Kind::done && !answer.repeated) {
      ASSERT_NE(place, found.end()) << "an acknowledged command is not in the log";
      EXPECT_EQ(place->second.position, answer.position);
      EXPECT_EQ(place->second.version, answer.version);
    } else if (answer.kind != Answer::Kind::unknown) {
      EXPECT_EQ(place, found.end()) << "a command that was not done is in the log, answered " << static_cast<int>(answer.kind);
    }
  }
}

TEST(WriterLoop, answers_when_the_event_is_in_the_log) {
  const std::string url = test::fresh_database();
  Hub hub;
  const auto writer = writer_of(url, hub);
  ASSERT_TRUE(becomes([&] { return writer->ready(); }));
  Clients clients;
  const auto first = clients.ask(*writer, pay_in(0, 10));
  EXPECT_EQ(first.kind, Answer::Kind::done);
  EXPECT_EQ(first.position, 1);
  EXPECT_EQ(first.version, 1);
  EXPECT_EQ(clients.ask(*writer, pay_out(0, 4)).version, 2);
  EXPECT_EQ(clients.ask(*writer, pay_out(0, 7)).refusal, "overdrawn");
  EXPECT_EQ(hub.reached(Hub::log_topic), 2);
  check_log(url, clients.all());
}

TEST(WriterLoop, answers_a_repeated_key_as_the_first_time_also_in_another_process) {
  const std::string url = test::fresh_database();
  Hub hub;
  Clients clients;
  for (const bool repeated : {false, true}) {
    const auto writer = writer_of(url, hub);
    ASSERT_TRUE(becomes([&] { return writer->ready(); }));
    const auto answer = clients.ask(*writer, pay_in(0, 10), 77);
    EXPECT_EQ(answer.repeated, repeated);
    EXPECT_EQ(answer.position, 1);
    EXPECT_EQ(clients.ask(*writer, pay_out(1, 10), 78).refusal, "overdrawn");
    writer->stop(1s);
  }
  LogReader reader(url);
  EXPECT_EQ(reader.head().position, 1);
}

TEST(WriterLoop, begins_a_stream_at_its_last_snapshot) {
  const std::string url = test::fresh_database();
  Hub hub;
  Clients clients;
  pg::Connection connection({.url = url});
  const Version enough = SnapshotPace().every;
  {
    const auto writer = writer_of(url, hub);
    ASSERT_TRUE(becomes([&] { return writer->ready(); }));
    for (Version i = 0; i < enough - 1; ++i) clients.ask(*writer, pay_in(0, 1));
    EXPECT_EQ(connection.query("SELECT FROM log.snapshots").size(), 0);
    clients.ask(*writer, pay_in(0, 1));
    ASSERT_TRUE(becomes([&] { return connection.query("SELECT FROM log.snapshots").size() == 1; }));
    EXPECT_EQ(writer->status().counters.snapshots, 1U);
    clients.ask(*writer, pay_in(0, 1));
  }
  // Seen by what nobody but this snapshot says: events would make it poorer.
  connection.query("UPDATE log.snapshots SET state = '1000 0 0 -1' WHERE version = $1", pg::Params(enough));
  const auto writer = writer_of(url, hub);
  ASSERT_TRUE(becomes([&] { return writer->ready(); }));
  EXPECT_EQ(clients.ask(*writer, pay_out(0, 1002)).refusal, "overdrawn");
  EXPECT_EQ(clients.ask(*writer, pay_out(0, 1001)).version, enough + 2);
  check_log(url, clients.all());
}

TEST(WriterLoop, makes_snapshots_of_what_it_had_to_read) {
  const std::string url = test::fresh_database();
  Hub hub;
  Clients clients;
  const auto run = [&](const auto& commands) {
    const auto writer = writer_of(url, hub);
    ASSERT_TRUE(becomes([&] { return writer->ready(); }));
    commands(*writer);
  };
  pg::Connection connection({.url = url});
  run([&](Writer& writer) {
    for (int i = 0; i < 100; ++i) clients.submit(writer, pay_in(0, 1));
    clients.wait_until_open(0);
  });
  connection.query("DELETE FROM log.snapshots");
  run([&](Writer& writer) {
    EXPECT_EQ(clients.ask(writer, pay_out(0, 101)).refusal, "overdrawn");
    EXPECT_TRUE(becomes([&] { return connection.query("SELECT FROM log.snapshots WHERE version = 100").size() == 1; }));
  });
}

TEST(WriterLoop, takes_names_once_and_answers_with_the_position) {
  const std::string url = test::fresh_database();
  Hub hub;
  const auto writer = writer_of(url, hub);
  ASSERT_TRUE(becomes([&] { return writer->ready(); }));
  Clients clients;
  const auto take = [&](int account, int name) {
    return clients.ask(*writer, {.kind = WishKind::take_name, .account = account, .name = name});
  };
  EXPECT_EQ(take(0, 1).kind, Answer::Kind::done);
  EXPECT_EQ(take(1, 1).refusal, "name_taken");
  EXPECT_EQ(take(0, 2).kind, Answer::Kind::done);
  EXPECT_EQ(take(1, 1).kind, Answer::Kind::done);
  EXPECT_EQ(clients.ask(*writer, {.kind = WishKind::retire_name, .account = 1}).kind, Answer::Kind::done);
  EXPECT_EQ(take(2, 1).refusal, "name_taken");
  writer->stop(0ms);
  LogReader reader(url);
  const LoadResult loaded = reader.load({.streams = {}, .claims = {simulation::claim_of(1), simulation::claim_of(2)}, .keys = {}});
  for (const ClaimChange& claim : loaded.claims) {
    ASSERT_TRUE(claim.holder.has_value());
    EXPECT_EQ(claim.holder->retired_at.has_value(), claim.key == simulation::claim_of(1));
  }
}

TEST(WriterLoop, fails_only_the_command_whose_data_the_log_refuses) {
  const std::string url = test::fresh_database();
  {
    pg::Connection connection({.url = url});
    connection.script("ALTER TABLE log.events ADD CONSTRAINT no_poison CHECK (type <> 'Poisoned')");
  }
  Hub hub;
  const auto writer = writer_of(url, hub);
  ASSERT_TRUE(becomes([&] { return writer->ready(); }));
  Clients clients;
  CommandId poison;
  for (int i = 0; i < 300; ++i) {
    const CommandId command = clients.submit(*writer, i == 150 ? Wish{.kind = WishKind::poison} : pay_in(i % 3, 1));
    if (i == 150) poison = command;
  }
  clients.wait_until_open(0);
  for (const auto& [command, answer] : clients.all()) EXPECT_EQ(answer.kind, command == poison ? Answer::Kind::failed : Answer::Kind::done);
  check_log(url, clients.all());
}

TEST(WriterLoop, hands_over_to_a_standby) {
  const std::string url = test::fresh_database();
  Hub hub;
  auto first = writer_of(url, hub);
  ASSERT_TRUE(becomes([&] { return first->ready(); }));
  const auto second = writer_of(url, hub);
  std::this_thread::sleep_for(500ms);
  EXPECT_FALSE(second->ready());
  Clients clients;
  EXPECT_EQ(clients.ask(*second, pay_in(0, 1)).kind, Answer::Kind::unavailable);
  for (int i = 0; i < 200; ++i) clients.submit(*first, pay_in(i % 2, 1));
  first->stop(5s);
  EXPECT_EQ(clients.ask(*first, pay_in(0, 1)).kind, Answer::Kind::unavailable);
  EXPECT_TRUE(becomes([&] { return second->ready(); }));
  EXPECT_EQ(clients.ask(*second, pay_out(0, 100)).version, 101);
  clients.wait_until_open(0);
  check_log(url, clients.all());
}

TEST(WriterLoop, answers_everything_that_it_took_before_it_stops) {
  const std::string url = test::fresh_database();
  Hub hub;
  const auto writer = writer_of(url, hub);
  ASSERT_TRUE(becomes([&] { return writer->ready(); }));
  Clients clients;
  for (int i = 0; i < 3000; ++i) clients.submit(*writer, pay_in(i % 4, 1));
  writer->stop(0ms);
  clients.wait_until_open(0);
  check_log(url, clients.all());
}

TEST(WriterLoop, appends_many_commands_with_few_statements) {
  const std::string url = test::fresh_database();
  Hub hub;
  const auto writer = writer_of(url, hub);
  ASSERT_TRUE(becomes([&] { return writer->ready(); }));
  Clients clients;
  constexpr std::size_t commands = 1000;
  pg::Connection connection({.url = url});
  {
    pg::Connection other({.url = url});
    other.script("BEGIN; LOCK TABLE log.events IN SHARE ROW EXCLUSIVE MODE");  // the first batch waits for it, all others for that
    for (std::size_t i = 0; i < commands; ++i) clients.submit(*writer, pay_in(static_cast<int>(i % 40), 1), i);
    const std::string waits = "SELECT FROM pg_locks AS l JOIN pg_database AS d ON d.oid = l.database WHERE d.datname = current_database()";
    ASSERT_TRUE(becomes([&] { return connection.query(waits + " AND NOT l.granted").size() > 0; }));
    other.script("COMMIT");
  }
  clients.wait_until_open(0);
  writer->stop(0ms);
  check_log(url, clients.all());

  // The rows that one statement wrote say the same transaction and the same command of it.
  const auto count = [&](const std::string& what) {
    return static_cast<std::uint64_t>(
        connection.query("SELECT count(DISTINCT (xmin::text, cmin::text)) FROM " + what)[0].get<std::int64_t>(0));
  };
  const WriterCounters counters = writer->status().counters;
  EXPECT_EQ(count("log.events WHERE position > 0"), counters.batches);
  EXPECT_EQ(count("(SELECT xmin, cmin FROM log.events WHERE position > 0 UNION ALL SELECT xmin, cmin FROM log.idempotency) AS written"),
            counters.batches);
  EXPECT_LE(counters.batches, 2 + commands / 32) << "but for the first and the last one no batch is small";
  EXPECT_LE(counters.loads, 40U) << "a stream is loaded once, whatever comes for it";
}

/// Postgres takes what is asked for and cannot store it, as with a full disk.
constexpr std::string_view full_disk = R"(
  CREATE FUNCTION log.disk_full() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'disk full' USING ERRCODE = '53100'; END $$;
  CREATE TRIGGER disk_full BEFORE INSERT ON log.events EXECUTE FUNCTION log.disk_full())";

TEST(WriterLoop, answers_and_steps_down_when_nothing_can_be_appended) {
  const std::string url = test::fresh_database();
  Hub hub;
  const auto writer = writer_of(url, hub);
  ASSERT_TRUE(becomes([&] { return writer->ready(); }));
  Clients clients;
  EXPECT_EQ(clients.ask(*writer, pay_in(0, 1)).kind, Answer::Kind::done);
  pg::Connection connection({.url = url});
  connection.script(std::string(full_disk));
  EXPECT_EQ(clients.ask(*writer, pay_in(0, 1)).kind, Answer::Kind::unavailable);
  EXPECT_FALSE(writer->ready());
  connection.script("DROP TRIGGER disk_full ON log.events");
  ASSERT_TRUE(becomes([&] { return writer->ready(); }, 20s));
  EXPECT_EQ(clients.ask(*writer, pay_in(0, 1)).version, 2);
  check_log(url, clients.all());
}

TEST(WriterLoop, says_when_what_commands_need_cannot_be_loaded_and_goes_on_when_it_can) {
  const std::string url = test::fresh_database();
  Hub hub;
  Writer writer({.database_url = url, .doubt_max = 200ms}, simulation::make_account_state, hub);
  writer.start();
  ASSERT_TRUE(becomes([&] { return writer.ready(); }));
  Clients clients;
  pg::Connection connection({.url = url});
  connection.script("BEGIN; LOCK TABLE log.events IN ACCESS EXCLUSIVE MODE");
  clients.submit(writer, pay_in(0, 1));
  EXPECT_TRUE(becomes([&] { return writer.status().loads_fail; }));
  connection.script("ROLLBACK");
  clients.wait_until_open(0);
  EXPECT_EQ(clients.ask(writer, pay_in(0, 1)).kind, Answer::Kind::done);
  EXPECT_TRUE(becomes([&] { return !writer.status().loads_fail; }));
}

TEST(WriterLoop, with_a_wrong_clock_leaves_the_lead_to_another) {
  const std::string url = test::fresh_database();
  Hub hub;
  Writer wrong({.database_url = url, .clock_offset_max = -1ms}, simulation::make_account_state, hub);
  wrong.start();
  std::this_thread::sleep_for(500ms);  // it is the first to try
  const auto right = writer_of(url, hub);
  EXPECT_TRUE(becomes([&] { return right->ready(); }, 20s));
  EXPECT_FALSE(wrong.ready());
}

/// Clients that keep `open` commands on their way until told to stop.
class Crowd {
 public:
  Crowd(Writer& writer, Clients& clients, std::size_t open)
      : thread_([&writer, &clients, open](const std::stop_token& stop) {
          for (int i = 0; !stop.stop_requested(); ++i) {
            clients.submit(writer, i % 5 == 4 ? pay_out(i % 3, 3) : pay_in(i % 3, 1),
                           i % 2 == 0 ? std::optional<std::uint64_t>(i) : std::nullopt);
            clients.wait_until_open(open);
            if (!writer.ready()) std::this_thread::sleep_for(1ms);
          }
        }) {}

 private:
  std::jthread thread_;
};

TEST(WriterLoop, loses_and_doubles_nothing_when_its_connections_are_cut) {
  const std::string url = test::fresh_database();
  Hub hub;
  const auto writer = writer_of(url, hub);
  ASSERT_TRUE(becomes([&] { return writer->ready(); }));
  Clients clients;
  {
    const Crowd crowd(*writer, clients, 200);
    pg::Connection connection({.url = url});
    int cuts = 0;
    const auto cut = [&] {
      connection.query(
          "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND application_name IN "
          "('bloomwatch writer', 'bloomwatch writer loads')");
      std::this_thread::sleep_for(std::chrono::milliseconds(20 + 17 * (++cuts % 7)));
      return writer->status().counters.connections_lost > 8;
    };
    EXPECT_TRUE(becomes(cut, 60s)) << cuts << " cuts";
  }
  clients.wait_until_open(0);
  check_log(url, clients.all());
  EXPECT_GT(writer->status().counters.found_in_tail + writer->status().counters.decided_again, 0U);
}

TEST(WriterLoop, goes_on_after_postgres_was_killed) {
  test::PostgresCluster cluster;
  {
    pg::Connection connection({.url = cluster.url()});
    connection.script("CREATE DATABASE killed");
  }
  const std::string url = cluster.url("killed");
  migrate(url, migrations_folder());
  Hub hub;
  const auto writer = writer_of(url, hub);
  ASSERT_TRUE(becomes([&] { return writer->ready(); }));
  Clients clients;
  {
    const Crowd crowd(*writer, clients, 100);
    for (int i = 0; i < 3; ++i) {
      std::this_thread::sleep_for(300ms);
      cluster.stop("immediate");
      std::this_thread::sleep_for(i == 2 ? 4s : 300ms);
      cluster.start();
      ASSERT_TRUE(becomes([&] { return writer->ready() && hub.reached(Hub::log_topic) > 0; }, 15s));
    }
    std::this_thread::sleep_for(300ms);
  }
  clients.wait_until_open(0);
  check_log(url, clients.all());
}

}  // namespace
}  // namespace bloomwatch
