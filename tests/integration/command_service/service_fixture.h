// A whole command-service on a database of its own, asked without sockets: requests go through its route table.
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <future>
#include <string>
#include <thread>

#include "command-service/service.h"
#include "runtime/json.h"
#include "runtime/postgres.h"
#include "tests/postgres_cluster.h"

namespace bloomwatch::test {

/// Some members of answers; the others are passed over.
struct Answered {
  std::optional<std::string> id = {};
  std::optional<std::int64_t> version = {};
  std::optional<std::int64_t> position = {};
  std::optional<std::string> type = {};
  std::optional<std::string> token = {};
  std::optional<std::string> expires_at = {};
  std::optional<std::string> access_token = {};
  std::optional<std::string> refresh_token = {};
  std::optional<json::Raw> user = {};
  std::optional<json::Raw> counts = {};
  std::optional<json::Raw> rows = {};
};
BOOST_DESCRIBE_STRUCT(Answered, (), (id, version, position, type, token, expires_at, access_token, refresh_token, user, counts, rows))

struct Reply {
  int status;
  http::Parameters headers;
  std::string body;

  Answered json() const { return json::read<Answered>(body, json::Unknown::ignored).value_or(Answered{}); }
};

struct Person {
  std::string email, handle, password, id, access_token, refresh_token;
};

class CommandServiceTest : public testing::Test {
 protected:
  explicit CommandServiceTest(Config config = {}) : config_(std::move(config)) {
    config_.database_url = url_;
    start();
  }

  /// Stops the service and starts another one on the same database and keys: with empty caches.
  void restart() {
    service_.reset();
    authenticator_.reset();
    start();
  }

  using Headers = std::vector<std::pair<std::string, std::string>>;
  Reply send(http::Method method, const std::string& path, const std::string& body = "", const std::string& token = "",
             const Headers& headers = {}) {
    http::Request request;
    request.method = method;
    request.path = path.substr(0, path.find('?'));
    if (path.contains('?')) request.query = *http::parse_query(path.substr(path.find('?') + 1), 64);
    request.body = body;
    request.request_id = Uuid::v7(now());
    request.correlation_id = request.request_id;
    request.peer = "127.0.0.1";
    if (!token.empty()) request.add_header("Authorization", "Bearer " + token);
    for (const auto& [name, value] : headers) request.add_header(name, value);
    auto answer = begin(std::move(request));
    if (answer.wait_for(std::chrono::seconds(60)) != std::future_status::ready) throw std::runtime_error(path + " was not answered");
    http::Response response = answer.get();
    return {response.status, std::move(response.headers), std::move(response.body)};
  }

  /// Sends without waiting for the answer.
  std::future<http::Response> begin(http::Request request) {
    auto answered = std::make_shared<std::promise<http::Response>>();
    auto answer = answered->get_future();
    routes_->dispatch(std::move(request),
                      http::Responder([answered](http::Response response) { answered->set_value(std::move(response)); }));
    return answer;
  }

  Reply post(const std::string& path, const std::string& body = "", const std::string& token = "", const Headers& headers = {}) {
    return send(http::Method::post, path, body, token, headers);
  }

  Person register_person(const std::string& handle) {
    Person person{.email = handle + "@example.org",
                  .handle = handle,
                  .password = "a long password",
                  .id = {},
                  .access_token = {},
                  .refresh_token = {}};
    const Reply reply = post("/api/auth/register",
                             R"({"email":")" + person.email + R"(","handle":")" + handle + R"(","password":")" + person.password + R"("})");
    EXPECT_EQ(reply.status, 201) << reply.body;
    person.id = reply.json().id.value_or("");
    log_in(person);
    return person;
  }

  Reply log_in_reply(const std::string& email, const std::string& password) {
    return post("/api/auth/login", R"({"email":")" + email + R"(","password":")" + password + R"("})");
  }

  void log_in(Person& person) {
    const Reply reply = log_in_reply(person.email, person.password);
    EXPECT_EQ(reply.status, 200) << reply.body;
    person.access_token = reply.json().access_token.value_or("");
    person.refresh_token = reply.json().refresh_token.value_or("");
  }

  std::string make_space(const Person& person) {
    const Reply reply = post("/api/watch-spaces", R"({"name":"Ours"})", person.access_token);
    EXPECT_EQ(reply.status, 201) << reply.body;
    return reply.json().id.value_or("");
  }

  pg::Connection connection() { return pg::Connection({.url = url_}); }
  std::int64_t count(const std::string& from) { return connection().query("SELECT count(*) FROM " + from)[0].get<std::int64_t>(0); }

  const std::string url_ = fresh_database();
  const MasterKeys keys_ = MasterKeys::derive_from(SecretKey::random());
  Config config_;
  Hub hub_;
  std::unique_ptr<Authenticator> authenticator_;
  std::unique_ptr<CommandService> service_;
  std::unique_ptr<http::Routes> routes_;

 private:
  void start() {
    authenticator_ = std::make_unique<Authenticator>(keys_, url_, hub_);
    retired_metrics_.push_back(std::make_unique<Metrics>());
    service_ = std::make_unique<CommandService>(config_, keys_, *authenticator_, hub_, *retired_metrics_.back());
    routes_ = std::make_unique<http::Routes>();
    service_->add_routes(*routes_);
    service_->start();
    for (int i = 0; service_->not_ready() && i < 1000; ++i) std::this_thread::sleep_for(std::chrono::milliseconds(20));
    EXPECT_EQ(service_->not_ready(), std::nullopt);
  }

  std::vector<std::unique_ptr<Metrics>> retired_metrics_;
};

}  // namespace bloomwatch::test
