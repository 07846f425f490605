// The projector: follows the feed in a thread of its own and keeps all read models folded, together and in one transaction a batch.
// A database that is down is waited for. Of several projectors on the log one works and the others stand by; on Kafka they share the
// partitions. Start here; projector/follower.h has what a batch is.
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "events/feed.h"
#include "projector/follower.h"
#include "runtime/hub.h"
#include "runtime/postgres.h"

namespace bloomwatch {
class Metrics;
struct Config;
}  // namespace bloomwatch

namespace bloomwatch::projection {

/// What NOTIFY says on channel `projection` after a flush: the position that all models have reached, or, of a share of the partitions or
/// of some models, this.
inline constexpr std::string_view checkpoints_moved = "checkpoints";

/// What a projector needs. `hub` and `metrics` must outlive it.
struct ProjectorOptions {
  std::string database_url;
  Hub& hub;
  Metrics* metrics = nullptr;
  std::size_t batch_events_max = 16'384;
  /// Where events come from and what is folded; the Postgres feed and all models unless a test says otherwise.
  std::function<std::unique_ptr<Feed>()> make_feed = {};
  std::function<std::vector<std::unique_ptr<StoredModel>>()> make_models = {};
};

/// As the settings say: `feed` postgres or kafka, and `models`. Throws std::runtime_error for Kafka without `kafka-bootstrap`, for a model
/// that there is not, and for a choice of models on Kafka.
ProjectorOptions options_of(const Config& config, Hub& hub, Metrics& metrics);

class Projector {
 public:
  /// How long the checkpoints of models that another projector has moved must stand still before this one takes over.
  static constexpr std::chrono::milliseconds standby_patience{1000};
  static constexpr std::chrono::milliseconds standby_look_every{100};
  /// After a checkpoint that was moved or rows that were changed: nothing is broken, and pages wait.
  static constexpr std::chrono::milliseconds stale_again_after{50};
  static constexpr std::chrono::milliseconds backoff_max{2000};
  /// After a batch it rests three times as long as that took, at most so long, unless a full one is waiting already: to fold one event
  /// costs about as much as to fold ten, and commands and pages need the processors too. Pages are behind by as much.
  static constexpr std::chrono::milliseconds rest_max{4};
  static constexpr std::chrono::milliseconds rebuild_again_after{10'000};  ///< one that has failed

  explicit Projector(ProjectorOptions options);
  ~Projector();
  Projector(const Projector&) = delete;
  Projector& operator=(const Projector&) = delete;

  /// Does not wait and does not throw for a database that is down.
  void start();
  /// Ends after the batch under way; idempotent.
  void stop();

  /// Whether it follows the feed, or stands by for another one that does.
  bool ready() const { return !not_ready(); }
  /// Why it does not; for Admin::add_check.
  std::optional<std::string> not_ready() const;
  /// How far a model was folded at the last flush, in the partition of its share that is least far; −1 before.
  Position position(std::string_view model) const;
  /// Waits until all models have been folded up to `position` by this projector, which reads the whole log; for tests and tools.
  bool wait(Position position, std::chrono::milliseconds timeout) const;

 private:
  struct Instruments;

  void run(const std::stop_token& stop);
  void follow(const std::stop_token& stop);
  bool stand_by_for_another(const std::stop_token& stop);
  void stand_by(const std::stop_token& stop);
  void rebuild_outdated(const Follower& follower);
  void tell(const Follower& follower, const std::vector<RecordedEvent>& events, std::chrono::steady_clock::duration took);
  void tell_pages(const Follower& follower, bool some_events);

  ProjectorOptions options_;
  std::unique_ptr<Instruments> instruments_;
  std::unique_ptr<pg::Notifier> notifier_;
  std::unique_ptr<Feed> feed_;
  std::map<std::string, std::atomic<Position>, std::less<>> positions_;
  bool all_models_ = true;  ///< it folds every model that there is
  bool whole_log_ = true;   ///< what the feed reads
  std::atomic<bool> ready_ = false;
  std::atomic<bool> reopen_ = false;
  std::atomic<bool> rebuilding_ = false;
  std::jthread rebuild_;
  std::jthread thread_;
};

}  // namespace bloomwatch::projection
