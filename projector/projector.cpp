// The worker loop: open, read, fold, tell; back off when the database is down, stand by when another projector is at work.
#include "projector/projector.h"

#include <unistd.h>

#include <algorithm>
#include <exception>
#include <ranges>
#include <stdexcept>

#include "events/partition_heads.h"
#include "projector/models.h"
#include "projector/rebuild.h"
#include "runtime/config.h"
#include "runtime/logging.h"
#include "runtime/metrics.h"
#include "runtime/sleep.h"

namespace bloomwatch::projection {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

/// What the projector counts; by model where it differs.
struct Projector::Instruments {
  Instruments(Metrics& metrics, const std::vector<std::unique_ptr<StoredModel>>& models)
      : events(metrics.counter("bloomwatch_projector_events_total", "Events folded")),
        batches(metrics.histogram("bloomwatch_projector_batch_seconds", "Time to fold and flush a batch", latency_bounds())),
        stale(metrics.counter("bloomwatch_projector_stale_total", "Batches given up because another had moved the checkpoint")) {
    for (const auto& model : models) {
      const std::string name(model->name());
      by_model.emplace(name, ByModel{metrics.gauge("bloomwatch_projector_position", "Last position folded", {{"model", name}}),
                                     metrics.gauge("bloomwatch_projector_lag_events", "Events not yet folded", {{"model", name}}),
                                     metrics.gauge("bloomwatch_projector_parked_keys", "Partition keys parked", {{"model", name}})});
    }
  }

