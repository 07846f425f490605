// The relay: copies the log to Kafka, every event once at least, first occurrences in the order of the log. It keeps nothing
// of its own: what the topic ends with says where to go on. One relays, others stand by (events/lease.h). Start here; what it asks of the
// topic is in events/relay_topic.h, what a record looks like in events/cloud_event.h.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <thread>

#include "events/ids.h"
#include "events/lease.h"
#include "runtime/hub.h"
#include "runtime/kafka.h"

namespace bloomwatch {

class Metrics;

/// What a relay needs. `hub` and `metrics` must outlive it.
struct RelayOptions {
  std::string database_url;
  kafka::Options kafka;
  Hub& hub;  ///< tells of the log's growth; without news the relay looks every `Relay::look_every`
  Metrics* metrics = nullptr;
};

/// Any thread may ask; one starts and stops.
class Relay {
 public:
  static constexpr std::size_t read_events_max = 5'000;  ///< in one statement
  /// Records that Kafka has not acknowledged yet. With many the batches are large, and cost the broker less.
  static constexpr std::size_t in_flight_max = 100'000;
  static constexpr std::size_t in_flight_kilobytes_max = 65'536;
  static constexpr std::chrono::milliseconds look_every{100};  ///< at the log, without news
  static constexpr std::chrono::milliseconds look_at_topic_every{250};
  /// Looks at the topic that go unanswered for so long are told. Less is a broker that starts anew, or a partition that changes its leader.
  static constexpr std::chrono::milliseconds silence_max{10'000};
  static constexpr std::chrono::milliseconds flush_timeout{3000};  ///< when stopped in good order
  static constexpr std::chrono::milliseconds lease_look_every{20};
  static constexpr std::chrono::milliseconds standing_by_after{500};  ///< without the lease
  static constexpr std::chrono::milliseconds backoff_max{2000};
  static constexpr std::chrono::milliseconds refused_again_after{3000};

  explicit Relay(RelayOptions options);
  ~Relay();
  Relay(const Relay&) = delete;
  Relay& operator=(const Relay&) = delete;

  /// Does not wait and does not throw for a database or a Kafka that is down. Once only.
  void start();
  /// Waits up to `flush_timeout` for what is on its way; idempotent.
  void stop();

  /// Why this relay does not copy now (it stands by, Kafka or the topic is not as it must be, Kafka has been silent for `silence_max`);
  /// nothing while it does.
  std::optional<std::string> not_ready() const;
  /// Why a process in which other parts can go on without the relay should not be used: it has not come to anything since its start, or
  /// the topic was refused. A Kafka that is down meanwhile is no reason, and standing by is none.
  std::optional<std::string> trouble() const;
  /// All events up to it are in Kafka; −1 before this relay has looked.
  Position position() const { return position_; }
  /// Waits until `position()` has come so far; for tests and tools.
  bool wait(Position position, std::chrono::milliseconds timeout) const;

 private:
  enum class State { starting, standing_by, following, refused, interrupted };
  struct Instruments;
  class Term;

  void run(const std::stop_token& stop);
  void say(State state, const std::string& why);
  void wake();
  void note_answer(bool answered);

  RelayOptions options_;
  std::unique_ptr<Instruments> instruments_;
  mutable std::mutex mutex_;
  mutable std::condition_variable changed_;
  State state_ = State::starting;  // with why_, under mutex_
  std::string why_ = "it has not started";
  bool was_of_use_ = false;              // it has followed or stood by
  kafka::Producer* producer_ = nullptr;  // to be woken; under mutex_
  // Looks at the topic have gone unanswered; under mutex_.
  std::optional<std::chrono::steady_clock::time_point> silent_since_;
  std::set<std::int16_t> with_gaps_;  // partitions that took a record and not one before it; of the thread
  std::atomic<Position> position_ = -1;
  std::unique_ptr<Lease> lease_;
  Hub::Subscription news_;
  std::jthread thread_;
};

}  // namespace bloomwatch
