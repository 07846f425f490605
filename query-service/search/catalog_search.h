// The index of the catalogue as a running part of query-service: filled from the rows when the process starts, kept up by what the
// projector says has changed, and asked on threads of its own, so that no search holds up other pages. Queries read side by side; a change
// waits for those under way and holds up new ones for less than a millisecond.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <expected>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <shared_mutex>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

#include "events/ids.h"
#include "events/partition_heads.h"
#include "query-service/search/catalog_rows.h"
#include "query-service/search/query.h"
#include "runtime/hub.h"
#include "runtime/metrics.h"
#include "runtime/postgres.h"
#include "runtime/problem.h"
#include "runtime/work_pool.h"

namespace bloomwatch::search {

/// A studio, and of how many titles.
struct StudioCard {
  std::string slug;
  std::string name;
  std::int64_t titles = 0;

  bool operator==(const StudioCard&) const = default;
};
BOOST_DESCRIBE_STRUCT(StudioCard, (), (slug, name, titles))

/// What is found of one query.
struct CatalogFound {
  Found titles;
  std::vector<StudioCard> studios;            ///< whose names are like the query; the best first
  std::vector<std::string> names_of_studios;  ///< of titles.facets' studios, in their order
  Position position = 0;                      ///< of the index
};

/// Safe from all threads.
class CatalogSearch {
 public:
  static constexpr unsigned threads = 2;
  static constexpr std::size_t queue_max = 256;     ///< queries that wait for a thread; beyond: 503
  static constexpr std::size_t waiting_max = 1000;  ///< queries that wait for the index to get further; beyond: 503
  static constexpr std::size_t studios_shown_max = 5;
  static constexpr std::chrono::milliseconds look_every{500};   ///< where no news comes
  static constexpr std::chrono::milliseconds look_spacing{20};  ///< at most so often where it comes fast

  /// Begins to fill at once; does not wait for the database. `hub` and `metrics` outlive it.
  CatalogSearch(std::string database_url, Hub& hub, Metrics& metrics);
  ~CatalogSearch();
  CatalogSearch(const CatalogSearch&) = delete;
  CatalogSearch& operator=(const CatalogSearch&) = delete;

  /// Whether it has been filled.
  bool ready() const { return ready_; }
  /// Everything at or before it is in the index; −1: it has not been filled.
  Position reached() const { return reached_; }
  std::size_t titles() const;

  using Answer = std::move_only_function<void(std::expected<CatalogFound, Problem>)>;
  /// Answers once the index has reached `at_least`, or refuses after `deadline`, while it is being filled, and when too many ask. `answer`
  /// is called once, from a thread that may be this one. `studios`: whether they are looked for, too.
  void ask(Query query, bool studios, Position at_least, std::chrono::steady_clock::time_point deadline, Answer answer);

 private:
  /// Everything of one life of the rows.
  struct Held {
    Index titles;
    Index studios;
    std::unordered_map<std::string, std::shared_ptr<const StudioCard>> cards;  ///< by slug
    mutable std::mutex turnstile;  ///< a change holds it while it waits for queries under way: new ones come after it
    mutable std::shared_mutex mutex;
  };
  struct Asking {
    Query query;
    bool studios;
    std::chrono::steady_clock::time_point deadline;
    Answer answer;
  };

  void run(const std::stop_token& stop);
  void follow(const std::stop_token& stop);
  void look(pg::Connection& connection, const std::stop_token& stop);
  void fill(pg::Connection& connection, CatalogState state, const std::stop_token& stop);
  void pause(const std::stop_token& stop);
  void put(Held& held, std::vector<TitleChange> changes);
  void credit(const Uuid& title, std::vector<StudioName> studios, std::map<std::string, StudioName>& changed);
  std::vector<Prepared> studio_documents(const std::map<std::string, StudioName>& changed);
  void compact();
  void set_reached(const CatalogState& state);
  Position position_of(const CatalogState& state);
  void wake(Position reached);
  void refuse_late();
  void submit(Asking asking);
  CatalogFound find(const Query& query, bool studios);
  std::shared_ptr<Held> held() const;

  const std::string database_url_;
  Hub& hub_;
  prometheus::Gauge& titles_gauge_;
  prometheus::Histogram& seconds_;

  mutable std::mutex held_mutex_;
  std::shared_ptr<Held> held_;
  std::atomic<bool> ready_{false};
  std::atomic<Position> reached_{-1};

  // Of the follower alone.
  std::optional<CatalogState> seen_;
  Normaliser normaliser_;
  std::unordered_map<Uuid, std::vector<StudioName>> studios_of_;
  std::unordered_map<std::string, std::int64_t> titles_of_;  // by slug
  std::unique_ptr<PartitionHeads> heads_;                    // from when checkpoints are seen to be kept by partition

  std::mutex waiting_mutex_;
  std::multimap<Position, Asking> waiting_;
  std::mutex workspaces_mutex_;
  std::vector<std::unique_ptr<Workspace>> workspaces_;

  std::mutex news_mutex_;
  std::condition_variable_any news_;
  bool told_ = false;
  std::vector<Hub::Subscription> subscriptions_;
  WorkPool pool_;
  std::jthread thread_;  // last, so that it ends first
};

}  // namespace bloomwatch::search
