// Filling, following, waiting, asking.
#include "query-service/search/catalog_search.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "runtime/logging.h"
#include "runtime/sleep.h"

namespace bloomwatch::search {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t puts_at_once = 16;  // while queries wait
constexpr std::chrono::milliseconds retry_after{500};
constexpr double titles_most = 1000;  // so many make a studio as popular as can be

pg::Options connection_options(const std::string& database_url) {
  pg::Options options;
  options.url = database_url;
  options.application_name = "bloomwatch search";
  options.settings = {
      {"default_transaction_read_only", "on"}, {"jit", "off"}, {"enable_seqscan", "off"}, {"plan_cache_mode", "force_generic_plan"}};
  return options;
}

/// Changes something that queries read.
template <class Held, class Change>
void change(Held& held, const Change& what) {
  const std::lock_guard first(held.turnstile);
  const std::unique_lock lock(held.mutex);
  what();
}

/// While it lives, nothing changes.
template <class Held>
std::shared_lock<std::shared_mutex> read_lock(const Held& held) {
  const std::lock_guard after_changes(held.turnstile);
  return std::shared_lock(held.mutex);
}

Problem being_filled() {
  return problems::read_model_behind().with_detail("The search index is being filled; it takes a few seconds after a start.");
}

}  // namespace

CatalogSearch::CatalogSearch(std::string database_url, Hub& hub, Metrics& metrics)
    : database_url_(std::move(database_url)),
      hub_(hub),
      titles_gauge_(metrics.gauge("bloomwatch_search_titles", "Titles in the search index")),
      seconds_(metrics.histogram("bloomwatch_search_seconds", "What a query takes in the index, waiting not included", latency_bounds())),
      held_(std::make_shared<Held>()),
      pool_("search", threads, queue_max) {
  const auto tell = [this](std::int64_t) {
    const std::lock_guard lock(news_mutex_);
    told_ = true;
    news_.notify_one();
  };
  subscriptions_.push_back(hub_.subscribe(Hub::model_topic("catalog"), tell));
  subscriptions_.push_back(hub_.subscribe(checkpoints_topic, tell));
  thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
}

CatalogSearch::~CatalogSearch() {
  subscriptions_.clear();
  thread_.request_stop();
  if (thread_.joinable()) thread_.join();
  pool_.stop();
  const std::lock_guard lock(waiting_mutex_);
  for (auto& [position, asking] : waiting_) asking.answer(std::unexpected(problems::read_model_behind()));
  waiting_.clear();
}

std::shared_ptr<CatalogSearch::Held> CatalogSearch::held() const {
  const std::lock_guard lock(held_mutex_);
  return held_;
}

std::size_t CatalogSearch::titles() const {
  const auto now = held();
  const auto lock = read_lock(*now);
  return now->titles.size();
}

// ------------------------------------------------------------------------------------------------------------------------- following

void CatalogSearch::run(const std::stop_token& stop) {
  bool said = false;
  while (!stop.stop_requested()) {
    try {
      follow(stop);
    } catch (const std::exception& error) {
      if (!std::exchange(said, true)) log::warning("search", "the catalogue cannot be followed; trying again", {{"error", error.what()}});
    }
    sleep_for(stop, retry_after);
  }
}

void CatalogSearch::follow(const std::stop_token& stop) {
  pg::Connection connection(connection_options(database_url_));
  seen_.reset();  // behind a lost connection there may be other rows at the positions that were seen
  while (!stop.stop_requested()) {
    look(connection, stop);
    refuse_late();
    pause(stop);
  }
}

/// Until there is news; while somebody waits, not for long, as news may be lost.
void CatalogSearch::pause(const std::stop_token& stop) {
  bool somebody;
  {
    const std::lock_guard lock(waiting_mutex_);
    somebody = !waiting_.empty();
  }
  sleep_for(stop, look_spacing);
  std::unique_lock lock(news_mutex_);
  if (!somebody) news_.wait_for(lock, stop, look_every - look_spacing, [this] { return told_; });
  told_ = false;
}

