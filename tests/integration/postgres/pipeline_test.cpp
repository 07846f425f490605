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
