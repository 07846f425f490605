// Pipelined reads: every statement gets its own answer, whatever its neighbours do and whatever becomes of the server.
#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <thread>

#include "runtime/postgres.h"
#include "tests/postgres_cluster.h"

namespace bloomwatch::pg {
namespace {

using namespace std::chrono_literals;

const Statement echo("SELECT $1 + 0");
const Statement divide("SELECT 100 / $1");
const Statement nonsense("SELECT nothing FROM nowhere WHERE a = $1");
const Statement sleep_seconds("SELECT pg_sleep($1)");

std::expected<int, Error> ask(Pipeline& pipeline, const Statement& statement, int number) {
  std::promise<std::expected<int, Error>> answer;
  pipeline.submit(statement, Params(number), [&](std::expected<Result, Error> result) {
    if (!result) return answer.set_value(std::unexpected(result.error()));
    answer.set_value((*result)[0].get<int>(0));
  });
  return answer.get_future().get();
}

TEST(Pipeline, answers_eight_threads_each_with_its_own) {
  Pipeline pipeline({.url = test::empty_database()}, {.connections = 2});
  std::atomic<int> right = 0;
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < 8; ++t)
      threads.emplace_back([&, t] {
        for (int i = 0; i < 300; ++i) right += ask(pipeline, echo, t * 1000 + i) == t * 1000 + i ? 1 : 0;
      });
  }
  EXPECT_EQ(right, 8 * 300);
}

TEST(Pipeline, an_error_hits_only_its_own_statement) {
  Pipeline pipeline({.url = test::empty_database()}, {.connections = 1});
  constexpr int count = 2000;
  std::atomic<int> right = 0;
  std::atomic<int> answered = 0;
  for (int i = 0; i < count; ++i) {
    const int kind = i % 7;
    const Statement& statement = kind == 0 ? nonsense : kind == 3 ? divide : echo;
    const int number = kind == 3 ? 0 : i;
    pipeline.submit(statement, Params(number), [&, kind, i](std::expected<Result, Error> result) {
      if (kind == 0) right += !result && result.error().sqlstate() == "42P01" ? 1 : 0;
      if (kind == 3) right += !result && result.error().sqlstate() == "22012" ? 1 : 0;
      if (kind != 0 && kind != 3) right += result && (*result)[0].get<int>(0) == i ? 1 : 0;
      ++answered;
      answered.notify_all();
    });
  }
  for (int seen = answered; seen < count; seen = answered) answered.wait(seen);
  EXPECT_EQ(right, count);
}

/// What each of `count` runs that are asked at once is answered.
struct Asked {
  std::vector<std::expected<Result, Error>> outcomes;

  Asked(Pipeline& pipeline, const Statement& statement, int count, auto params_of) {
    outcomes.resize(static_cast<std::size_t>(count));
    std::atomic<int> answered = 0;
    for (int i = 0; i < count; ++i)
      pipeline.submit(statement, params_of(i), [&, i](std::expected<Result, Error> result) {
        outcomes[static_cast<std::size_t>(i)] = std::move(result);
        ++answered;
        answered.notify_all();
      });
    for (int seen = answered; seen < count; seen = answered) answered.wait(seen);
  }
};

TEST(Pipeline, joined_runs_are_answered_each_with_its_own_rows) {
  Pipeline pipeline({.url = test::empty_database()}, {.connections = 1, .joined_max = 8});
  const Statement some("SELECT n, $2 || '', current_query() LIKE '%joined_run%' FROM generate_series(1, $1) AS n ORDER BY n DESC LIMIT 4");
  const auto text = [](int i) { return i % 3 == 0 ? std::optional<std::string>() : std::to_string(i); };
  const Asked asked(pipeline, some, 500, [&](int i) { return Params(i % 6, text(i)); });
  int joined = 0;
  for (int i = 0; i < 500; ++i) {
    const auto& outcome = asked.outcomes[static_cast<std::size_t>(i)];
    ASSERT_TRUE(outcome) << outcome.error().what();
    ASSERT_EQ(outcome->size(), std::min(i % 6, 4));
    int n = i % 6;
    for (const Row row : *outcome) {
      EXPECT_EQ(row.get<int>(0), n--);
      EXPECT_EQ(row.get<std::optional<std::string>>(1), text(i));
      joined += row.get<bool>(2) ? 1 : 0;
    }
  }
  EXPECT_GT(joined, 500);
}

TEST(Pipeline, an_error_of_a_joined_run_hits_only_that_run) {
  Pipeline pipeline({.url = test::empty_database()}, {.connections = 1, .joined_max = 8});
  const Asked asked(pipeline, divide, 200, [](int i) { return Params(i % 10); });
  for (int i = 0; i < 200; ++i) {
    const auto& outcome = asked.outcomes[static_cast<std::size_t>(i)];
    if (i % 10 == 0)
      EXPECT_TRUE(!outcome && outcome.error().sqlstate() == "22012");
    else
      EXPECT_TRUE(outcome && (*outcome)[0].get<int>(0) == 100 / (i % 10));
  }
}

