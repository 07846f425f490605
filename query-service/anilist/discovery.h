// AniList discovery: GET /api/anilist/search and GET /api/anilist/media/{anilistMediaId}. Answers come from memory, from the table of
// media, from AniList, and while it cannot be asked from what was kept and from the catalogue, marked `stale`.
// No page (query-service/pages.h): it reads no read model, and it writes, though only its own cache (ops/decisions/0008).
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "events/access.h"
#include "query-service/anilist/client.h"
#include "query-service/anilist/flights.h"
#include "query-service/anilist/media_store.h"
#include "query-service/anilist/recent.h"
#include "query-service/anilist/search_text.h"
#include "query-service/cursor.h"
#include "runtime/config.h"
#include "runtime/http.h"
#include "runtime/token_buckets.h"
#include "runtime/work_pool.h"

namespace bloomwatch::anilist {

/// Whose words an answer is made of.
enum class Source { anilist, catalogue };
BOOST_DESCRIBE_ENUM(Source, anilist, catalogue)

/// What else knows anime, for when AniList cannot be asked. Called on the discovery's own threads and may wait for Postgres; one that
/// throws knows nothing. An empty function: there is none.
struct Catalogue {
  std::function<std::optional<Media>(std::int32_t anilist_media_id)> media = {};
  std::function<std::vector<MediaSummary>(std::string_view text, std::size_t items_max)> search = {};
};

/// The answer about one.
struct MediaAnswer : Media {
  Source source = Source::anilist;
  std::optional<Time> fetched_at = {};  ///< from AniList; null: the catalogue's own
  bool stale = false;                   ///< AniList may say otherwise today
};
BOOST_DESCRIBE_STRUCT(MediaAnswer, (Media), (source, fetched_at, stale))

/// Makes the routes and what is behind them. Outlives the server; all references outlive it.
class Discovery {
 public:
  static constexpr unsigned threads = 2;                      ///< that wait for AniList
  static constexpr std::size_t queue_max = 64;                ///< questions that wait for one of them; more are answered 503
  static constexpr double calls_per_person_max = 20;          ///< to AniList, at once
  static constexpr double calls_per_person_per_second = 0.2;  ///< and from then on
  static constexpr std::int64_t limit_max = page_items;       ///< items of an answer
  static constexpr std::int64_t offset_max = 5'000;           ///< AniList shows no more of a search
  static constexpr std::chrono::hours details_fresh_for{24};

  struct Options {
    Client::Options client = {};
    Milliseconds answer_max{8000};  ///< how long anybody waits for AniList
    Milliseconds search_fresh_for{600'000};
  };
  /// As configured.
  Discovery(const Config& config, Catalogue catalogue, const MasterKeys& keys, const Authenticator& who, Metrics& metrics);
  Discovery(const Options& options, Surroundings surroundings, Catalogue catalogue, const std::string& database_url, const MasterKeys& keys,
            const Authenticator& who, Metrics& metrics);
  ~Discovery();
  Discovery(const Discovery&) = delete;
  Discovery& operator=(const Discovery&) = delete;

  void add_routes(http::Routes& routes);

 private:
  struct FoundSearch {
    std::shared_ptr<const SearchPage> page;
    Source source = Source::anilist;
    std::optional<Time> fetched_at = {};
    bool stale = false;
  };
  using SearchOutcome = std::expected<FoundSearch, Problem>;
  using MediaOutcome = std::expected<MediaAnswer, Problem>;
  /// A search as it is asked for and answered: a slice of one of AniList's pages.
  struct Wanted {
    SearchText text;
    std::int64_t offset = 0;
    std::int64_t limit = limit_max;
    UserId by = {};
    std::optional<std::string> known = {};  ///< the tags of what the client has already

    int page() const { return static_cast<int>(offset / page_items) + 1; }
    std::string key() const { return text.key() + '\n' + std::to_string(page()); }
  };

  std::optional<Principal> admit(const http::Request& request, http::Responder& answer) const;
  std::expected<Wanted, Problem> read_search(const http::Request& request) const;
  void search(const http::Request& request, http::Responder answer);
  void answer_search(const Wanted& wanted, const SearchOutcome& outcome, const Uuid& request_id, http::Responder& answer) const;
  void run_search(const Wanted& wanted, TimePoint deadline);
  SearchOutcome ask_search(const Wanted& wanted, TimePoint deadline);
  SearchOutcome search_without(const Wanted& wanted, const Failure& failure);
  std::optional<Recent<std::shared_ptr<const SearchPage>>::Entry> remembered(const std::string& key);

  void media(const http::Request& request, http::Responder answer);
  void took_kept(std::int32_t id, UserId by, std::optional<KeptMedia> kept, Flights<MediaOutcome>::Waiter waiter);
  void run_media(std::int32_t id, TimePoint deadline);
  MediaOutcome ask_media(std::int32_t id, TimePoint deadline);
  MediaOutcome media_without(std::int32_t id, const Failure& failure);

  /// Joins the flight of `question` or sends one off, to end in `run`; `unasked`: what is told where AniList cannot be asked: if too many
  /// wait already, and, unless it is a problem, to somebody who has asked very often.
  template <class Outcome>
  void fly(Flights<Outcome>& flights, const std::string& question, UserId by, typename Flights<Outcome>::Waiter waiter,
           std::move_only_function<void(TimePoint)> run, const Outcome& unasked);
  void count(std::string_view operation, std::string_view from) const;

  const Options options_;
  const Catalogue catalogue_;
  const Cursors cursors_;
  const Authenticator& who_;
  Metrics& metrics_;
  TokenBuckets people_{calls_per_person_max, calls_per_person_per_second};
  std::mutex recent_mutex_;
  Recent<std::shared_ptr<const SearchPage>> searches_;
  Recent<bool> unknown_media_;  ///< ids that AniList does not know, so that asking again costs nothing
  Flights<SearchOutcome> search_flights_;
  Flights<MediaOutcome> media_flights_;
  Client client_;
  WorkPool pool_;
  MediaStore store_;  // last: its thread calls back
};

}  // namespace bloomwatch::anilist
