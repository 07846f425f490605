// What a connection promises: values come back as they went, errors say what they are, and a lost server is noticed.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "runtime/migrate.h"
#include "runtime/postgres.h"
#include "tests/postgres_cluster.h"

namespace bloomwatch::pg {
namespace {

using namespace std::chrono_literals;

const std::string& database() {
  static const std::string url = test::empty_database();
  return url;
}

Connection connect() { return Connection({.url = database()}); }

TEST(Connection, brings_every_type_back_as_it_was_sent) {
  Connection connection = connect();
  const Uuid uuid = Uuid::v7(now());
  const Time time = Time(std::chrono::milliseconds(1'700'000'000'123));
  const std::array<std::uint8_t, 3> bytes = {0, 255, 7};
  const Result result = connection.query(
      "SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9, $10",
      Params(true, std::int16_t{-2}, 3, std::int64_t{1} << 40, 2.5, "Frieren 葬送", uuid, time, Bytes(bytes), Jsonb{R"({"a": 1})"}));
  ASSERT_EQ(result.size(), 1);
  const Row row = result[0];
  EXPECT_TRUE(row.get<bool>(0));
  EXPECT_EQ(row.get<std::int16_t>(1), -2);
  EXPECT_EQ(row.get<int>(2), 3);
  EXPECT_EQ(row.get<std::int64_t>(3), std::int64_t{1} << 40);
  EXPECT_EQ(row.get<double>(4), 2.5);
  EXPECT_EQ(row.get<std::string>(5), "Frieren 葬送");
  EXPECT_EQ(row.get<Uuid>(6), uuid);
  EXPECT_EQ(row.get<Time>(7), time);
  EXPECT_TRUE(std::ranges::equal(row.get<Bytes>(8), bytes));
  EXPECT_EQ(row.get<std::string>(9), R"({"a": 1})");
}

TEST(Connection, reads_times_before_2000_and_before_1970) {
  Connection connection = connect();
  for (const std::int64_t ms : {-1LL, -62'135'596'800'000LL, 946'684'799'999LL}) {
    const Time time{std::chrono::milliseconds(ms)};
    EXPECT_EQ(connection.query("SELECT $1", Params(time))[0].get<Time>(0), time);
  }
}

TEST(Connection, tells_null_from_a_value) {
  Connection connection = connect();
  const Result result = connection.query("SELECT $1, $2", Params(std::optional<Uuid>{}, std::optional<std::string>("x")));
  EXPECT_TRUE(result[0].null(0));
  EXPECT_EQ(result[0].get<std::optional<Uuid>>(0), std::nullopt);
  EXPECT_EQ(result[0].get<std::optional<std::string>>(1), "x");
  EXPECT_THROW(result[0].get<Uuid>(0), Error);
}

TEST(Connection, sends_and_reads_arrays_with_nulls) {
  Connection connection = connect();
  const std::vector<std::optional<std::string>> texts = {"a", std::nullopt, ""};
  const std::vector<std::int16_t> numbers = {1, -1};
  const std::vector<Uuid> none;
  Params params;
  params.add_array(texts).add_array(numbers).add_array(none);
  const Result result = connection.query("SELECT $1, $2, $3, cardinality($3)", params);
  EXPECT_EQ(result[0].get<std::vector<std::optional<std::string>>>(0), texts);
  EXPECT_EQ(result[0].get<std::vector<std::int16_t>>(1), numbers);
  EXPECT_TRUE(result[0].get<std::vector<Uuid>>(2).empty());
  EXPECT_EQ(result[0].get<int>(3), 0);
}

TEST(Connection, sends_arrays_of_a_member_of_each_element) {
  struct Item {
    std::string name;
    std::optional<int> count;
  };
  const std::vector<Item> items = {{"one", 1}, {"none", std::nullopt}};
  Connection connection = connect();
  Params params;
  params.add_array(items, &Item::name).add_array(items, &Item::count).add_array(items, [](const Item& i) { return i.name == "one"; });
  const Result result = connection.query("SELECT * FROM unnest($1, $2, $3)", params);
  ASSERT_EQ(result.size(), 2);
  EXPECT_EQ(result[1].get<std::string>(0), "none");
  EXPECT_EQ(result[1].get<std::optional<int>>(1), std::nullopt);
  EXPECT_TRUE(result[0].get<bool>(2));
}

TEST(Connection, names_the_constraint_that_was_violated) {
  Connection connection = connect();
  connection.script("CREATE TEMP TABLE t (a int CONSTRAINT only_once UNIQUE)");
  connection.script("INSERT INTO t VALUES (1)");
  try {
    connection.query("INSERT INTO t VALUES ($1)", Params(1));
    FAIL() << "was accepted";
  } catch (const Error& error) {
    EXPECT_TRUE(error.unique_violation());
    EXPECT_TRUE(error.data_error());
    EXPECT_FALSE(error.connection_lost());
    EXPECT_EQ(error.constraint(), "only_once");
  }
  EXPECT_EQ(connection.query("SELECT 1")[0].get<int>(0), 1) << "the connection goes on after an error";
}

TEST(Connection, prepares_a_statement_once_and_runs_it_often) {
  Connection connection = connect();
  const Statement plus("SELECT $1 + $2");
  for (int i = 0; i < 10; ++i) EXPECT_EQ(connection.run(plus, Params(i, 1))[0].get<int>(0), i + 1);
  EXPECT_EQ(connection.query("SELECT count(*) FROM pg_prepared_statements")[0].get<int>(0), 1);
}

TEST(Connection, runs_statements_together_all_or_nothing) {
  Connection connection = connect();
  connection.script("CREATE TEMP TABLE t (a int UNIQUE)");
  const Statement insert("INSERT INTO t VALUES ($1)");
  const Statement count("SELECT count(*) FROM t");
  const std::vector<Call> good = {{insert, Params(1)}, {insert, Params(2)}, {count}};
  EXPECT_EQ(connection.run_together(good)[2][0].get<int>(0), 2);
  const std::vector<Call> bad = {{insert, Params(3)}, {insert, Params(1)}, {insert, Params(4)}};
  EXPECT_THROW(connection.run_together(bad), Error);
  EXPECT_EQ(connection.run(count)[0].get<int>(0), 2);
}

TEST(Connection, rolls_back_what_together_began_itself) {
  Connection connection = connect();
  const Statement begin("BEGIN");
  const Statement divide("SELECT 1 / $1");
  const Statement commit("COMMIT");
  const std::vector<Call> calls = {{begin}, {divide, Params(0)}, {commit}};
  EXPECT_THROW(connection.run_together(calls), Error);
  EXPECT_FALSE(connection.in_transaction());
}

TEST(Connection, copies_in_and_out) {
  Connection connection = connect();
  connection.script("CREATE TEMP TABLE t (a int, b text)");
  int sent = 0;
  const auto rows = connection.copy_in("COPY t FROM STDIN", [&](std::string& out) {
    out += std::to_string(sent) + "\trow\n";
    return ++sent < 1000;
  });
  EXPECT_EQ(rows, 1000);
  std::size_t lines = 0;
  connection.copy_out("COPY t TO STDOUT", [&](std::string_view row) { lines += row.ends_with("row\n") ? 1 : 0; });
  EXPECT_EQ(lines, 1000U);
}

TEST(Connection, gives_up_a_copy_whose_source_throws) {
  Connection connection = connect();
  connection.script("CREATE TEMP TABLE t (a int)");
  EXPECT_THROW(connection.copy_in("COPY t FROM STDIN", [](std::string&) -> bool { throw std::runtime_error("no more"); }),
               std::runtime_error);
  EXPECT_EQ(connection.query("SELECT count(*) FROM t")[0].get<int>(0), 0);
}

TEST(Connection, ends_a_statement_that_takes_too_long) {
  Connection connection({.url = database(), .statement_timeout = 50ms});
  try {
    connection.query("SELECT pg_sleep(5)");
    FAIL() << "waited";
  } catch (const Error& error) {
    EXPECT_TRUE(error.timed_out());
  }
}

TEST(Connection, says_that_it_is_lost_when_its_backend_is_ended) {
  Connection connection = connect();
  Connection other = connect();
  other.query("SELECT pg_terminate_backend($1)", Params(connection.backend_pid()));
  try {
    connection.query("SELECT 1");
    FAIL() << "still answers";
  } catch (const Error& error) {
    EXPECT_TRUE(error.connection_lost());
  }
  EXPECT_FALSE(connection.usable());
}

TEST(Connection, says_where_it_cannot_connect) {
  try {
    Connection connection({.url = "postgresql:///nothing?host=/nonexistent"});
    FAIL() << "connected";
  } catch (const Error& error) {
    EXPECT_TRUE(error.connection_lost());
  }
}

TEST(Transaction, rolls_back_unless_committed) {
  Connection connection = connect();
  connection.script("CREATE TEMP TABLE t (a int)");
  {
    Transaction transaction(connection);
    transaction.query("INSERT INTO t VALUES (1)");
  }
  EXPECT_EQ(connection.query("SELECT count(*) FROM t")[0].get<int>(0), 0);
  Transaction transaction(connection, "ISOLATION LEVEL SERIALIZABLE");
  transaction.query("INSERT INTO t VALUES (1)");
  transaction.commit();
  EXPECT_EQ(connection.query("SELECT count(*) FROM t")[0].get<int>(0), 1);
}

TEST(Listener, hears_what_the_notifier_says) {
  std::atomic<int> heard = 0;
  Listener listener({.url = database()}, {"news"}, [&](const Notification& notification) { heard = std::stoi(notification.payload); });
  Notifier notifier({.url = database()}, "news");
  for (int i = 1; heard < 5 && i < 500; ++i) {
    notifier.notify(std::to_string(i));
    std::this_thread::sleep_for(10ms);
  }
  EXPECT_GE(heard, 5);
}

TEST(Pool, gives_each_thread_a_connection_and_never_more_than_its_limit) {
  Pool pool({.url = database(), .application_name = "pool test"}, {.connections_max = 3});
  std::atomic<int> done = 0;
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < 8; ++t)
      threads.emplace_back([&] {
        for (int i = 0; i < 20; ++i) done += pool.checkout()->query("SELECT 1")[0].get<int>(0);
      });
  }
  EXPECT_EQ(done, 160);
  EXPECT_LE(connect()
                .query("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'pool test'")[0]
                .get<int>(0),
            3);
}

TEST(Pool, replaces_connections_that_were_ended) {
  Pool pool({.url = database(), .application_name = "ended"});
  pool.checkout()->query("SELECT 1");
  Connection other = connect();
  other.query(
      "SELECT pg_terminate_backend(pid, 1000) FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'ended'");
  EXPECT_EQ(pool.checkout()->query("SELECT 1")[0].get<int>(0), 1);
}

TEST(Pool, rolls_back_what_was_left_open) {
  Pool pool({.url = database()}, {.connections_max = 1});
  pool.checkout()->script("BEGIN");
  EXPECT_FALSE(pool.checkout()->in_transaction());
}

TEST(Pool, refuses_after_the_checkout_timeout_when_all_are_busy) {
  Pool pool({.url = database()}, {.connections_max = 1, .checkout_timeout = 50ms});
  const auto held = pool.checkout();
  try {
    pool.checkout();
    FAIL() << "two connections";
  } catch (const Error& error) {
    EXPECT_TRUE(error.timed_out());
  }
}

TEST(Migrate, applies_once_and_refuses_a_changed_file) {
  const std::string url = test::empty_database();
  const auto folder = std::filesystem::temp_directory_path() / ("bloomwatch-migrations-" + Uuid::v7(now()).to_string());
  std::filesystem::create_directory(folder);
  const auto write = [&](const std::string& name, const std::string& sql) {
    std::FILE* file = std::fopen((folder / name).c_str(), "w");
    std::fputs(sql.c_str(), file);
    std::fclose(file);
  };
  write("0001_one.sql", "CREATE TABLE one (a int); INSERT INTO one VALUES (1);");
  EXPECT_EQ(migrate(url, folder).applied, std::vector<std::string>{"0001_one.sql"});
  EXPECT_TRUE(migrate(url, folder).applied.empty());
  write("0002_two.sql", "CREATE TABLE two (a int); SELECT 1 / 0;");
  EXPECT_THROW(migrate(url, folder), std::runtime_error);
  EXPECT_TRUE(Connection({.url = url}).query("SELECT to_regclass('two')")[0].null(0)) << "a failing migration leaves nothing behind";
  write("0002_two.sql", "CREATE TABLE two (a int);");
  EXPECT_EQ(migrate(url, folder).version, 2);
  write("0001_one.sql", "CREATE TABLE one (a bigint);");
  EXPECT_THROW(migrate(url, folder), std::runtime_error);
  std::filesystem::remove_all(folder);
}

TEST(Connection, that_may_only_read_is_not_kept) {
  Connection connection = connect();
  connection.script("SET default_transaction_read_only = on");  // as of a server that was a standby when it was connected to
  EXPECT_THROW(connection.script("CREATE TABLE not_here (n integer)"), Error);
  EXPECT_FALSE(connection.usable());
}

TEST(Connection, urls_that_would_be_read_otherwise_than_meant_are_refused_without_a_word_of_them) {
  for (const char* fine : {"", "postgresql:///bloomwatch?host=/tmp/x&user=bloomwatch", "postgresql://u:p%40ss@[::1]:5432/x",
                           "postgresql://u:p?ss@localhost/x", "host=a,b port=1,2 password='p@ss/word'"})
    EXPECT_NO_THROW(check_url(fine)) << fine;
  for (const char* url :
       {"postgresql://u:pass%zz@localhost/x", "postgresql://u:p@ss@localhost/x", "postgresql://u:pa/ss@localhost/x", "u:pass"}) {
    try {
      check_url(url);
      ADD_FAILURE() << url;
    } catch (const std::runtime_error& error) {
      EXPECT_THAT(error.what(), testing::Not(testing::HasSubstr("ss@")));
    }
  }
}

}  // namespace
}  // namespace bloomwatch::pg
