// The world's wiring, and what people do in it.
#include "tests/integration/pages/world.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "tests/postgres_cluster.h"

namespace bloomwatch::test {
namespace {

using namespace std::chrono_literals;

struct LoggedIn {
  std::string access_token;
};
BOOST_DESCRIBE_STRUCT(LoggedIn, (), (access_token))

struct Invited {
  std::string token;
};
BOOST_DESCRIBE_STRUCT(Invited, (), (token))

constexpr std::string_view password = "correct horse battery staple";

bool eventually(const auto& condition) {
  const auto end = std::chrono::steady_clock::now() + 30s;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::sleep_for(5ms);
  }
  return true;
}

}  // namespace

std::string Answer::header(std::string_view name) const {
  for (const auto& [key, value] : response.headers)
    if (key == name) return value;
  return {};
}

namespace {

/// Ends the world while everything that it stands on is still there.
class TheEnd : public testing::Environment {
 public:
  std::unique_ptr<World> world;
  void TearDown() override { world.reset(); }
};
TheEnd* const the_end = static_cast<TheEnd*>(testing::AddGlobalTestEnvironment(new TheEnd()));

}  // namespace

World& World::get() {
  if (the_end->world == nullptr) the_end->world.reset(new World());
  return *the_end->world;
}

World::~World() {
  projector_.reset();
  commands_->stop();
}

World::World() : url_(fresh_database()), keys_(MasterKeys::derive_from(SecretKey::random())) {
  who_ = std::make_unique<Authenticator>(keys_, url_, hub_);
  Config config;
  config.database_url = url_;
  commands_ = std::make_unique<CommandService>(config, keys_, *who_, hub_, metrics_);
  pages_ = std::make_unique<QueryService>(url_, keys_, *who_, hub_, metrics_);
  commands_->add_routes(routes_);
  pages_->add_routes(routes_);
  commands_->start();
  fold(true);
  database_ = std::make_unique<pg::Connection>(pg::Options{.url = url_});
  if (!eventually([&] { return !commands_->not_ready() && !pages_->not_ready(); })) throw std::runtime_error("the world does not start");
}

void World::fold(bool on) {
  projector_.reset();
  if (!on) return;
  projector_ = std::make_unique<projection::Projector>(projection::ProjectorOptions{.database_url = url_, .hub = hub_});
  projector_->start();
}

Answer World::call(http::Method method, const std::string& target, const std::string& token, const std::string& body,
                   const std::string& prefer) {
  http::Request request;
  request.method = method;
  const auto question = target.find('?');
  request.path = target.substr(0, question);
  if (question != std::string::npos) request.query = *http::parse_query(std::string_view(target).substr(question + 1), 64);
  request.body = body;
  request.request_id = Uuid::v7(now());
  request.correlation_id = request.request_id;
  request.received_at = std::chrono::steady_clock::now();
  if (!body.empty()) request.add_header("Content-Type", "application/json");
  if (!token.empty()) request.add_header("Authorization", "Bearer " + token);
  if (!prefer.empty()) request.add_header("Prefer", prefer);
  auto promise = std::make_shared<std::promise<http::Response>>();
  auto answer = promise->get_future();
  routes_.dispatch(std::move(request), http::Responder([promise](http::Response response) { promise->set_value(std::move(response)); }));
  if (answer.wait_for(30s) != std::future_status::ready) throw std::runtime_error("no answer to " + target);
  return {answer.get()};
}

Person::Person(const std::string& name) {
  static std::atomic<int> count = 0;
  handle = name + '_' + std::to_string(++count);
  email = handle + "@example.org";
  const Answer registered = World::get().call(http::Method::post, "/api/auth/register", {},
                                              R"({"email":")" + email + R"(","handle":")" + handle + R"(","displayName":")" + name +
                                                  R"(","password":")" + std::string(password) + "\"}");
  EXPECT_EQ(registered.status(), 201) << registered.response.body;
  id = registered.as<Told>().id.to_string();
  log_in();
}

void Person::log_in() {
  const Answer answer = World::get().call(http::Method::post, "/api/auth/login", {},
                                          R"({"email":")" + email + R"(","password":")" + std::string(password) + "\"}");
  EXPECT_EQ(answer.status(), 200) << answer.response.body;
  token = answer.as<LoggedIn>().access_token;
}

std::string Person::make_space(const std::string& name) const {
  const Answer made = post("/api/watch-spaces", R"({"name":")" + name + R"(","timeZone":"Europe/Berlin"})");
  EXPECT_EQ(made.status(), 201) << made.response.body;
  return "/api/watch-spaces/" + made.as<Told>().id.to_string();
}

void Person::let_in(const std::string& space, const Person& other) const {
  const Answer invited = post(space + "/invitations", R"({"email":")" + other.email + "\"}");
  EXPECT_EQ(invited.status(), 201) << invited.response.body;
  const Answer accepted = other.post("/api/watch-spaces/invitations/" + invited.as<Invited>().token + "/accept", {});
  EXPECT_EQ(accepted.status(), 200) << accepted.response.body;
}

std::string Person::add(const std::string& space, int anilist_id, const std::string& more) const {
  const Answer added = post(space + "/anime", R"({"anilistMediaId":)" + std::to_string(anilist_id) + more + '}');
  EXPECT_EQ(added.status(), 201) << added.response.body;
  return space + "/anime/" + added.as<Told>().id.to_string();
}

void Person::rate(const std::string& anime, const std::string& score) const {
  const Answer rated = patch(anime + "/participant-rating", R"({"score":)" + score + '}');
  EXPECT_EQ(rated.status(), 200) << rated.response.body;
}

}  // namespace bloomwatch::test