void CatalogSearch::look(pg::Connection& connection, const std::stop_token& stop) {
  CatalogState state = read_state(connection);
  if (!seen_ || seen_->life != state.life) return fill(connection, std::move(state), stop);
  const auto now = held();
  bool moved = false;
  for (std::int16_t partition = 0; partition < partition_count; ++partition)
    moved = moved || state.checkpoint(static_cast<std::size_t>(partition)) != seen_->checkpoint(static_cast<std::size_t>(partition));
  if (moved) {
    read_changes(connection, *seen_, [&](std::vector<TitleChange> changes) {
      put(*now, std::move(changes));
      return !stop.stop_requested();
    });
    if (stop.stop_requested()) return;
    compact();
    seen_ = state;
  }
  set_reached(state);
}

/// Anew, beside what is asked meanwhile.
void CatalogSearch::fill(pg::Connection& connection, CatalogState state, const std::stop_token& stop) {
  const auto began = Clock::now();
  studios_of_.clear();
  titles_of_.clear();
  const auto fresh = std::make_shared<Held>();
  read_all(connection, [&](std::vector<TitleChange> changes) {
    put(*fresh, std::move(changes));
    return !stop.stop_requested();
  });
  if (stop.stop_requested()) return;
  {
    const std::lock_guard lock(held_mutex_);
    held_ = fresh;
  }
  seen_ = std::move(state);
  const auto milliseconds = std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - began).count();
  log::info("search", "the index is filled", {{"titles", fresh->titles.size()}, {"milliseconds", milliseconds}});
  reached_ = -1;  // of another life the positions may be lower
  set_reached(*seen_);
  ready_ = true;
}

/// Words are made before the lock, which is let go of now and then.
void CatalogSearch::put(Held& into, std::vector<TitleChange> changes) {
  std::map<std::string, StudioName> credited;
  for (std::size_t first = 0; first < changes.size(); first += puts_at_once) {
    std::vector<Prepared> puts;
    std::vector<Uuid> removed;
    for (std::size_t i = first; i < std::min(changes.size(), first + puts_at_once); ++i) {
      TitleChange& title = changes[i];
      credit(title.document.id, std::move(title.studios), credited);
      if (title.gone)
        removed.push_back(title.document.id);
      else
        puts.push_back(prepare(std::move(title.document), normaliser_));
    }
    change(into, [&] {
      for (const Prepared& title : puts) into.titles.put(title);
      for (const Uuid& id : removed) into.titles.remove(id);
    });
  }
  const auto studios = studio_documents(credited);
  for (std::size_t first = 0; first < studios.size(); first += puts_at_once)
    change(into, [&] {
      for (std::size_t i = first; i < std::min(studios.size(), first + puts_at_once); ++i) {
        const auto card = std::static_pointer_cast<const StudioCard>(studios[i].document.card);
        if (card->titles == 0) {
          into.studios.remove(studios[i].document.id);
          into.cards.erase(card->slug);
        } else {
          into.studios.put(studios[i]);
          into.cards[card->slug] = card;
        }
      }
    });
}

/// Notes which studios a title has now, and whose count or name that changes.
void CatalogSearch::credit(const Uuid& title, std::vector<StudioName> studios, std::map<std::string, StudioName>& changed) {
  std::vector<StudioName>& before = studios_of_[title];
  if (before == studios) return;
  for (const StudioName& studio : before) {
    --titles_of_[studio.slug];
    changed.try_emplace(studio.slug, studio);
  }
  for (const StudioName& studio : studios) {
    ++titles_of_[studio.slug];
    changed.insert_or_assign(studio.slug, studio);
  }
  before = std::move(studios);
}

std::vector<Prepared> CatalogSearch::studio_documents(const std::map<std::string, StudioName>& changed) {
  std::vector<Prepared> documents;
  for (const auto& [slug, studio] : changed) {
    const std::int64_t titles = titles_of_[slug];
    if (titles == 0) titles_of_.erase(slug);
    Document document{.id = listing_of("studio", slug).uuid, .names = {studio.name}};
    document.popularity = static_cast<float>(std::min(1.0, std::log1p(static_cast<double>(titles)) / std::log1p(titles_most)));
    document.card = std::make_shared<const StudioCard>(slug, studio.name, titles);
    documents.push_back(prepare(std::move(document), normaliser_));
  }
  return documents;
}

/// The copy is made while queries go on: nobody else changes what it is made of.
void CatalogSearch::compact() {
  const auto now = held();
  if (!now->titles.worth_compacting() && !now->studios.worth_compacting()) return;
  const auto fresh = std::make_shared<Held>();
  fresh->titles = now->titles.compacted();
  fresh->studios = now->studios.compacted();
  fresh->cards = now->cards;
  const std::lock_guard lock(held_mutex_);
  held_ = fresh;
}

