// Pages over a random history: what anybody in it is shown, and what the log says of the same.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <future>
#include <iterator>
#include <thread>

#include "events/access.h"
#include "query-service/service.h"
#include "runtime/hub.h"
#include "runtime/json.h"
#include "runtime/metrics.h"
#include "tests/integration/projection/projection_fixture.h"

namespace bloomwatch::test {

/// A file of the repository, found from any folder in it.
inline std::string text_of_file(const std::filesystem::path& name) {
  for (auto folder = std::filesystem::current_path(); folder != folder.root_path(); folder = folder.parent_path())
    if (std::ifstream in(folder / name); in) return {std::istreambuf_iterator<char>(in), {}};
  throw std::runtime_error("no " + name.string() + " in this folder or above it");
}

struct NextLink {
  std::optional<std::string> next;
};
BOOST_DESCRIBE_STRUCT(NextLink, (), (next))

/// A history that is appended and folded by the test, and its pages.
class PagesOfAnyHistory : public ProjectionTest {
 protected:
  PagesOfAnyHistory() {
    pages_.add_routes(routes_);
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(30);
    while (pages_.not_ready() && std::chrono::steady_clock::now() < end) std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }

  /// A request with the path and the query of a target.
  static http::Request request_for(const std::string& target) {
    http::Request request;
    const auto question = target.find('?');
    request.path = target.substr(0, question);
    if (question != std::string::npos) request.query = *http::parse_query(std::string_view(target).substr(question + 1), 64);
    return request;
  }
  /// The answer that a person gets.
  http::Response answer(ProfileId by, const std::string& target) {
    http::Request request = request_for(target);
    request.request_id = Uuid::v7(now());
    request.received_at = std::chrono::steady_clock::now();
    request.add_header("Authorization", "Bearer " + token_of(by));
    auto promise = std::make_shared<std::promise<http::Response>>();
    auto told = promise->get_future();
    routes_.dispatch(std::move(request), http::Responder([promise](http::Response response) { promise->set_value(std::move(response)); }));
    if (told.wait_for(std::chrono::seconds(30)) != std::future_status::ready) throw std::runtime_error("no answer to " + target);
    return told.get();
  }
  /// The page that a person is shown.
  std::string get(ProfileId by, const std::string& target) {
    const http::Response response = answer(by, target);
    EXPECT_EQ(response.status, 200) << target << ' ' << response.body;
    return response.body;
  }
  /// All items of a list as one JSON array.
  std::string items(ProfileId by, const std::string& target) {
    std::string all = "[]";
    std::optional<std::string> next = target;
    for (int i = 0; next && i < 1000; ++i) {
      const std::string page = get(by, *next);
      all = value("SELECT ($1::text::jsonb || ($2::text::jsonb -> 'items'))::text", {all, page});
      next = json::read<NextLink>(page, json::Unknown::ignored)->next;
    }
    EXPECT_FALSE(next);
    return all;
  }

  const http::Routes& routes() const { return routes_; }

  /// The first column of the first row.
  std::string value(const std::string& sql, const std::vector<std::string>& texts) {
    pg::Params params;
    for (const std::string& text : texts) params.add(text);
    return connection.query(sql, params)[0].get<std::optional<std::string>>(0).value_or("null");
  }

 private:
  /// Made under the person's present password, or it would have ended.
  std::string token_of(ProfileId profile) {
    const std::string password = value(
        "SELECT data ->> 'password' FROM log.events WHERE stream_id = $1::text::uuid AND category = 'user'"
        " AND data ? 'password' ORDER BY position DESC LIMIT 1",
        {profile.to_string()});
    return AccessTokens(keys_).mint(
        {UserId(profile.uuid), profile, SessionId(Uuid::v7(now())), PasswordId(*Uuid::parse(password)), now() + std::chrono::minutes(10)});
  }

  MasterKeys keys_ = MasterKeys::derive_from(SecretKey::random());
  Hub hub_;
  Metrics metrics_;
  Authenticator who_{keys_, url, hub_};
  QueryService pages_{url, keys_, who_, hub_, metrics_};
  http::Routes routes_;
};

}  // namespace bloomwatch::test
