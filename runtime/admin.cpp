// The admin server: three pages on one thread.
#include "runtime/admin.h"

#include <mutex>
#include <utility>
#include <vector>

#include "runtime/http.h"
#include "runtime/json.h"
#include "runtime/metrics.h"

namespace bloomwatch {
namespace {

struct CheckResult {
  std::string name;
  bool ok;
  std::optional<std::string> reason;
};
BOOST_DESCRIBE_STRUCT(CheckResult, (), (name, ok, reason))

struct Readiness {
  bool ready = true;
  std::vector<CheckResult> checks;
};
BOOST_DESCRIBE_STRUCT(Readiness, (), (ready, checks))

http::Response no_store(http::Response response) {
  response.headers.emplace_back("Cache-Control", "no-store");
  return response;
}

}  // namespace

struct Admin::State {
  explicit State(Metrics& m) : metrics(m) {}

  Metrics& metrics;
  std::mutex mutex;
  std::vector<std::pair<std::string, Check>> checks;
  std::unique_ptr<http::Server> server;

  Readiness readiness() {
    const std::lock_guard lock(mutex);
    Readiness readiness;
    for (const auto& [name, check] : checks) {
      auto reason = check();
      readiness.ready = readiness.ready && !reason;
      readiness.checks.push_back({name, !reason, std::move(reason)});
    }
    return readiness;
  }

  http::Routes routes() {
    http::Routes routes;
    routes.add(http::Method::get, "/metrics", http::Access::anyone, [this](const http::Request&, http::Responder respond) {
      respond(no_store({200, "text/plain; version=0.0.4; charset=utf-8", {}, metrics.render()}));
    });
    routes.add(http::Method::get, "/health/live", http::Access::anyone,
               [](const http::Request&, http::Responder respond) { respond(no_store(http::json_response(R"({"live":true})"))); });
    routes.add(http::Method::get, "/health/ready", http::Access::anyone, [this](const http::Request&, http::Responder respond) {
      const Readiness now = readiness();
      respond(no_store(http::json_response(json::to_string(now), now.ready ? 200 : 503)));
    });
    return routes;
  }
};

Admin::Admin(Metrics& metrics, const std::string& bind, std::uint16_t port) : state_(std::make_unique<State>(metrics)) {
  constexpr std::size_t connections_max = 100;
  constexpr std::chrono::milliseconds drain_max(1'000);
  http::ServerOptions options;
  options.bind = bind;
  options.port = port;
  options.threads = 1;
  options.connections_max = connections_max;
  options.drain_max = drain_max;
  options.log_requests = false;  // probes and scrapes
  state_->server = std::make_unique<http::Server>(state_->routes(), std::move(options));
}

Admin::~Admin() { stop(); }

void Admin::add_check(std::string name, Check check) {
  const std::lock_guard lock(state_->mutex);
  state_->checks.emplace_back(std::move(name), std::move(check));
}

void Admin::start() { state_->server->start(); }
void Admin::stop() { state_->server->stop(); }
std::uint16_t Admin::port() const { return state_->server->port(); }

}  // namespace bloomwatch
