// What both routes share: who asks, flights, limits, problems; then the way of a search, and that of one anime.
#include "query-service/anilist/discovery.h"

#include <algorithm>

#include "query-service/anilist/problems.h"
#include "query-service/limit.h"
#include "runtime/entity_tag.h"
#include "runtime/json.h"
#include "runtime/logging.h"

namespace bloomwatch::anilist {
namespace {

constexpr std::size_t item_bytes_assumed = 1024;  // of an item in memory
constexpr std::string_view search_path = "/api/anilist/search";
/// Cursors and tags of what AniList says belong to no epoch of the log.
constexpr std::string_view no_epoch = "anilist-";

using SearchLimit = Limit<Discovery::limit_max, Discovery::limit_max>;

struct SearchParameters {
  std::optional<SearchText> query = {};
  std::optional<SearchLimit> limit = {};
  std::optional<std::string> cursor = {};
};
BOOST_DESCRIBE_STRUCT(SearchParameters, (), (query, limit, cursor))

struct NoParameters {};
BOOST_DESCRIBE_STRUCT(NoParameters, (), ())

struct SearchPlace {
  SearchText query;
  std::int64_t offset = 0;
};
BOOST_DESCRIBE_STRUCT(SearchPlace, (), (query, offset))

struct SearchAnswer {
  json::Raw items;
  std::optional<std::string> next = {};
  Source source = Source::anilist;
  std::optional<Time> fetched_at = {};
  bool stale = false;
};
BOOST_DESCRIBE_STRUCT(SearchAnswer, (), (items, next, source, fetched_at, stale))

Problem wrong_query(std::string detail) { return problems::validation({{"/query", std::move(detail), json::In::query}}); }

Discovery::Options options_of(const Config& config) {
  Discovery::Options options;
  options.answer_max = Milliseconds(config.anilist_wait_ms);
  options.search_fresh_for = Milliseconds(config.anilist_search_fresh_ms);
  options.client.pace.limit_assumed = static_cast<int>(config.anilist_requests_per_minute);
  options.client.pause_first = Milliseconds(config.anilist_pause_ms);
  options.client.breaker.open_for = Milliseconds(config.anilist_rest_ms);
  return options;
}

}  // namespace

Discovery::Discovery(const Config& config, Catalogue catalogue, const MasterKeys& keys, const Authenticator& who, Metrics& metrics)
    : Discovery(options_of(config), surroundings_of(config.anilist_url, config.anilist_ca_file), std::move(catalogue), config.database_url,
                keys, who, metrics) {}

Discovery::Discovery(const Options& options, Surroundings surroundings, Catalogue catalogue, const std::string& database_url,
                     const MasterKeys& keys, const Authenticator& who, Metrics& metrics)
    : options_(options),
      catalogue_(std::move(catalogue)),
      cursors_(keys),
      who_(who),
      metrics_(metrics),
      searches_({.fresh_for = options.search_fresh_for}),
      unknown_media_({.fresh_for = options.search_fresh_for, .kept_for = options.search_fresh_for}),
      client_(options.client, std::move(surroundings), metrics),
      pool_("anilist", threads, queue_max),
      store_(database_url) {}

Discovery::~Discovery() {
  client_.stop();
  pool_.stop();
}

void Discovery::add_routes(http::Routes& routes) {
  routes.add(http::Method::get, search_path, http::Access::signed_in,
             [this](const http::Request& request, http::Responder answer) { search(request, std::move(answer)); });
  routes.add(http::Method::get, "/api/anilist/media/{anilistMediaId}", http::Access::signed_in,
             [this](const http::Request& request, http::Responder answer) { media(request, std::move(answer)); });
}

std::optional<Principal> Discovery::admit(const http::Request& request, http::Responder& answer) const {
  auto principal = who_.authenticate(request, answer, now());
  if (principal) return *principal;
  answer(to_response(principal.error(), request.request_id));
  return std::nullopt;
}

void Discovery::count(std::string_view operation, std::string_view from) const {
  metrics_
      .counter("bloomwatch_anilist_answers_total", "Answers of AniList discovery by where they came from",
               {{"operation", std::string(operation)}, {"from", std::string(from)}})
      .Increment();
}

template <class Outcome>
void Discovery::fly(Flights<Outcome>& flights, const std::string& question, UserId by, typename Flights<Outcome>::Waiter waiter,
                    std::move_only_function<void(TimePoint)> run, const Outcome& unasked) {
  using Joined = typename Flights<Outcome>::Joined;
  if (flights.join(question, waiter)) return;
  const TimePoint deadline = std::chrono::steady_clock::now() + options_.answer_max;
  // What does not reach AniList is not counted: nobody's budget is spent.
  const auto wait = client_.rests(deadline) ? std::nullopt : people_.take(std::hash<UserId>{}(by), TokenBuckets::Clock::now());
  if (wait && unasked) return waiter(unasked);
  if (wait) {
    constexpr std::string_view why = "You have asked AniList very often. What it has told already can be had at any time.";
    return waiter(std::unexpected(problems::too_many_requests(*wait).with_detail(std::string(why))));
  }
  const Joined joined = flights.join_or_begin(question, waiter);
  if (joined == Joined::full) return waiter(std::unexpected(problems::overloaded()));
  if (joined == Joined::later) return;
  WorkPool::Job job = [&flights, question, deadline, run = std::move(run)]() mutable {
    try {
      run(deadline);
    } catch (const std::exception& error) {
      log::error("anilist", "a question could not be answered", {{"error", error.what()}});
      flights.land(question, std::unexpected(problems::overloaded()));
    }
  };
  if (!pool_.submit(job)) flights.land(question, unasked);
}

// ---------------------------------------------------------------------------------------------------------------------------- search

/// Texts come with the cursor or beside it; both must be of one search.
std::expected<Discovery::Wanted, Problem> Discovery::read_search(const http::Request& request) const {
  auto parameters = json::read_query<SearchParameters>(request.query);
  if (!parameters) return std::unexpected(problems::wrong_fields(std::move(parameters.error())));
  Wanted wanted;
  wanted.limit = parameters->limit.value_or(SearchLimit{}).value;
  if (parameters->cursor) {
    auto place = cursors_.open<SearchPlace>(*parameters->cursor, no_epoch, search_path);
    if (!place) return std::unexpected(std::move(place.error()));
    if (parameters->query && parameters->query->key() != place->query.key()) return std::unexpected(Cursors::unknown());
    wanted.text = std::move(place->query);
    wanted.offset = place->offset;
  } else if (parameters->query) {
    wanted.text = std::move(*parameters->query);
  } else {
    return std::unexpected(wrong_query("is missing"));
  }
  return wanted;
}

std::optional<Recent<std::shared_ptr<const SearchPage>>::Entry> Discovery::remembered(const std::string& key) {
  const std::lock_guard lock(recent_mutex_);
  return searches_.find(key, now());
}

void Discovery::search(const http::Request& request, http::Responder answer) {
  const auto by = admit(request, answer);
  if (!by) return;
  auto wanted = read_search(request);
  if (!wanted) return answer(to_response(wanted.error(), request.request_id));
  wanted->by = by->account;
  wanted->known = http::known_tags(request);
  const std::string key = wanted->key();
  const auto known = remembered(key);
  if (known && known->fresh) {
    count("search", "memory");
    return answer_search(*wanted, FoundSearch{known->value, Source::anilist, known->at, false}, request.request_id, answer);
  }
  SearchOutcome unasked = std::unexpected(problems::overloaded());
  if (known) unasked = FoundSearch{known->value, Source::anilist, known->at, true};
  fly<SearchOutcome>(
      search_flights_, key, by->account,
      [this, wanted = *wanted, id = request.request_id, answer = std::move(answer)](const SearchOutcome& outcome) mutable {
        answer_search(wanted, outcome, id, answer);
      },
      [this, wanted = *wanted](TimePoint deadline) { run_search(wanted, deadline); }, unasked);
}

void Discovery::answer_search(const Wanted& wanted, const SearchOutcome& outcome, const Uuid& request_id, http::Responder& answer) const {
  if (!outcome) return answer(to_response(outcome.error(), request_id));
  const auto& items = outcome->page->items;
  const auto begin = std::min<std::int64_t>(wanted.offset % page_items, std::ssize(items));
  const auto end = std::min<std::int64_t>(begin + wanted.limit, std::ssize(items));
  SearchAnswer shown{{}, {}, outcome->source, outcome->fetched_at, outcome->stale};
  shown.items.text.clear();
  json::write(shown.items.text, std::vector(items.begin() + begin, items.begin() + end));
  // Where a page of AniList's is used up, the next one begins, however few it held.
  const bool used_up = end == std::ssize(items);
  const std::int64_t next = used_up ? wanted.page() * std::int64_t{page_items} : wanted.offset + (end - begin);
  if ((!used_up || outcome->page->has_next) && next < offset_max)
    shown.next = std::string(search_path) + "?limit=" + std::to_string(wanted.limit) +
                 "&cursor=" + cursors_.make(no_epoch, search_path, SearchPlace{wanted.text, next});
  http::Response response = http::json_response(json::to_string(shown));
  if (shown.next) response.headers.emplace_back("Link", '<' + *shown.next + ">; rel=\"next\"");
  answer(http::kept_privately(std::move(response), no_epoch, wanted.known));
}

void Discovery::run_search(const Wanted& wanted, TimePoint deadline) { search_flights_.land(wanted.key(), ask_search(wanted, deadline)); }

Discovery::SearchOutcome Discovery::ask_search(const Wanted& wanted, TimePoint deadline) {
  auto found = client_.search(wanted.text.text(), wanted.page(), deadline);
  if (!found) return search_without(wanted, found.error());
  auto page = std::make_shared<const SearchPage>(std::move(*found));
  const Time at = now();
  {
    const std::lock_guard lock(recent_mutex_);
    searches_.put(wanted.key(), page, page->items.size() * item_bytes_assumed, at);
  }
  count("search", "anilist");
  return FoundSearch{std::move(page), Source::anilist, at, false};
}

/// What was kept of this search, else what the catalogue finds, else what is found among the kept media.
Discovery::SearchOutcome Discovery::search_without(const Wanted& wanted, const Failure& failure) {
  if (failure.trouble == Trouble::invalid && failure.invalid_search) return std::unexpected(wrong_query(*failure.invalid_search));
  if (const auto known = remembered(wanted.key())) {
    count("search", "stale");
    return FoundSearch{known->value, Source::anilist, known->at, true};
  }
  SearchPage page;
  const bool first = wanted.page() == 1;  // what is known here is one page of items, however it is cut
  if (first && catalogue_.search) {
    try {
      page.items = catalogue_.search(wanted.text.text(), page_items);
    } catch (const std::exception& error) {
      log::warning("anilist", "the catalogue could not be searched", {{"error", error.what()}});
    }
    if (!page.items.empty()) {
      count("search", "catalogue");
      return FoundSearch{std::make_shared<const SearchPage>(std::move(page)), Source::catalogue, {}, true};
    }
  }
  std::optional<Time> fetched_at;
  if (first)
    for (KeptMedia& kept : store_.search(wanted.text.text(), page_items)) {
      fetched_at = std::min(fetched_at.value_or(kept.fetched_at), kept.fetched_at);
      page.items.push_back(std::move(kept.media));
    }
  if (!page.items.empty()) {
    count("search", "table");
    return FoundSearch{std::make_shared<const SearchPage>(std::move(page)), Source::anilist, fetched_at, true};
  }
  count("search", "none");
  return std::unexpected(anilist_unavailable(failure));
}

// ----------------------------------------------------------------------------------------------------------------------------- media

void Discovery::media(const http::Request& request, http::Responder answer) {
  const auto by = admit(request, answer);
  if (!by) return;
  if (auto wrong = json::read_query<NoParameters>(request.query); !wrong)
    return answer(to_response(problems::wrong_fields(std::move(wrong.error())), request.request_id));
  const auto id = media_id_of(request.path_param("anilistMediaId").value_or(""));
  const auto is_unknown = [&] {
    const std::lock_guard lock(recent_mutex_);
    return unknown_media_.find(std::to_string(*id), now()).has_value();
  };
  if (!id || is_unknown()) return answer(to_response(no_such_media(), request.request_id));
  Flights<MediaOutcome>::Waiter waiter = [request_id = request.request_id, known = http::known_tags(request),
                                          answer = std::move(answer)](const MediaOutcome& outcome) mutable {
    if (!outcome) return answer(to_response(outcome.error(), request_id));
    answer(http::kept_privately(http::json_response(json::to_string(*outcome)), no_epoch, known));
  };
  store_.find(*id, [this, id = *id, account = by->account, waiter = std::move(waiter)](std::optional<KeptMedia> kept) mutable {
    took_kept(id, account, std::move(kept), std::move(waiter));
  });
}

/// What is older than a day is shown as it is, and asked for anew behind the answer.
void Discovery::took_kept(std::int32_t id, UserId by, std::optional<KeptMedia> kept, Flights<MediaOutcome>::Waiter waiter) {
  const bool stale = kept && now() - kept->fetched_at > details_fresh_for;
  if (kept) {
    count("media", stale ? "stale" : "table");
    waiter(MediaAnswer{std::move(kept->media), Source::anilist, kept->fetched_at, stale});
    if (!stale) return;
    waiter = [](const MediaOutcome&) {};
  }
  fly<MediaOutcome>(
      media_flights_, std::to_string(id), by, std::move(waiter), [this, id](TimePoint deadline) { run_media(id, deadline); },
      std::unexpected(problems::overloaded()));
}

void Discovery::run_media(std::int32_t id, TimePoint deadline) { media_flights_.land(std::to_string(id), ask_media(id, deadline)); }

Discovery::MediaOutcome Discovery::ask_media(std::int32_t id, TimePoint deadline) {
  auto found = client_.media(id, deadline);
  if (!found) return media_without(id, found.error());
  const Time at = now();
  store_.keep(*found, at);
  count("media", "anilist");
  return MediaAnswer{std::move(*found), Source::anilist, at, false};
}

Discovery::MediaOutcome Discovery::media_without(std::int32_t id, const Failure& failure) {
  if (failure.trouble == Trouble::not_found) {
    store_.forget(id);
    const std::lock_guard lock(recent_mutex_);
    unknown_media_.put(std::to_string(id), true, sizeof(bool), now());
    return std::unexpected(no_such_media());
  }
  std::optional<Media> known;
  try {
    if (catalogue_.media) known = catalogue_.media(id);
  } catch (const std::exception& error) {
    log::warning("anilist", "the catalogue could not be asked", {{"error", error.what()}});
  }
  count("media", known ? "catalogue" : "none");
  if (known) return MediaAnswer{std::move(*known), Source::catalogue, {}, true};
  return std::unexpected(anilist_unavailable(failure));
}

}  // namespace bloomwatch::anilist