TEST(Pipeline, what_cannot_be_joined_is_asked_alone) {
  const std::string url = test::empty_database();
  Connection({.url = url}).script("CREATE TABLE kept (n integer)");
  Pipeline pipeline({.url = url}, {.connections = 1, .joined_max = 8});
  const Statement puts("WITH put AS (INSERT INTO kept VALUES ($1) RETURNING n) SELECT n FROM put");  // not below another SELECT
  const Asked refused(pipeline, puts, 100, [](int i) { return Params(i); });
  const Statement sum("SELECT sum(n)::integer FROM unnest($1) AS n");  // arrays have no arrays
  const Asked arrays(pipeline, sum, 100, [](int i) { return Params().add_array(std::vector{i, 1}); });
  for (int i = 0; i < 100; ++i) {
    const auto& put = refused.outcomes[static_cast<std::size_t>(i)];
    EXPECT_TRUE(put && (*put)[0].get<int>(0) == i);
    const auto& summed = arrays.outcomes[static_cast<std::size_t>(i)];
    EXPECT_TRUE(summed && (*summed)[0].get<int>(0) == i + 1);
  }
  EXPECT_EQ(Connection({.url = url}).query("SELECT count(*) FROM kept")[0].get<int>(0), 100);
}

TEST(Pipeline, asks_again_what_made_way_in_a_deadlock_but_not_for_ever) {
  const std::string url = test::empty_database();
  Connection({.url = url}).script(R"(
    CREATE SEQUENCE tries;
    CREATE FUNCTION made_way(times integer) RETURNS integer LANGUAGE plpgsql AS $$ BEGIN
      IF nextval('tries') <= times THEN RAISE EXCEPTION SQLSTATE '40P01'; END IF;
      RETURN times;
    END $$)");
  const Statement statement("SELECT made_way($1)");
  Pipeline pipeline({.url = url}, {.connections = 1});
  EXPECT_EQ(ask(pipeline, statement, 2), 2);
  const auto refused = ask(pipeline, statement, 1'000);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().sqlstate(), "40P01");
}

TEST(Pipeline, answers_at_once_when_its_queue_is_full) {
  Pipeline pipeline({.url = test::empty_database()}, {.connections = 1, .queue_max = 1, .query_timeout = 2s});
  std::promise<bool> first;
  pipeline.submit(sleep_seconds, Params(0.3), [&](std::expected<Result, Error> result) { first.set_value(result.has_value()); });
  const auto refused = ask(pipeline, echo, 1);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().sqlstate(), "53300");
  EXPECT_TRUE(first.get_future().get());
}

TEST(Pipeline, gives_up_a_statement_at_its_deadline_and_sends_its_neighbours_again) {
  Pipeline pipeline({.url = test::empty_database()}, {.connections = 1, .query_timeout = 400ms});
  std::promise<std::string> slow;
  pipeline.submit(sleep_seconds, Params(30.0),
                  [&](std::expected<Result, Error> result) { slow.set_value(result ? "answered" : result.error().sqlstate()); });
  std::this_thread::sleep_for(300ms);
  EXPECT_EQ(ask(pipeline, echo, 5), 5);
  EXPECT_EQ(slow.get_future().get(), "57014");
}

TEST(Pipeline, goes_on_after_its_backends_were_ended) {
  const std::string url = test::empty_database();
  Pipeline pipeline({.url = url, .application_name = "pipeline"}, {.connections = 2});
  Connection other({.url = url});
  for (int i = 0; i < 20; ++i) {
    EXPECT_EQ(ask(pipeline, echo, i), i);
    other.query(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'pipeline'");
  }
}

TEST(Pipeline, survives_a_restart_of_the_server) {
  test::PostgresCluster cluster;
  Pipeline pipeline({.url = cluster.url()}, {.connections = 2, .query_timeout = 10s});
  EXPECT_EQ(ask(pipeline, echo, 1), 1);
  cluster.stop("immediate");
  std::jthread restart([&] {
    std::this_thread::sleep_for(300ms);
    cluster.start();
  });
  EXPECT_EQ(ask(pipeline, echo, 2), 2) << "what was asked meanwhile waits for the server, up to its deadline";
}

TEST(Pipeline, answers_everything_when_it_ends) {
  std::atomic<int> answered = 0;
  {
    Pipeline pipeline({.url = test::empty_database()});
    for (int i = 0; i < 500; ++i) pipeline.submit(echo, Params(i), [&](const std::expected<Result, Error>&) { ++answered; });
  }
  EXPECT_EQ(answered, 500);
}

}  // namespace
}  // namespace bloomwatch::pg
