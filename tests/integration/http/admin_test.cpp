// The admin port: live as long as it answers, ready when every check says so, and metrics that count what was answered.
#include "runtime/admin.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "runtime/metrics.h"
#include "runtime/shutdown.h"
#include "tests/integration/http/raw_client.h"

namespace bloomwatch {
namespace {

using testing::HasSubstr;

TEST(Admin, is_ready_when_every_check_is) {
  Metrics metrics;
  Admin admin(metrics, "127.0.0.1", 0);
  std::atomic<bool> holds_the_log = false;
  admin.add_check("writer", [&]() -> std::optional<std::string> {
    if (holds_the_log) return std::nullopt;
    return "another writes";
  });
  admin.add_check("database", []() -> std::optional<std::string> { return std::nullopt; });
  admin.start();
  RawClient client(admin.port());
  EXPECT_EQ(client.ask(get("/health/live")).status, 200);
  const RawAnswer before = client.ask(get("/health/ready"));
  EXPECT_EQ(before.status, 503);
  EXPECT_EQ(
      before.body,
      R"({"ready":false,"checks":[{"name":"writer","ok":false,"reason":"another writes"},{"name":"database","ok":true,"reason":null}]})");
  holds_the_log = true;
  EXPECT_EQ(client.ask(get("/health/ready")).status, 200);
}

TEST(Metrics, count_answers_by_route_and_class_of_status) {
  Metrics metrics;
  http::Routes routes;
  routes.add(http::Method::get, "/things/{id}", http::Access::anyone,
             [](http::Request, http::Responder respond) { respond({404, "", {}, ""}); });
  http::ServerOptions options;
  options.on_answered = metrics.http_observer(routes, "test");
  http::Server server(std::move(routes), std::move(options));
  server.start();
  RawClient client(server.port());
  for (int i = 0; i < 3; ++i) client.ask(get("/things/1"));
  client.ask(get("/nothing"));
  metrics.gauge("bloomwatch_test_gauge", "A gauge.").Set(7);
  const std::string text = metrics.render();
  EXPECT_THAT(text, HasSubstr(R"(bloomwatch_http_answers_total{method="GET",route="/things/{id}",service="test",status="4xx"} 3)"));
  EXPECT_THAT(text, HasSubstr(R"(bloomwatch_http_answers_total{method="any",route="none",service="test",status="4xx"} 1)"));
  EXPECT_THAT(text, HasSubstr(R"(bloomwatch_http_answer_seconds_count{method="GET",route="/things/{id}",service="test"} 3)"));
  EXPECT_THAT(text, HasSubstr("bloomwatch_test_gauge 7"));
}

TEST(Shutdown, stops_the_last_first_when_asked) {
  Shutdown shutdown;
  std::string order;
  shutdown.on_stop("first", [&] { order += "1"; });
  shutdown.on_stop("faulty", [] { throw std::runtime_error("no"); });
  shutdown.on_stop("second", [&] { order += "2"; });
  std::thread asker([&] { shutdown.request(); });
  shutdown.wait();
  shutdown.stop();
  asker.join();
  EXPECT_EQ(order, "21");
}

TEST(Shutdown, ends_its_wait_on_a_signal) {
  Shutdown shutdown;
  shutdown.started();
  ::kill(::getpid(), SIGTERM);
  shutdown.wait();
}

TEST(Shutdown, does_not_hold_up_what_has_not_started) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  const auto start_for_ever = [] {
    Shutdown shutdown;
    ::kill(::getpid(), SIGTERM);
    std::this_thread::sleep_for(std::chrono::seconds(60));
  };
  EXPECT_EXIT(start_for_ever(), testing::KilledBySignal(SIGTERM), "");
}

}  // namespace
}  // namespace bloomwatch
