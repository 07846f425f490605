// A whole BloomWatch without sockets for tests of pages: commands go in at the routes, events through a real Postgres and the projector,
// pages come out at the routes.
#pragma once

#include <chrono>
#include <future>
#include <memory>
#include <string>
#include <string_view>

#include "command-service/service.h"
#include "events/access.h"
#include "projector/projector.h"
#include "query-service/service.h"
#include "runtime/hub.h"
#include "runtime/json.h"
#include "runtime/metrics.h"
#include "runtime/postgres.h"

namespace bloomwatch::test {

/// What every command answers, and what a refusal says.
struct Told {
  Uuid id;
  std::int64_t version = 0;
  std::int64_t position = 0;
};
BOOST_DESCRIBE_STRUCT(Told, (), (id, version, position))

struct Refusal {
  std::string type;
};
BOOST_DESCRIBE_STRUCT(Refusal, (), (type))

/// An answer; `as<T>` reads the members that T describes and passes over the others.
struct Answer {
  http::Response response;

  int status() const { return response.status; }
  std::string header(std::string_view name) const;
  template <class T>
  T as() const {
    auto read = json::read<T>(response.body, json::Unknown::ignored);
    if (!read) throw std::runtime_error(read.error().front().pointer + ' ' + read.error().front().detail + " in " + response.body);
    return std::move(*read);
  }
  std::string problem() const { return as<Refusal>().type; }
  std::string at() const { return std::to_string(as<Told>().position); }
};

/// One a test program, from its first use to the program's end: starting it takes a second.
class World {
 public:
  static World& get();
  ~World();

  Answer call(http::Method method, const std::string& target, const std::string& token = {}, const std::string& body = {},
              const std::string& prefer = {});
  Answer get(const std::string& target, const std::string& token, const std::string& prefer = {}) {
    return call(http::Method::get, target, token, {}, prefer);
  }
  pg::Connection& database() { return *database_; }
  projection::Projector& projector() { return *projector_; }
  /// Stops folding, or goes on.
  void fold(bool on);
  const MasterKeys& keys() const { return keys_; }
  const std::string& url() const { return url_; }

 private:
  World();

  std::string url_;
  MasterKeys keys_;
  Hub hub_;
  Metrics metrics_;
  std::unique_ptr<Authenticator> who_;
  std::unique_ptr<CommandService> commands_;
  std::unique_ptr<QueryService> pages_;
  http::Routes routes_;
  std::unique_ptr<projection::Projector> projector_;
  std::unique_ptr<pg::Connection> database_;
};

/// Somebody who has registered and logged in.
struct Person {
  explicit Person(const std::string& name);

  Answer get(const std::string& target, const std::string& prefer = {}) const { return World::get().get(target, token, prefer); }
  Answer post(const std::string& target, const std::string& body) const {
    return World::get().call(http::Method::post, target, token, body);
  }
  Answer patch(const std::string& target, const std::string& body) const {
    return World::get().call(http::Method::patch, target, token, body);
  }
  Answer del(const std::string& target) const { return World::get().call(http::Method::del, target, token); }
  /// Makes a space and returns its path.
  std::string make_space(const std::string& name) const;
  /// Lets `other` in by an invitation.
  void let_in(const std::string& space, const Person& other) const;
  /// Adds an anime and returns its path.
  std::string add(const std::string& space, int anilist_id, const std::string& more = {}) const;
  void rate(const std::string& anime, const std::string& score) const;
  void log_in();

  std::string handle;
  std::string email;
  std::string id;
  std::string token;
};

}  // namespace bloomwatch::test
