// GET /api/recap-cards/{token}.svg and .png, for anybody who has the link. Two steps: a keyed read says whether the link leads somewhere
// and which version of the recap it would show, which answers 304 and finds pictures that were drawn before; only a picture that is new
// costs a recap read and drawn, on threads of its own. Bounded: pictures kept, pictures waiting to be drawn, requests waiting for them.
#pragma once

#include <expected>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "query-service/keyring.h"
#include "query-service/recaps/card.h"
#include "runtime/http.h"
#include "runtime/postgres.h"
#include "runtime/problem.h"
#include "runtime/work_pool.h"

namespace prometheus {
class Counter;
class Histogram;
}  // namespace prometheus

namespace bloomwatch {

class Metrics;

/// Pictures that were drawn last, by their version. Bounded in bytes; least recently used go first. Safe from all threads.
class CardCache {
 public:
  using Picture = std::shared_ptr<const std::string>;

  explicit CardCache(std::size_t bytes_max) : bytes_max_(bytes_max) {}

  /// Null if it is not kept.
  Picture find(const std::string& version);
  void put(const std::string& version, Picture picture);

 private:
  struct Kept {
    std::string version;
    Picture picture;
  };

  const std::size_t bytes_max_;
  std::mutex mutex_;
  std::list<Kept> by_use_;  ///< most recently used first
  std::unordered_map<std::string, std::list<Kept>::iterator> places_;
  std::size_t bytes_ = 0;
};

/// Serves cards. The routes that it is given must be gone before it is.
class RecapCards {
 public:
  static constexpr unsigned drawing_threads = 2;
  static constexpr std::size_t drawing_queue_max = 32;  ///< pictures that wait to be drawn; more: 503
  static constexpr std::size_t waiting_max = 256;       ///< requests that wait for a picture; more: 503
  static constexpr std::size_t cache_bytes_max = 32U << 20U;

  /// References outlive it. Connects in the background.
  RecapCards(const std::string& database_url, const MasterKeys& keys, Metrics& metrics);
  ~RecapCards();
  RecapCards(const RecapCards&) = delete;
  RecapCards& operator=(const RecapCards&) = delete;

  void add_route(http::Routes& routes);

 private:
  struct Asked;
  struct Door;
  struct Waiter {
    Uuid request_id;
    http::Responder answer;
  };

  void open(const http::Request& request, http::Responder answer);
  void enter(Asked asked, std::expected<pg::Result, pg::Error> outcome);
  void read(const Asked& asked, const Door& door, const std::string& version);
  void took(const Asked& asked, const Door& door, const std::string& version, std::expected<pg::Result, pg::Error> outcome);
  void draw(const Asked& asked, const std::string& version, const std::string& drawn_version, RecapCard card);
  /// Lets the request wait for a picture; whether it is the first, which has it drawn. Nothing: there is no room, and it was answered.
  std::optional<bool> wait_for(const std::string& version, Asked& asked);
  std::vector<Waiter> waiters_of(const std::string& version);
  void refuse_all(const std::string& version, const std::function<Problem(const Uuid&)>& problem);

  const MasterKeys& keys_;
  KeyCache key_cache_;
  prometheus::Histogram& drawing_seconds_;
  prometheus::Counter& unchanged_;
  prometheus::Counter& kept_;
  CardCache cache_{cache_bytes_max};
  std::mutex mutex_;
  std::map<std::string, std::vector<Waiter>> waiting_;
  std::size_t waiting_count_ = 0;
  WorkPool pool_;
  pg::Pipeline pipeline_;  // last, so that its last answers find all of the above
};

}  // namespace bloomwatch
