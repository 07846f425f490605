// The HTTP server over real sockets: order, limits, refusals, slow and hostile clients, and a stop that loses no answer.
#include "runtime/http.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <random>
#include <thread>

#include "runtime/json.h"
#include "runtime/logging.h"
#include "runtime/problem.h"
#include "tests/integration/http/raw_client.h"

namespace bloomwatch {
namespace {

using namespace std::chrono_literals;
using http::Access;
using http::Method;
using http::Request;
using http::Responder;
using testing::HasSubstr;

/// Responders kept until a test lets them go, as a writer would keep them.
class Shelf {
 public:
  void keep(std::string name, Responder responder) {
    const std::lock_guard lock(mutex_);
    kept_.emplace_back(std::move(name), std::move(responder));
    changed_.notify_all();
  }
  std::vector<std::pair<std::string, Responder>> take(std::size_t count) {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, 10s, [&] { return kept_.size() >= count; });
    return std::move(kept_);
  }
  std::size_t size() {
    const std::lock_guard lock(mutex_);
    return kept_.size();
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::pair<std::string, Responder>> kept_;
};

http::Response text(std::string body) { return {200, "text/plain", {}, std::move(body)}; }

class Http : public testing::Test {
 protected:
  void SetUp() override { log::set_level(log::Level::off); }
  void TearDown() override { log::set_level(log::Level::info); }

  http::Server& serve(http::ServerOptions options = {}) {
    http::Routes routes;
    routes.add(Method::get, "/hello", Access::anyone, [](Request, Responder respond) { respond(text("hello")); });
    routes.add(Method::get, "/echo/{what}", Access::anyone, [](Request request, Responder respond) {
      std::string body = std::string(*request.path_param("what"));
      for (const auto& [name, value] : request.query) body += "|" + name + "=" + value;
      respond(text(body));
    });
    routes.add(Method::get, "/shelf/{name}", Access::anyone,
               [this](Request request, Responder respond) { shelf_.keep(std::string(*request.path_param("name")), std::move(respond)); });
    routes.add(Method::post, "/api/echo", Access::signed_in,
               [](Request request, Responder respond) { respond(http::json_response(request.body, 201)); });
    routes.add(Method::post, "/api/file", Access::member,
               [](Request request, Responder respond) { respond(text(std::to_string(request.body.size()))); },
               {.body_bytes_max = 32 * 1024 * 1024, .content = http::Content::any, .body_required = true});
    routes.add(Method::post, "/api/small", Access::member, [](Request, Responder respond) { respond(text("fits")); },
               {.body_bytes_max = 100, .content = http::Content::any});
    routes.add(Method::del, "/api/members/me", Access::member, [](Request, Responder respond) { respond(text("me")); });
    routes.add(Method::del, "/api/members/{userId}", Access::member,
               [](Request request, Responder respond) { respond(text(std::string(*request.path_param("userId")))); });
    routes.add(Method::get, "/throws", Access::anyone, [](Request, Responder) { throw std::runtime_error("the database is secret"); });
    routes.add(Method::get, "/forgets", Access::anyone, [](Request, Responder) {});
    routes.add(Method::get, "/page", Access::anyone, [](Request, Responder respond) { respond(text(std::string(100 * 1024, 'x'))); });
    routes.add(Method::get, "/large", Access::anyone, [](Request, Responder respond) { respond(text(std::string(8 * 1024 * 1024, 'x'))); });
    routes.add(Method::get, "/who", Access::anyone, [](Request request, Responder respond) {
      respond(text(request.peer + " " + request.request_id.to_string() + " " + request.correlation_id.to_string()));
    });
    routes.add(Method::get, "/split", Access::anyone,
               [](Request, Responder respond) { respond({200, "text/plain", {{"X-A", "b\r\nX-Evil: 1"}}, "x"}); });
    routes.check_headers(std::move(header_check_));
    server_.emplace(std::move(routes), std::move(options));
    server_->start();
    return *server_;
  }

  RawClient client() { return RawClient(server_->port()); }