  struct ByModel {
    prometheus::Gauge& position;
    prometheus::Gauge& lag;
    prometheus::Gauge& parked;
  };
  prometheus::Counter& events;
  prometheus::Histogram& batches;
  prometheus::Counter& stale;
  std::map<std::string, ByModel, std::less<>> by_model;
};

namespace {

/// Those that `names` says, separated by commas; all if it is empty. Throws std::runtime_error for one that there is not or that is there
/// twice.
std::vector<std::unique_ptr<StoredModel>> models_named(std::string_view names) {
  if (names.empty()) return all_models();
  std::vector<std::unique_ptr<StoredModel>> models;
  for (const auto part : std::views::split(names, ',')) {
    const std::string_view name(part);
    auto model = model_named(name, Slot::live);
    if (model == nullptr) throw std::runtime_error("--models: there is no read model '" + std::string(name) + "'");
    if (std::ranges::any_of(models, [&](const auto& other) { return other->name() == name; }))
      throw std::runtime_error("--models: '" + std::string(name) + "' is there twice");
    models.push_back(std::move(model));
  }
  return models;
}

}  // namespace

ProjectorOptions options_of(const Config& config, Hub& hub, Metrics& metrics) {
  ProjectorOptions options{.database_url = config.database_url, .hub = hub, .metrics = &metrics};
  models_named(config.models);  // says now what is wrong with them
  options.make_models = [names = config.models] { return models_named(names); };
  if (config.feed != "kafka") return options;
  if (!config.models.empty()) throw std::runtime_error("--models is for the Postgres feed: the members of a Kafka group share partitions");
  if (config.kafka_bootstrap.empty()) throw std::runtime_error("the Kafka feed needs --kafka-bootstrap");
  KafkaFeedOptions kafka{kafka::options_of(config, "bloomwatch-projector-" + std::to_string(getpid())), config.database_url,
                         std::string(projector_group), &metrics};
  options.make_feed = [kafka] { return kafka_feed(kafka); };
  return options;
}

Projector::Projector(ProjectorOptions options) : options_(std::move(options)) {
  if (!options_.make_models) options_.make_models = [] { return all_models(); };
  if (!options_.make_feed) options_.make_feed = [this] { return postgres_feed(options_.database_url, options_.hub); };
  const auto models = options_.make_models();
  all_models_ = models.size() == all_models().size();
  for (const auto& model : models) positions_.emplace(std::string(model->name()), -1);
  if (options_.metrics == nullptr) return;
  instruments_ = std::make_unique<Instruments>(*options_.metrics, models);
}

Projector::~Projector() { stop(); }

void Projector::start() {
  feed_ = options_.make_feed();
  notifier_ = std::make_unique<pg::Notifier>(pg::Options{.url = options_.database_url, .application_name = "bloomwatch projector news"},
                                             "projection");
  thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
}

void Projector::stop() {
  thread_.request_stop();
  if (feed_ != nullptr) feed_->wake();
  if (thread_.joinable()) thread_.join();
  rebuild_.request_stop();  // which the thread may have begun meanwhile
  if (rebuild_.joinable()) rebuild_.join();
  ready_ = false;
  notifier_.reset();
}

std::optional<std::string> Projector::not_ready() const {
  if (!ready_) return "the projector does not follow the log";
  return feed_->not_ready();
}

Position Projector::position(std::string_view model) const {
  const auto found = positions_.find(model);
  return found == positions_.end() ? -1 : found->second.load();
}

bool Projector::wait(Position position, milliseconds timeout) const {
  const auto deadline = Clock::now() + timeout;
  for (const auto& [model, reached] : positions_)
    if (!options_.hub.wait(Hub::model_topic(model), position, std::chrono::ceil<milliseconds>(deadline - Clock::now()))) return false;
  return true;
}

void Projector::run(const std::stop_token& stop) {
  milliseconds backoff{0};
  while (!stop.stop_requested()) {
    const auto started = Clock::now();
    try {
      follow(stop);
    } catch (const StaleCheckpoint&) {
      if (instruments_) instruments_->stale.Increment();
      if (!stand_by_for_another(stop)) sleep_for(stop, stale_again_after);
      continue;
    } catch (const std::exception& error) {
      log::warning("projector", "folding was interrupted", {{"error", error.what()}});
    }
    ready_ = false;
    if (Clock::now() - started > backoff_max) backoff = milliseconds{0};
    backoff = std::min(std::max(milliseconds{50}, backoff * 2), backoff_max);
    sleep_for(stop, backoff);
  }
}

/// Lets the other do its work, while it does any. False if there is nothing to stand by for: who shares the partitions is told whose each
/// is by the group, or will be in a moment.
bool Projector::stand_by_for_another(const std::stop_token& stop) {
  if (!whole_log_) return false;
  try {
    stand_by(stop);
    return true;
  } catch (const std::exception& error) {
    log::warning("projector", "the checkpoints cannot be read", {{"error", error.what()}});
    return false;
  }
}

/// Folds until something goes wrong, or until the checkpoints must be read again.
void Projector::follow(const std::stop_token& stop) {
  Follower follower(options_.database_url, Slot::live, options_.make_models());
  while (!stop.stop_requested()) {
    reopen_ = false;
    const std::vector<std::int16_t> partitions = feed_->partitions();
    whole_log_ = std::ranges::find(partitions, Cursor::whole_log) != partitions.end();
    follower.open(partitions);
    if (!follower.outdated().empty()) rebuild_outdated(follower);
    tell(follower, {}, {});
    ready_ = true;
    while (!stop.stop_requested() && !reopen_ && feed_->partitions() == partitions) {
      const FeedBatch batch = feed_->next(follower.cursor(), options_.batch_events_max, milliseconds{1000});
      if (batch.events.empty()) continue;
      const auto started = Clock::now();
      follower.fold(batch.events);
      const Clock::duration took = Clock::now() - started;
      tell(follower, batch.events, took);
      if (batch.events.size() < options_.batch_events_max) sleep_for(stop, std::min<Clock::duration>(3 * took, rest_max));
    }
  }
}

/// Waits while another projector moves the checkpoints on, and passes the news on to this process.
void Projector::stand_by(const std::stop_token& stop) {
  static const pg::Statement positions_sql(
      "SELECT model, min(position), max(generation) FROM projection.checkpoints WHERE slot = 'live' GROUP BY model");
  pg::Connection connection(pg::Options{.url = options_.database_url, .application_name = "bloomwatch projector standby"});
  auto moved_at = Clock::now();
  Position last_sum = -1;
  while (!stop.stop_requested()) {
    Position sum = 0;
    bool ahead = false;
    for (const pg::Row row : connection.run(positions_sql)) {
      const auto model = row.get<std::string>(0);
      const auto position = row.get<Position>(1);
      const auto found = positions_.find(model);
      if (found == positions_.end()) continue;
      sum += position;
      ahead = ahead || position > found->second;
      options_.hub.publish(Hub::model_topic(model), position);
    }
    if (last_sum < 0) {  // the first look
      if (!ahead) return log::info("projector", "rows were changed by a switch or a retry: they are read again");
      log::info("projector", "another has folded further: standing by");
    }
    if (sum != last_sum) moved_at = Clock::now();
    last_sum = sum;
    if (Clock::now() - moved_at >= standby_patience) return;
    sleep_for(stop, standby_look_every);
  }
}

/// Models that an older program has folded are made anew beside their old rows; they are followed again after the switch.
void Projector::rebuild_outdated(const Follower& follower) {
  if (rebuilding_.exchange(true)) return;
  if (rebuild_.joinable()) rebuild_.join();
  rebuild_ = std::jthread([this, models = follower.outdated()](const std::stop_token& stop) {
    for (const std::string& model : models) {
      try {
        rebuild(options_.database_url, model, {.stop = stop});
        reopen_ = true;  // it is followed while the next is made anew
        feed_->wake();
      } catch (const std::exception& error) {
        log::error("projector", "a rebuild has failed", {{"model", model}, {"error", error.what()}});
        sleep_for(stop, rebuild_again_after);
      }
    }
    rebuilding_ = false;
    reopen_ = true;
    feed_->wake();
  });
}

void Projector::tell(const Follower& follower, const std::vector<RecordedEvent>& events, Clock::duration took) {
  tell_pages(follower, !events.empty());
  if (!instruments_) return;
  Position head = options_.hub.reached(Hub::log_topic);
  for (const RecordedEvent& event : events) head = std::max(head, event.meta.position);
  for (const std::string_view model : follower.followed()) {
    const auto& by_model = instruments_->by_model.find(model)->second;
    const Position position = follower.position(model);
    by_model.position.Set(static_cast<double>(position));
    // A share of the partitions is behind by what the feed has for it still; a quiet one's position says nothing.
    by_model.lag.Set(static_cast<double>(whole_log_ ? std::max<Position>(0, head - position) : feed_->behind().value_or(0)));
    by_model.parked.Set(static_cast<double>(follower.parked(model).size()));
  }
  if (events.empty()) return;
  instruments_->events.Increment(static_cast<double>(events.size()));
  instruments_->batches.Observe(std::chrono::duration<double>(took).count());
}

/// Pages that wait are woken here and in other processes: by how far each model is, or to look where all its partitions are.
void Projector::tell_pages(const Follower& follower, bool some_events) {
  Position least = -1;
  for (const std::string_view model : follower.followed()) {
    const Position position = follower.position(model);
    least = least < 0 ? position : std::min(least, position);
    positions_.find(model)->second = position;
    if (whole_log_) options_.hub.publish(Hub::model_topic(model), position);
  }
  if (!whole_log_) tell_of_checkpoints(options_.hub);
  const bool speaks_of_all = whole_log_ && all_models_ && follower.outdated().empty();
  if (some_events) notifier_->notify(speaks_of_all ? std::to_string(least) : std::string(checkpoints_moved));
}

}  // namespace bloomwatch::projection
