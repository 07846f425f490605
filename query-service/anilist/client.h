// Asks AniList, as often as it lets one: waits for the budget, tries again what is worth it, leaves it alone while it is down.
// Blocks the thread that asks, until its deadline at most. Clock, randomness, waiting and the wire come from outside (Surroundings), so
// that tests run hours of it in an instant.
#pragma once

#include <atomic>
#include <condition_variable>
#include <expected>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>

#include "query-service/anilist/breaker.h"
#include "query-service/anilist/media.h"
#include "query-service/anilist/pace.h"
#include "query-service/anilist/protocol.h"
#include "runtime/metrics.h"

namespace bloomwatch::anilist {

/// Why AniList has not told.
struct Failure {
  Trouble trouble = Trouble::unreachable;
  Milliseconds retry_after{0};  ///< before then it is of no use to ask again
  std::optional<std::string> invalid_search = {};
};

/// What the client reads and does.
struct Surroundings {
  std::function<TimePoint()> now;
  std::function<Time()> wall_now;
  std::function<double()> random;  ///< from 0 to before 1; safe from all threads
  /// Until that time, or until `stop` (which any thread may call, and after which it returns at once).
  std::function<void(TimePoint)> wait_until;
  std::function<void()> stop;
  std::function<std::expected<http::Response, http::NoAnswer>(const std::string& body, Milliseconds time_max)> send;
};

/// Those of a process: the machine's clocks, and `url` over verified TLS. `ca_file` empty: the system's certificates. Throws
/// std::runtime_error if `url` is not https.
Surroundings surroundings_of(const std::string& url, const std::string& ca_file);

/// Safe from all threads.
class Client {
 public:
  struct Options {
    Pace::Options pace = {};
    Breaker::Options breaker = {};
    int attempts_max = 3;
    Milliseconds attempt_max{5000};
    Milliseconds pause_first{500};  ///< the most that is waited before the second attempt; doubles
    Milliseconds pause_max{4000};
  };

  Client(Options options, Surroundings surroundings, Metrics& metrics);

  std::expected<SearchPage, Failure> search(std::string_view text, int page, TimePoint deadline);
  std::expected<Media, Failure> media(std::int32_t id, TimePoint deadline);

  /// Whether a question would be answered without AniList now: it is left alone, or its turn comes after the deadline.
  bool rests(TimePoint deadline);
  /// Whoever waits, and whoever comes later, is told `cancelled`.
  void stop();

 private:
  std::expected<std::string, Failure> ask(std::string_view operation, const std::string& body, TimePoint deadline);
  std::optional<Failure> wait_for_turn(TimePoint deadline);
  Verdict attempt(const std::string& body, TimePoint deadline, std::string& answer);
  void learn(const Verdict& verdict);
  Milliseconds pause_before(int attempt) const;
  Failure failure_of(const Verdict& verdict);
  void count(std::string_view operation, std::string_view outcome);
  void show_state();

  const Options options_;
  const Surroundings surroundings_;
  Metrics& metrics_;
  prometheus::Gauge& breaker_state_;
  prometheus::Counter& breaker_opened_;
  prometheus::Histogram& seconds_;
  std::atomic<bool> stopped_{false};
  std::mutex mutex_;  // of both machines
  Pace pace_;
  Breaker breaker_;
};

}  // namespace bloomwatch::anilist