Position CatalogSearch::position_of(const CatalogState& state) {
  if (!state.model.by_partition) return state.model.position;
  if (heads_ == nullptr) heads_ = std::make_unique<PartitionHeads>(database_url_, hub_);
  return heads_->folded_up_to(*state.model.by_partition);
}

void CatalogSearch::set_reached(const CatalogState& state) {
  titles_gauge_.Set(static_cast<double>(held()->titles.size()));
  const Position position = position_of(state);
  if (position > reached_) reached_ = position;
  wake(reached_);
}

// ------------------------------------------------------------------------------------------------------------------ waiting and asking

void CatalogSearch::ask(Query query, bool studios, Position at_least, Clock::time_point deadline, Answer answer) {
  if (!ready_) return answer(std::unexpected(being_filled()));
  Asking asking{std::move(query), studios, deadline, std::move(answer)};
  if (reached_ >= at_least) return submit(std::move(asking));
  {
    std::unique_lock lock(waiting_mutex_);
    if (waiting_.size() >= waiting_max) {
      lock.unlock();
      return asking.answer(std::unexpected(problems::overloaded()));
    }
    waiting_.emplace(at_least, std::move(asking));
  }
  {
    const std::lock_guard lock(news_mutex_);
    told_ = true;
    news_.notify_one();
  }
  wake(reached_);  // it may have got there meanwhile
}

void CatalogSearch::wake(Position reached) {
  std::vector<Asking> woken;
  {
    const std::lock_guard lock(waiting_mutex_);
    while (!waiting_.empty() && waiting_.begin()->first <= reached) {
      woken.push_back(std::move(waiting_.begin()->second));
      waiting_.erase(waiting_.begin());
    }
  }
  for (Asking& asking : woken) submit(std::move(asking));
}

void CatalogSearch::refuse_late() {
  std::vector<Asking> late;
  {
    const std::lock_guard lock(waiting_mutex_);
    for (auto asking = waiting_.begin(); asking != waiting_.end();) {
      if (asking->second.deadline > Clock::now()) {
        ++asking;
        continue;
      }
      late.push_back(std::move(asking->second));
      asking = waiting_.erase(asking);
    }
  }
  for (Asking& asking : late) asking.answer(std::unexpected(problems::read_model_behind()));
}

void CatalogSearch::submit(Asking asking) {
  auto shared = std::make_shared<Asking>(std::move(asking));
  WorkPool::Job job = [this, shared] {
    try {
      shared->answer(find(shared->query, shared->studios));
    } catch (const std::exception& error) {
      log::error("search", "a query failed", {{"error", error.what()}});
      throw;
    }
  };
  if (!pool_.submit(job)) shared->answer(std::unexpected(problems::overloaded()));
}

CatalogFound CatalogSearch::find(const Query& query, bool studios) {
  std::unique_ptr<Workspace> workspace;
  {
    const std::lock_guard lock(workspaces_mutex_);
    if (!workspaces_.empty()) {
      workspace = std::move(workspaces_.back());
      workspaces_.pop_back();
    }
  }
  if (!workspace) workspace = std::make_unique<Workspace>();
  CatalogFound found;
  found.position = reached_;
  const auto began = Clock::now();
  {
    const auto now = held();
    const auto lock = read_lock(*now);
    found.titles = search::find(now->titles, query, *workspace);
    for (const FacetCount& studio : found.titles.facets[static_cast<std::size_t>(Facet::studio)]) {
      const auto card = now->cards.find(studio.value);
      found.names_of_studios.push_back(card == now->cards.end() ? studio.value : card->second->name);
    }
    if (studios && !query.text.empty())
      for (const Hit& hit : search::find(now->studios, {.text = query.text, .limit = studios_shown_max}, *workspace).hits)
        found.studios.push_back(*std::static_pointer_cast<const StudioCard>(hit.card));
  }
  seconds_.Observe(std::chrono::duration<double>(Clock::now() - began).count());
  const std::lock_guard lock(workspaces_mutex_);
  workspaces_.push_back(std::move(workspace));
  return found;
}

}  // namespace bloomwatch::search
