// The pages of analytics over random histories: every figure against tests/data/analytics_from_log.sql, which computes it anew from the
// events and knows nothing of folds.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <future>
#include <iterator>

#include "events/access.h"
#include "query-service/analytics/pages.h"
#include "query-service/service.h"
#include "runtime/hub.h"
#include "runtime/metrics.h"
#include "tests/integration/pages/world.h"
#include "tests/integration/projection/projection_fixture.h"

namespace bloomwatch::test {
namespace {

using namespace std::chrono_literals;

std::string text_of_file(const std::filesystem::path& name) {
  for (auto folder = std::filesystem::current_path(); folder != folder.root_path(); folder = folder.parent_path())
    if (std::ifstream in(folder / name); in) return {std::istreambuf_iterator<char>(in), {}};
  throw std::runtime_error("no " + name.string() + " in this folder or above it");
}

struct Next {
  std::optional<std::string> next;
};
BOOST_DESCRIBE_STRUCT(Next, (), (next))

/// A random history, folded, and its pages.
class AnyAnalytics : public ProjectionTest, public testing::WithParamInterface<int> {
 protected:
  AnyAnalytics() {
    connection.script(text_of_file("tests/data/analytics_from_log.sql"));
    pages_.add_routes(routes_);
    const auto end = std::chrono::steady_clock::now() + 30s;
    while (pages_.not_ready() && std::chrono::steady_clock::now() < end) std::this_thread::sleep_for(5ms);
  }

  /// The page as a member of the space sees it.
  std::string get(const History::Space& space, const std::string& target) {
    http::Request request;
    const auto question = target.find('?');
    request.path = target.substr(0, question);
    if (question != std::string::npos) request.query = *http::parse_query(std::string_view(target).substr(question + 1), 64);
    request.request_id = Uuid::v7(now());
    request.received_at = std::chrono::steady_clock::now();
    request.add_header("Authorization", "Bearer " + token_of(*space.members.begin()));
    auto promise = std::make_shared<std::promise<http::Response>>();
    auto answer = promise->get_future();
    routes_.dispatch(std::move(request), http::Responder([promise](http::Response response) { promise->set_value(std::move(response)); }));
    if (answer.wait_for(30s) != std::future_status::ready) throw std::runtime_error("no answer to " + target);
    const http::Response response = answer.get();
    EXPECT_EQ(response.status, 200) << target << ' ' << response.body;
    return response.body;
  }

  static std::string path_of(const History::Space& space) { return "/api/watch-spaces/" + space.id.to_string() + "/analytics/"; }

  /// All items of a list as one JSON array.
  std::string items(const History::Space& space, const std::string& target) {
    std::string all = "[]";
    std::optional<std::string> next = path_of(space) + target;
    for (int i = 0; next && i < 1000; ++i) {
      const std::string page = get(space, *next);
      all = value("SELECT ($1::text::jsonb || ($2::text::jsonb -> 'items'))::text", {all, page});
      next = json::read<Next>(page, json::Unknown::ignored)->next;
    }
    EXPECT_FALSE(next);
    return all;
  }

  std::string value(const std::string& sql, const std::vector<std::string>& texts) {
    pg::Params params;
    for (const std::string& text : texts) params.add(text);
    return connection.query(sql, params)[0].get<std::optional<std::string>>(0).value_or("null");
  }
  /// A page without its labels, as Postgres writes it.
  std::string bare(const std::string& page) { return value("SELECT told.bare($1::text::jsonb)::text", {page}); }

  void expect_pages_as_told(const History& history) {
    for (const History::Space& space : history.spaces()) {
      const std::string path = path_of(space);
      EXPECT_EQ(bare(get(space, path + "shared-stats?limit=60")),
                log_says(space, "shared_stats($1::text::uuid, 'Europe/Berlin', (now() AT TIME ZONE 'Europe/Berlin')::date, 60)"));
      EXPECT_EQ(bare(get(space, path + "rating-distribution")), log_says(space, "rating_distribution($1::text::uuid)"));
      EXPECT_EQ(bare(get(space, path + "compatibility")), log_says(space, "compatibility($1::text::uuid)"));
      EXPECT_EQ(bare(items(space, "rating-gaps?limit=7")), log_says(space, "rating_gaps($1::text::uuid)"));
      EXPECT_EQ(
          value("SELECT COALESCE(jsonb_agg(value ORDER BY place DESC), '[]')::text FROM jsonb_array_elements(told.bare($1::text::jsonb))"
                " WITH ORDINALITY AS e (value, place)",
                {items(space, "rating-gaps?order=most-aligned&limit=3")}),
          log_says(space, "rating_gaps($1::text::uuid)"));
      EXPECT_EQ(
          value("SELECT jsonb_agg((value - 'anime' - 'session') || jsonb_build_object('animeId', value #> '{anime,id}', 'sessionId',"
                " value #> '{session,id}') ORDER BY place)::text FROM jsonb_array_elements(told.bare($1::text::jsonb)) WITH ORDINALITY AS e"
                " (value, place)",
                {items(space, "timeline?limit=20")}),
          log_says(space, "timeline($1::text::uuid)"));
    }
  }

  /// What the log says; `call` with the space as `$1`.
  std::string log_says(const History::Space& space, const std::string& call) {
    return value("SELECT told." + call + "::text", {space.id.to_string()});
  }

 private:
  /// Made under the person's present password, or it would have ended.
  std::string token_of(ProfileId profile) {
    const std::string password = value(
        "SELECT data ->> 'password' FROM log.events WHERE stream_id = $1::text::uuid AND category = 'user'"
        " AND data ? 'password' ORDER BY position DESC LIMIT 1",
        {profile.to_string()});
    return AccessTokens(keys_).mint(
        {UserId(profile.uuid), profile, SessionId(Uuid::v7(now())), PasswordId(*Uuid::parse(password)), now() + 10min});
  }

  MasterKeys keys_ = MasterKeys::derive_from(SecretKey::random());
  Hub hub_;
  Metrics metrics_;
  Authenticator who_{keys_, url, hub_};
  QueryService pages_{url, keys_, who_, hub_, metrics_};
  http::Routes routes_;
};

TEST_P(AnyAnalytics, gives_the_figures_that_the_log_gives) {
  History history(static_cast<std::uint64_t>(GetParam()));
  Follower follower = open_follower();
  for (int round = 0; round < 3; ++round) {
    append(history.next(500));
    fold_all(follower);
    expect_pages_as_told(history);
  }
}

INSTANTIATE_TEST_SUITE_P(Seeds, AnyAnalytics, testing::Range(1, 5));

}  // namespace
}  // namespace bloomwatch::test