  Shelf shelf_;
  http::HeaderCheck header_check_;  ///< of the server to come
  std::optional<http::Server> server_;
};

std::string post(std::string_view path, std::string_view body, std::string_view more = "Content-Type: application/json\r\n") {
  return "POST " + std::string(path) + " HTTP/1.1\r\nHost: x\r\n" + std::string(more) + "Content-Length: " + std::to_string(body.size()) +
         "\r\n\r\n" + std::string(body);
}

void expect_problem(const RawAnswer& answer, int status, const std::string& type) {
  EXPECT_EQ(answer.status, status) << answer.body;
  EXPECT_EQ(answer.header("Content-Type"), "application/problem+json");
  EXPECT_THAT(answer.body, HasSubstr("\"type\":\"/problems/" + type + "\""));
  EXPECT_THAT(answer.body, HasSubstr("\"trace_id\":\"" + answer.header("X-Request-Id") + "\""));
}

// Order and persistence --------------------------------------------------------------------------------------------------------------

TEST_F(Http, keeps_a_connection_for_many_requests) {
  serve();
  RawClient client(server_->port());
  for (int i = 0; i < 100; ++i) {
    const RawAnswer answer = client.ask(get("/echo/" + std::to_string(i)));
    EXPECT_EQ(answer.status, 200);
    EXPECT_EQ(answer.body, std::to_string(i));
  }
}

TEST_F(Http, says_who_it_was_and_what_may_be_done_with_it) {
  serve();
  RawClient client(server_->port());
  const RawAnswer first = client.ask(get("/hello"));
  const RawAnswer second = client.ask(post("/api/echo", "{}"));
  EXPECT_TRUE(Uuid::parse(first.header("X-Request-Id")));
  EXPECT_NE(first.header("X-Request-Id"), second.header("X-Request-Id"));
  EXPECT_EQ(first.header("X-Content-Type-Options"), "nosniff");
  EXPECT_EQ(first.header("Cache-Control"), "");
  EXPECT_EQ(second.header("Cache-Control"), "no-store");
  EXPECT_THAT(first.header("Date"), testing::MatchesRegex("..., .. ... .... ..:..:.. GMT"));
}

TEST_F(Http, answers_pipelined_requests_in_their_order_whatever_order_they_are_decided_in) {
  serve();
  RawClient client(server_->port());
  std::string all;
  for (int i = 0; i < 10; ++i) all += get("/shelf/" + std::to_string(i)) + get("/echo/sync" + std::to_string(i));
  client.send(all);
  auto kept = shelf_.take(10);
  ASSERT_EQ(kept.size(), 10u);
  std::thread writer([&] {
    for (auto it = kept.rbegin(); it != kept.rend(); ++it) it->second(text(it->first));
  });
  for (int i = 0; i < 10; ++i) {
    EXPECT_EQ(client.receive().body, std::to_string(i));
    EXPECT_EQ(client.receive().body, "sync" + std::to_string(i));
  }
  writer.join();
}

TEST_F(Http, goes_on_after_more_answers_at_once_than_may_wait_unsent) {
  serve();
  RawClient client(server_->port());
  constexpr int count = 40;
  std::string all;
  for (int i = 0; i < count; ++i) all += get("/page");
  client.send(all);
  for (int i = 0; i < count; ++i) ASSERT_EQ(client.receive().body.size(), 100 * 1024) << i;
  EXPECT_EQ(client.ask(get("/hello")).body, "hello");
}

TEST_F(Http, says_continue_to_nobody_who_cannot_know_it) {
  serve();
  RawClient client(server_->port());
  client.send("POST /api/echo HTTP/1.0\r\nContent-Type: application/json\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n");
  std::this_thread::sleep_for(std::chrono::milliseconds(200));
  EXPECT_EQ(client.ask("{}").status, 201);
}

TEST_F(Http, reads_no_more_than_the_pipelined_maximum_at_once) {
  http::ServerOptions options;
  options.pipelined_max = 4;
  serve(std::move(options));
  RawClient client(server_->port());
  std::string all;
  for (int i = 0; i < 20; ++i) all += get("/shelf/" + std::to_string(i));
  client.send(all);
  int answered = 0;
  while (answered < 20) {
    auto kept = shelf_.take(std::min<std::size_t>(4, static_cast<std::size_t>(20 - answered)));
    std::this_thread::sleep_for(20ms);
    EXPECT_LE(kept.size() + shelf_.size(), 4u);
    for (auto& [name, respond] : kept) respond(text(name));
    for (std::size_t i = 0; i < kept.size(); ++i) EXPECT_EQ(client.receive().body, std::to_string(answered++));
  }
}

TEST_F(Http, takes_answers_from_many_threads_over_many_connections) {
  serve();
  constexpr int clients_count = 16;
  constexpr int rounds = 50;
  std::atomic<bool> done = false;
  std::vector<std::thread> writers;
  for (int w = 0; w < 2; ++w)
    writers.emplace_back([&] {
      while (!done) {
        for (auto& [name, respond] : shelf_.take(1))
          if (respond) respond(text(name));
      }
    });
  std::vector<std::thread> clients;
  std::atomic<int> right = 0;
  for (int c = 0; c < clients_count; ++c)
    clients.emplace_back([&, c] {
      RawClient client(server_->port());
      for (int r = 0; r < rounds; ++r) {
        const std::string name = std::to_string(c) + "-" + std::to_string(r);
        if (client.ask(get("/shelf/" + name)).body == name) ++right;
      }
    });
  for (auto& thread : clients) thread.join();
  done = true;
  for (int i = 0; i < 2; ++i) shelf_.keep("", Responder());  // wakes them to see it
  for (auto& thread : writers) thread.join();
  EXPECT_EQ(right, clients_count * rounds);
}

TEST_F(Http, keeps_answers_that_are_given_together_until_all_are_given) {
  serve();
  constexpr int count = 6;  // over all of the server's threads
  std::vector<std::unique_ptr<RawClient>> clients;
  for (int i = 0; i < count; ++i) clients.push_back(std::make_unique<RawClient>(server_->port()));
  for (int i = 0; i < count; ++i) clients[static_cast<std::size_t>(i)]->send(get("/shelf/" + std::to_string(i)) + get("/shelf/again"));
  auto kept = shelf_.take(2 * count);
  ASSERT_EQ(kept.size(), 2u * count);
  std::thread writer([&] {
    const http::AnswersTogether together;
    {
      const http::AnswersTogether within;
      for (auto it = kept.rbegin(); it != kept.rend(); ++it) it->second(text(it->first));
    }
    for (const auto& client : clients) EXPECT_TRUE(client->hears_nothing_for(20ms));
  });
  writer.join();
  for (int i = 0; i < count; ++i) {
    EXPECT_EQ(clients[static_cast<std::size_t>(i)]->receive().body, std::to_string(i));
    EXPECT_EQ(clients[static_cast<std::size_t>(i)]->receive().body, "again");
  }
  std::thread alone([&] { shelf_.take(1).front().second(text("alone")); });
  EXPECT_EQ(clients[0]->ask(get("/shelf/later")).body, "alone");
  alone.join();
}

TEST_F(Http, closes_when_asked_to_and_for_http_1_0_unless_asked_not_to) {
  serve();
  RawClient asked(server_->port());
  const RawAnswer answer = asked.ask(get("/hello", "Connection: close\r\n"));
  EXPECT_EQ(answer.header("Connection"), "close");
  EXPECT_TRUE(asked.ends());
  RawClient old(server_->port());
  EXPECT_EQ(old.ask("GET /hello HTTP/1.0\r\n\r\n").body, "hello");
  EXPECT_TRUE(old.ends());
  RawClient kept(server_->port());
  EXPECT_EQ(kept.ask("GET /hello HTTP/1.0\r\nConnection: keep-alive\r\n\r\n").header("Connection"), "keep-alive");
  EXPECT_EQ(kept.ask("GET /hello HTTP/1.0\r\n\r\n").body, "hello");
}

TEST_F(Http, answers_a_client_that_has_stopped_sending) {
  serve();
  RawClient client(server_->port());
  client.send(get("/shelf/a") + get("/echo/b"));
  client.finish_sending();
  auto kept = shelf_.take(1);
  kept.at(0).second(text("a"));
  EXPECT_EQ(client.receive().body, "a");
  EXPECT_EQ(client.receive().body, "b");
  EXPECT_TRUE(client.ends());
}

TEST_F(Http, takes_requests_byte_by_byte_and_after_stray_line_breaks) {
  serve();
  RawClient client(server_->port());
  for (const char c : "\r\n" + post("/api/echo", R"({"a":1})")) {
    client.send(std::string_view(&c, 1));
    std::this_thread::sleep_for(200us);
  }
  EXPECT_EQ(client.receive().body, R"({"a":1})");
}

// Bodies -----------------------------------------------------------------------------------------------------------------------------

TEST_F(Http, takes_chunked_bodies) {
  serve();
  RawClient client(server_->port());
  const std::string header =
      "POST /api/echo HTTP/1.1\r\nHost: x\r\nContent-Type: application/merge-patch+json\r\nTransfer-Encoding: chunked\r\n\r\n";
  EXPECT_EQ(client.ask(header + "5\r\n{\"a\":\r\n2;ext=1\r\n1}\r\n0\r\nTrailer: x\r\n\r\n").body, R"({"a":1})");
  EXPECT_EQ(client.ask(get("/hello")).body, "hello");
}

TEST_F(Http, takes_an_absent_body_as_empty_unless_the_route_wants_one) {
  serve();
  RawClient client(server_->port());
  EXPECT_EQ(client.ask("POST /api/echo HTTP/1.1\r\nHost: x\r\n\r\n").status, 201);
  expect_problem(client.ask("POST /api/file HTTP/1.1\r\nHost: x\r\n\r\n"), 411, "length-required");
  EXPECT_EQ(client.ask(post("/api/file", "")).body, "0");
}

TEST_F(Http, takes_each_route_s_own_body_limit) {
  serve();
  RawClient client(server_->port());
  EXPECT_EQ(client.ask(post("/api/file", std::string(5 * 1024 * 1024, 'x'))).body, std::to_string(5 * 1024 * 1024));
  EXPECT_EQ(client.ask(post("/api/small", std::string(100, 'x'))).body, "fits");
  expect_problem(client.ask(post("/api/small", std::string(101, 'x'))), 413, "payload-too-large");
  EXPECT_EQ(client.ask(get("/hello")).status, 200) << "a small refused body is read, and the connection goes on";
}

TEST_F(Http, refuses_a_large_body_before_reading_it) {
  serve();
  RawClient client(server_->port());
  client.send("POST /api/echo HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 1048577\r\n\r\n");
  const RawAnswer answer = client.receive();
  expect_problem(answer, 413, "payload-too-large");
  EXPECT_EQ(answer.header("Connection"), "close");
}

TEST_F(Http, shows_the_refusal_to_a_client_that_is_still_sending) {
  serve();
  RawClient client(server_->port());
  client.send(post("/api/echo", std::string(3 * 1024 * 1024, 'x')));
  expect_problem(client.receive(), 413, "payload-too-large");
}

TEST_F(Http, refuses_a_chunked_body_once_it_is_too_large) {
  serve();
  RawClient client(server_->port());
  client.send("POST /api/small HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n40\r\n" + std::string(64, 'x') + "\r\n40\r\n" +
              std::string(64, 'x') + "\r\n");
  expect_problem(client.receive(), 413, "payload-too-large");
  EXPECT_TRUE(client.ends());
}

TEST_F(Http, holds_only_so_much_of_all_bodies_at_once) {
  http::ServerOptions options;
  options.threads = 1;
  options.bodies_bytes_max = 600'000;
  serve(std::move(options));
  const std::string header = "POST /api/file HTTP/1.1\r\nHost: x\r\nContent-Length: 200001\r\n\r\n";
  RawClient first(server_->port());
  first.send(header + std::string(200'000, 'x'));
  RawClient second(server_->port());
  while (second.send(header + std::string(200'000, 'x'))) {
    if (second.receive().status == 503) break;
  }
  first.send("x");
  EXPECT_EQ(first.receive().body, "200001");
  RawClient third(server_->port());
  EXPECT_EQ(third.ask(post("/api/file", std::string(250'000, 'x'))).body, "250000") << "what has been read is no longer counted";
}

TEST_F(Http, keeps_room_for_small_bodies_when_large_ones_are_slow_to_come) {
  http::ServerOptions options;
  options.threads = 1;
  options.bodies_bytes_max = 600'000;
  serve(std::move(options));
  std::vector<std::unique_ptr<RawClient>> slow;
  for (int i = 0; i < 20; ++i) {
    slow.push_back(std::make_unique<RawClient>(server_->port()));
    slow.back()->send("POST /api/file HTTP/1.1\r\nHost: x\r\nContent-Length: 100001\r\n\r\n" + std::string(100'000, 'x'));
  }
  RawClient small(server_->port());
  EXPECT_EQ(small.ask(post("/api/file", std::string(60'000, 'x'))).body, "60000");
  RawClient large(server_->port());
  expect_problem(large.ask(post("/api/file", std::string(150'000, 'x'))), 503, "overloaded");
}

std::optional<Problem> wants_a_token(const Request& request) {
  return request.header("Authorization") ? std::nullopt : std::optional(problems::unauthorized());
}

TEST_F(Http, holds_no_bodies_of_those_who_may_not_send_them) {
  header_check_ = wants_a_token;
  http::ServerOptions options;
  options.threads = 1;
  options.bodies_bytes_max = 600'000;
  serve(std::move(options));
  std::vector<std::unique_ptr<RawClient>> strangers;
  for (int i = 0; i < 8; ++i) {
    strangers.push_back(std::make_unique<RawClient>(server_->port()));
    strangers.back()->send("POST /api/file HTTP/1.1\r\nHost: x\r\nContent-Length: 33554432\r\n\r\n" + std::string(60'000, 'x'));
    const RawAnswer answer = strangers.back()->receive();
    expect_problem(answer, 401, "unauthorized");
    EXPECT_EQ(answer.header("Connection"), "close");
    // How long it will be is not said.
    strangers.push_back(std::make_unique<RawClient>(server_->port()));
    strangers.back()->send("POST /api/file HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nea60\r\n" + std::string(60'000, 'x'));
  }
  RawClient member(server_->port());
  EXPECT_EQ(member.ask(post("/api/file", std::string(250'000, 'x'), "Authorization: Bearer x\r\n")).body, "250000");
}

TEST_F(Http, asks_who_sends_a_body_only_where_one_comes_and_not_everybody_may) {
  header_check_ = wants_a_token;
  serve();
  RawClient client(server_->port());
  expect_problem(client.ask(post("/api/echo", "{}")), 401, "unauthorized");
  EXPECT_EQ(client.ask(post("/api/echo", "")).status, 201) << "without a body it is the handler's to ask";
  EXPECT_EQ(client.ask("GET /hello HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}").status, 200);
}

TEST_F(Http, refuses_bodies_that_are_not_called_json_where_json_is_wanted) {
  serve();
  RawClient client(server_->port());
  expect_problem(client.ask(post("/api/echo", "{}", "Content-Type: text/plain\r\n")), 415, "unsupported-media-type");
  expect_problem(client.ask(post("/api/echo", "{}", "")), 415, "unsupported-media-type");
  expect_problem(client.ask(post("/api/echo", "{}", "Content-Type: application/json\r\nContent-Encoding: gzip\r\n")), 415,
                 "unsupported-media-type");
  EXPECT_EQ(client.ask(post("/api/echo", "{}", "content-type: Application/JSON ; charset=utf-8\r\n")).status, 201);
  EXPECT_EQ(client.ask(post("/api/echo", "", "Content-Type: text/plain\r\n")).status, 201);
}

TEST_F(Http, says_continue_when_a_client_waits_for_it) {
  serve();
  RawClient client(server_->port());
  client.send("POST /api/echo HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n");
  EXPECT_EQ(client.receive().status, 100);
  EXPECT_EQ(client.ask("{}").status, 201);
}

TEST_F(Http, refuses_instead_of_saying_continue) {
  serve();
  RawClient client(server_->port());
  client.send("POST /api/small HTTP/1.1\r\nHost: x\r\nContent-Length: 101\r\nExpect: 100-continue\r\n\r\n");
  expect_problem(client.receive(), 413, "payload-too-large");
  EXPECT_TRUE(client.ends());
}

TEST_F(Http, says_continue_only_after_the_answers_before) {
  serve();
  RawClient client(server_->port());
  client.send(get("/shelf/first") +
              "POST /api/echo HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n");
  auto kept = shelf_.take(1);
  kept.at(0).second(text("first"));
  EXPECT_EQ(client.receive().body, "first");
  EXPECT_EQ(client.receive().status, 100);
  EXPECT_EQ(client.ask("{}").status, 201);
}

// Routes -----------------------------------------------------------------------------------------------------------------------------

TEST_F(Http, answers_404_and_405_with_the_methods_allowed) {
  serve();
  RawClient client(server_->port());
  expect_problem(client.ask(get("/nowhere")), 404, "not-found");
  expect_problem(client.ask(get("/hello/")), 404, "not-found");
  expect_problem(client.ask(get("/echo/")), 404, "not-found");
  const RawAnswer answer = client.ask(post("/hello", "{}"));
  expect_problem(answer, 405, "method-not-allowed");
  EXPECT_EQ(answer.header("Allow"), "GET, HEAD, OPTIONS");
  expect_problem(client.ask("BREW /hello HTTP/1.1\r\nHost: x\r\n\r\n"), 405, "method-not-allowed");
  EXPECT_EQ(client.ask("OPTIONS /api/members/me HTTP/1.1\r\nHost: x\r\n\r\n").header("Allow"), "DELETE, OPTIONS");
  EXPECT_EQ(client.ask("OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n").status, 204);
}

TEST_F(Http, prefers_a_literal_segment_to_a_parameter) {
  serve();
  RawClient client(server_->port());
  EXPECT_EQ(client.ask("DELETE /api/members/me HTTP/1.1\r\nHost: x\r\n\r\n").body, "me");
  EXPECT_EQ(client.ask("DELETE /api/members/you HTTP/1.1\r\nHost: x\r\n\r\n").body, "you");
}

TEST_F(Http, answers_head_as_get_without_the_body) {
  serve();
  RawClient client(server_->port());
  client.send("HEAD /hello HTTP/1.1\r\nHost: x\r\n\r\n");
  const RawAnswer answer = client.receive(true);
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.header("Content-Length"), "5");
  EXPECT_EQ(client.ask(get("/hello")).body, "hello");
}

TEST_F(Http, decodes_paths_and_queries) {
  serve();
  RawClient client(server_->port());
  EXPECT_EQ(client.ask(get("/echo/a%2Fb%20%C3%A9+?x=1%262&y=a+b&&z")).body, "a/b é+|x=1&2|y=a b|z=");
  EXPECT_EQ(client.ask(get("http://x/echo/absolute?a=1")).body, "absolute|a=1");
  for (const char* path : {"/echo/%", "/echo/%4", "/echo/%zz", "/echo/%00", "/echo/%ff", "/hello?a=%ff", "/hello?a=%0", "hello", "*"})
    expect_problem(client.ask(get(path)), 400, "malformed-request");
}

TEST_F(Http, takes_the_correlation_id_of_the_caller) {
  serve();
  RawClient client(server_->port());
  const std::string uuid = "0190a5c8-1111-7222-8333-444455556666";
  EXPECT_THAT(client.ask(get("/who", "X-Correlation-Id: " + uuid + "\r\n")).body, testing::EndsWith(" " + uuid));
  EXPECT_THAT(client.ask(get("/who", "traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01\r\n")).body,
              testing::EndsWith(" 4bf92f35-77b3-4da6-a3ce-929d0e0e4736"));
  for (const std::string wrong : {"nonsense", "00000000-0000-0000-0000-000000000000"}) {
    const std::string line = "X-Correlation-Id: " + wrong + "\r\n";
    const RawAnswer none = client.ask(get("/who", line));
    EXPECT_EQ(none.body, "127.0.0.1 " + none.header("X-Request-Id") + " " + none.header("X-Request-Id"));
    EXPECT_THAT(client.ask(get("/who", line + "traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01\r\n")).body,
                testing::EndsWith(" 4bf92f35-77b3-4da6-a3ce-929d0e0e4736"));
  }
  const RawAnswer nil = client.ask(get("/who", "traceparent: 00-00000000000000000000000000000000-00f067aa0ba902b7-01\r\n"));
  EXPECT_THAT(nil.body, testing::EndsWith(" " + nil.header("X-Request-Id")));
}

TEST_F(Http, believes_whom_a_trusted_proxy_names_and_nobody_else) {
  serve({.trusted_proxies = TrustedProxies("127.0.0.1, 10.0.0.0/8")});
  RawClient behind_proxies(server_->port());
  const std::string lines = "X-Forwarded-For: 198.51.100.1, 203.0.113.7\r\nX-Forwarded-For: 10.0.0.9\r\n";
  EXPECT_THAT(behind_proxies.ask(get("/who", lines)).body, testing::StartsWith("203.0.113.7 "));
  EXPECT_THAT(behind_proxies.ask(get("/who")).body, testing::StartsWith("127.0.0.1 "));
  server_.reset();
  serve();
  EXPECT_THAT(RawClient(server_->port()).ask(get("/who", lines)).body, testing::StartsWith("127.0.0.1 "));
}

// Handlers' faults -------------------------------------------------------------------------------------------------------------------

TEST_F(Http, answers_503_with_an_incident_when_a_handler_throws_and_hides_why) {
  serve();
  RawClient client(server_->port());
  const RawAnswer answer = client.ask(get("/throws"));
  expect_problem(answer, 503, "unavailable");
  EXPECT_EQ(answer.header("Retry-After"), "1");
  EXPECT_EQ(answer.body.find("secret"), std::string::npos);
  EXPECT_EQ(client.ask(get("/hello")).status, 200);
}

TEST_F(Http, logs_a_failure_that_comes_again_and_again_a_few_times_a_second) {
  constexpr int asked = 2000;
  serve();
  RawClient client(server_->port());
  log::set_level(log::Level::error);
  testing::internal::CaptureStderr();
  for (int i = 0; i < asked; ++i) EXPECT_EQ(client.ask(get("/throws")).status, 503);
  const std::string logged = testing::internal::GetCapturedStderr();
  const auto lines = std::ranges::count(logged, '\n');
  EXPECT_GT(lines, 0);
  EXPECT_LT(lines, asked / 2);
}

TEST_F(Http, answers_500_when_a_handler_forgets_to) {
  serve();
  RawClient client(server_->port());
  expect_problem(client.ask(get("/forgets")), 500, "internal");
}

TEST_F(Http, lets_no_header_value_begin_another_header) {
  serve();
  RawClient client(server_->port());
  const RawAnswer answer = client.ask(get("/split"));
  EXPECT_EQ(answer.header("X-Evil"), "");
  EXPECT_EQ(answer.header("X-A"), "b  X-Evil: 1");
}

TEST_F(Http, forgives_an_answer_to_a_client_that_has_left) {
  serve();
  {
    RawClient client(server_->port());
    client.send(get("/shelf/a"));
    shelf_.take(1).at(0);
  }
  {
    RawClient client(server_->port());
    client.send(get("/shelf/b"));
    auto kept = shelf_.take(1);
    client.finish_sending();
    kept.clear();
    expect_problem(client.receive(), 500, "internal");
  }
  RawClient next(server_->port());
  EXPECT_EQ(next.ask(get("/hello")).status, 200);
}

// Limits and hostile clients ---------------------------------------------------------------------------------------------------------

TEST_F(Http, refuses_headers_over_16_kib) {
  serve();
  RawClient fits(server_->port());
  EXPECT_EQ(fits.ask(get("/hello", "X-Long: " + std::string(15 * 1024, 'x') + "\r\n")).status, 200);
  RawClient long_value(server_->port());
  expect_problem(long_value.ask(get("/hello", "X-Long: " + std::string(17 * 1024, 'x') + "\r\n")), 431, "header-too-large");
  EXPECT_TRUE(long_value.ends());
  RawClient many(server_->port());
  std::string lines;
  for (int i = 0; i < 3000; ++i) lines += "A: b\r\n";
  expect_problem(many.ask(get("/hello", lines)), 431, "header-too-large");
  RawClient endless(server_->port());
  endless.send(std::string(20 * 1024, 'A'));
  EXPECT_EQ(endless.receive().status, 414);
  RawClient uri(server_->port());
  expect_problem(uri.ask(get("/" + std::string(20 * 1024, 'a'))), 414, "uri-too-long");
}

TEST_F(Http, refuses_what_is_not_http) {
  serve();
  const std::vector<std::pair<std::string, int>> requests = {
      {"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 400},
      {"hello\r\n\r\n", 400},
      {"GET /hello\r\n\r\n", 400},
      {"GET  /hello HTTP/1.1\r\n\r\n", 400},
      {"GET /hello HTTP/2.0\r\nHost: x\r\n\r\n", 505},
      {"GET /hello HTTP/1.1\r\nHost : x\r\n\r\n", 400},
      {"GET /hello HTTP/1.1\r\n Host: x\r\n\r\n", 400},
      {"GET /hello HTTP/1.1\r\n\r\n", 400},
      {"GET /hello HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n", 400},
      {"POST /api/echo HTTP/1.1\r\nHost: x\r\nContent-Length: x\r\n\r\n", 400},
      {"POST /api/echo HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n", 400},
      {"POST /api/echo HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n{}", 400},
      {"POST /api/echo HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400},
      {"POST /api/echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip\r\n\r\n0\r\n\r\n", 501},
      {"POST /api/echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", 501},
      {"POST /api/echo HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", 400},
      {"POST /api/echo HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}xx", 400},
  };
  for (const auto& [bytes, status] : requests) {
    RawClient client(server_->port());
    client.send(bytes + "\r\n\r\n");
    const RawAnswer answer = client.receive();
    EXPECT_EQ(answer.status, status) << bytes;
    EXPECT_EQ(answer.header("Content-Type"), "application/problem+json") << bytes;
    EXPECT_EQ(answer.header("Connection"), "close") << bytes;
    EXPECT_TRUE(client.ends()) << bytes;
  }
}

TEST_F(Http, refuses_endless_chunk_heads_and_trailers) {
  serve();
  const std::string header = "POST /api/echo HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n";
  RawClient extension(server_->port());
  EXPECT_EQ(extension.ask(header + "2;" + std::string(70 * 1024, 'x')).status, 431);
  RawClient trailer(server_->port());
  EXPECT_EQ(trailer.ask(header + "0\r\nX: " + std::string(70 * 1024, 'x')).status, 431);
}

TEST_F(Http, survives_random_bytes) {
  serve();
  std::mt19937 random(7);
  const std::string valid =
      post("/api/echo", R"({"a":[1,2,3]})") + get("/echo/a?b=c") +
      "POST /api/echo HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n";
  for (int round = 0; round < 300; ++round) {
    std::string bytes = valid;
    for (int i = 0; i < 1 + round % 8; ++i) bytes[random() % bytes.size()] = static_cast<char>(random());
    RawClient client(server_->port());
    client.send(bytes.substr(0, random() % bytes.size()));
    client.finish_sending();
    while (client.receive().status != 0) {
    }
  }
  RawClient client(server_->port());
  EXPECT_EQ(client.ask(get("/hello")).status, 200);
}

TEST_F(Http, answers_408_when_a_request_takes_too_long_to_arrive) {
  http::ServerOptions options;
  options.request_max = 200ms;
  options.idle_max = 10s;
  serve(std::move(options));
  RawClient header(server_->port());
  header.send("GET /hello HT");
  expect_problem(header.receive(), 408, "request-timeout");
  EXPECT_TRUE(header.ends());
  RawClient body(server_->port());
  body.send("POST /api/echo HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 10\r\n\r\n{");
  expect_problem(body.receive(), 408, "request-timeout");
  RawClient drip(server_->port());
  for (int i = 0; i < 100 && drip.send("x"); ++i) std::this_thread::sleep_for(10ms);
  EXPECT_EQ(drip.receive().status, 408);
  RawClient idle(server_->port());
  std::this_thread::sleep_for(400ms);
  EXPECT_EQ(idle.ask(get("/hello")).status, 200) << "being idle is not being slow";
}

TEST_F(Http, closes_idle_connections_but_not_those_that_wait_for_an_answer) {
  http::ServerOptions options;
  options.idle_max = 200ms;
  serve(std::move(options));
  RawClient idle(server_->port());
  EXPECT_EQ(idle.ask(get("/hello")).status, 200);
  RawClient waiting(server_->port());
  waiting.send(get("/shelf/a"));
  auto kept = shelf_.take(1);
  EXPECT_TRUE(idle.ends());
  std::this_thread::sleep_for(400ms);
  kept.at(0).second(text("late"));
  EXPECT_EQ(waiting.receive().body, "late");
}

TEST_F(Http, gives_up_on_clients_that_take_no_answers) {
  http::ServerOptions options;
  options.write_stall_max = 200ms;
  options.connections_max = 1;
  serve(std::move(options));
  RawClient stalled(server_->port(), 4096);
  for (int i = 0; i < 4; ++i) stalled.send(get("/large"));
  const auto has_room = [this] {
    RawClient next(server_->port());
    return next.ask(get("/hello")).status == 200;
  };
  EXPECT_FALSE(has_room());
  bool given_up = false;
  for (int i = 0; i < 200 && !given_up; ++i) {
    std::this_thread::sleep_for(20ms);
    given_up = has_room();
  }
  EXPECT_TRUE(given_up);
}

TEST_F(Http, closes_who_has_most_answers_waiting_when_all_are_too_many) {
  http::ServerOptions options;
  options.threads = 1;
  options.answers_bytes_max = 40 << 20;
  serve(std::move(options));
  RawClient modest(server_->port(), 4096), greedy(server_->port(), 4096);
  modest.send(get("/large"));
  std::string all;
  for (int i = 0; i < 5; ++i) all += get("/shelf/" + std::to_string(i));
  greedy.send(all);
  for (auto& [name, respond] : shelf_.take(5)) respond(text(std::string(8 * 1024 * 1024, 'x')));
  std::this_thread::sleep_for(1500ms);  // who closes looks twice a second
  EXPECT_EQ(modest.receive().body.size(), 8u * 1024 * 1024);
  int answered = 0;
  while (greedy.receive().status == 200) ++answered;
  EXPECT_LT(answered, 5);
  EXPECT_EQ(modest.ask(get("/hello")).status, 200);
}

TEST_F(Http, sends_large_answers_whole_to_slow_readers) {
  serve();
  RawClient client(server_->port(), 4096);
  client.send(get("/large") + get("/hello"));
  EXPECT_EQ(client.receive().body.size(), 8u * 1024 * 1024);
  EXPECT_EQ(client.receive().body, "hello");
}

TEST_F(Http, turns_connections_away_above_the_maximum) {
  http::ServerOptions options;
  options.connections_max = 2;
  serve(std::move(options));
  RawClient one(server_->port());
  RawClient two(server_->port());
  EXPECT_EQ(one.ask(get("/hello")).status, 200);
  EXPECT_EQ(two.ask(get("/hello")).status, 200);
  RawClient three(server_->port());
  EXPECT_EQ(three.receive().status, 503);
  EXPECT_EQ(one.ask(get("/hello")).status, 200);
}

// Stopping ---------------------------------------------------------------------------------------------------------------------------

TEST_F(Http, stops_without_losing_answers_in_flight) {
  http::Server& server = serve();
  RawClient idle(server.port());
  EXPECT_EQ(idle.ask(get("/hello")).status, 200);
  RawClient waiting(server.port());
  waiting.send(get("/shelf/a"));
  RawClient half(server.port());
  half.send("GET /hello HTTP/1.1\r\n");
  auto kept = shelf_.take(1);
  for (int i = 0; i < 20; ++i) EXPECT_EQ(idle.ask(get("/hello")).status, 200);  // by then the half request has been read
  std::thread stopping([&] { server.stop(); });
  EXPECT_TRUE(idle.ends());
  std::this_thread::sleep_for(50ms);
  EXPECT_FALSE(RawClient(server.port()).connected());
  kept.at(0).second(text("in time"));
  const RawAnswer answer = waiting.receive();
  EXPECT_EQ(answer.body, "in time");
  EXPECT_EQ(answer.header("Connection"), "close");
  half.send("Host: x\r\n\r\n");
  EXPECT_EQ(half.receive().body, "hello");
  stopping.join();
}

TEST_F(Http, stops_in_bounded_time_whatever_clients_and_handlers_do) {
  http::ServerOptions options;
  options.drain_max = 200ms;
  http::Server& server = serve(std::move(options));
  RawClient waiting(server.port());
  waiting.send(get("/shelf/a"));
  auto kept = shelf_.take(1);
  const auto before = std::chrono::steady_clock::now();
  server.stop();
  EXPECT_LT(std::chrono::steady_clock::now() - before, 3s);
  EXPECT_TRUE(waiting.ends());
  kept.at(0).second(text("too late"));
  server_.reset();
}

TEST_F(Http, outlives_responders_and_is_outlived_by_them) {
  serve();
  RawClient client(server_->port());
  client.send(get("/shelf/a"));
  auto kept = shelf_.take(1);
  client.finish_sending();
  std::thread stopping([&] { server_.reset(); });
  std::this_thread::sleep_for(20ms);
  kept.at(0).second(text("a"));
  stopping.join();
}

TEST_F(Http, tells_its_observer_of_every_answer) {
  std::mutex mutex;
  std::vector<std::string> seen;
  http::ServerOptions options;
  options.on_answered = [&](const http::Exchange& exchange) {
    const std::lock_guard lock(mutex);
    seen.push_back(std::string(http::to_string(exchange.method)) + " " + std::string(exchange.pattern) + " " +
                   std::to_string(exchange.status));
  };
  serve(std::move(options));
  RawClient client(server_->port());
  client.ask(get("/echo/a"));
  client.ask(get("/nowhere"));
  client.ask("nonsense\r\n\r\n");
  const std::lock_guard lock(mutex);
  EXPECT_THAT(seen, testing::ElementsAre("GET /echo/{what} 200", "GET  404", "GET  400"));
}

TEST_F(Http, cannot_listen_where_another_does) {
  http::Server& server = serve();
  http::ServerOptions options;
  options.port = server.port();
  EXPECT_THROW(http::Server(http::Routes(), std::move(options)), std::system_error);
}

}  // namespace
}  // namespace bloomwatch
