// query-service as a part of a process: its pages on the routes of a server. The program of its own (main.cpp) and `bloomwatch serve` wire
// it alike.
#pragma once

#include <memory>
#include <optional>
#include <string>

namespace bloomwatch {

class Authenticator;
class Hub;
class Metrics;
class Pages;
class RecapCards;
struct MasterKeys;

namespace http {
class Routes;
}
namespace search {
class CatalogSearch;
}

/// Make it before the server, stop the server before it goes. All references outlive it.
class QueryService {
 public:
  /// `connections`: to Postgres, for pages.
  QueryService(const std::string& database_url, const MasterKeys& keys, const Authenticator& who, Hub& hub, Metrics& metrics,
               std::size_t connections = 2);
  ~QueryService();
  QueryService(const QueryService&) = delete;
  QueryService& operator=(const QueryService&) = delete;

  /// Every GET page, and the cards of shared recaps.
  void add_routes(http::Routes& routes);
  /// The index that search answers from.
  search::CatalogSearch& search() { return *search_; }
  /// Why it shows no pages at the moment; nothing if it does. For Admin::add_check; quick.
  std::optional<std::string> not_ready() const;

 private:
  const Authenticator& who_;
  std::unique_ptr<Pages> pages_;
  std::unique_ptr<search::CatalogSearch> search_;  // after the pages, which it answers
  std::unique_ptr<RecapCards> recap_cards_;
};

}  // namespace bloomwatch
