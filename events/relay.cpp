// The relay's thread: wait for the lease, measure the topic, copy until something is not as expected, begin again.
#include "events/relay.h"

#include <algorithm>
#include <deque>
#include <exception>
#include <future>

#include "events/cloud_event.h"
#include "events/log.h"
#include "events/relay_topic.h"
#include "runtime/logging.h"
#include "runtime/metrics.h"
#include "runtime/sleep.h"

namespace bloomwatch {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

}  // namespace

struct Relay::Instruments {
  explicit Instruments(Metrics& metrics)
      : position(metrics.gauge("bloomwatch_relay_position", "All events up to this position are in Kafka")),
        lag(metrics.gauge("bloomwatch_relay_lag_events", "Events of the log that are not in Kafka yet")),
        following(metrics.gauge("bloomwatch_relay_following", "1 while this relay copies, 0 while it stands by or cannot")),
        events(metrics.counter("bloomwatch_relay_events_total", "Events that Kafka has acknowledged")),
        batches(metrics.counter("bloomwatch_relay_batches_total", "Reads of the log that had events")),
        interruptions(metrics.counter("bloomwatch_relay_interruptions_total", "Times that copying began again from the topic's tails")),
        latency(metrics.histogram("bloomwatch_relay_seconds",
                                  "From an event's recording to Kafka's acknowledgement, for events of the last minute",
                                  latency_bounds())) {}

  prometheus::Gauge& position;
  prometheus::Gauge& lag;
  prometheus::Gauge& following;
  prometheus::Counter& events;
  prometheus::Counter& batches;
  prometheus::Counter& interruptions;
  prometheus::Histogram& latency;
};

namespace {

constexpr milliseconds latency_of_interest{60'000};  // what is older was refilled, and says nothing about latency
constexpr Position scan_step = 1'000'000;
constexpr std::uint64_t partition_bits = 4;
static_assert(1 << partition_bits == partition_count);

/// The positions from the first one that Kafka has not acknowledged to the last one handed over. They are dense, so a deque will do.
class InFlight {
 public:
  explicit InFlight(Position relayed) : relayed_(relayed) {}

  /// The next position: handed over, or known to be there.
  void add(Time recorded_at, bool there) { entries_.push_back({recorded_at, there}); }
  /// Returns when it was recorded.
  Time acknowledge(Position position) {
    Entry& entry = entries_[static_cast<std::size_t>(position - relayed_ - 1)];
    entry.there = true;
    return entry.recorded_at;
  }
  /// The last position up to which all are there.
  Position advance() {
    while (!entries_.empty() && entries_.front().there) {
      entries_.pop_front();
      ++relayed_;
    }
    return relayed_;
  }

 private:
  struct Entry {
    Time recorded_at;
    bool there;
  };
  Position relayed_;
  std::deque<Entry> entries_;
};

/// Where to begin: before the first event that a partition of the topic has not.
Position first_to_read(LogReader& log, const PartitionTails& tails, const std::function<bool()>& going_on) {
  std::array<Position, partition_count> seen{};
  std::ranges::transform(tails, seen.begin(), &PartitionTail::position);
  const Position head = log.head().position;
  for (Position after = std::ranges::min(seen); after < head && going_on(); after += scan_step) {
    if (const auto unseen = log.first_unseen(seen, after, std::min(after + scan_step, head))) return *unseen - 1;
  }
  return head;
}

}  // namespace

// ----------------------------------------------------------------------------------------------------------------------------- a term

/// From gaining the lease to losing it, or to the first thing that is not as expected (which is thrown). Whatever becomes of it, the next
/// term goes on from the topic's tails. What a producer sends is gapless from where the topic ended or before, so whatever several of them
/// have sent (one that was stopped and woke up, say), the first occurrences in the topic are in order and without a gap.
class Relay::Term {
 public:
  Term(Relay& relay, const std::stop_token& stop)
      : relay_(relay),
        stop_(stop),
        log_(relay.options_.database_url, "bloomwatch relay"),
        epoch_(log_.epoch()),
        headers_(epoch_),
        topic_(relay.options_.kafka, epoch_) {}
  ~Term() { be_woken(nullptr); }
  Term(const Term&) = delete;
  Term& operator=(const Term&) = delete;

  void run() {
    open();
    while (going_on()) {
      if (worth_reading()) read();
      const bool more = last_read_ == read_events_max;
      producer_->poll(more ? milliseconds{0} : look_every);
      check_deliveries();
      if (Clock::now() >= look_at_topic_) look_at_topic();
    }
    if (stop_.stop_requested() && !lost_) {
      producer_->flush(flush_timeout);
      check_deliveries();
    }
  }

 private:
  /// False for good once the lease was lost: one that comes back belongs to the next term.
  bool going_on() {
    if (!relay_.lease_->held()) lost_ = true;
    return !lost_ && !stop_.stop_requested();
  }

  void open() {
    const auto started = Clock::now();
    topic_.make_or_check();
    tails_ = topic_.read_tails(log_, relay_.with_gaps_);
    relay_.with_gaps_.clear();
    read_ = first_to_read(log_, tails_, [this] { return going_on(); });
    in_flight_ = InFlight(read_);
    std::vector<std::int64_t> next_offsets(tails_.size());
    std::ranges::transform(tails_, next_offsets.begin(), &PartitionTail::next_offset);
    producer_ = std::make_unique<kafka::Producer>(
        relay_.options_.kafka, topic_.name(), [this](const kafka::Delivery& delivery) { delivered(delivery); },
        std::map<std::string, std::string>{{"linger.ms", "1"},
                                           {"queue.buffering.max.messages", std::to_string(in_flight_max)},
                                           {"queue.buffering.max.kbytes", std::to_string(in_flight_kilobytes_max)},
                                           {"reconnect.backoff.ms", "50"},
                                           {"reconnect.backoff.max.ms", "1000"},
                                           {"retry.backoff.ms", "50"}},
        next_offsets);
    be_woken(producer_.get());
    relay_.note_answer(true);
    look_at_topic_ = Clock::now() + look_at_topic_every;
    relay_.say(State::following, "");
    log::info(
        "relay", "copying the log to Kafka",
        {{"topic", topic_.name()}, {"after", read_}, {"milliseconds", std::chrono::ceil<milliseconds>(Clock::now() - started).count()}});
    check_deliveries();
  }

  /// Whether the log is longer than what was read, or may be.
  bool worth_reading() const {
    return last_read_ == read_events_max || relay_.options_.hub.reached(Hub::log_topic) > read_ || Clock::now() >= read_at_ + look_every;
  }

  /// While one full batch is handed over, the next one is fetched.
  void read() {
    read_at_ = Clock::now();
    const RawBatch batch = ahead_.valid() ? ahead_.get() : fetch(read_);
    last_read_ = batch.size();
    if (last_read_ == read_events_max) ahead_ = std::async(std::launch::async, [this, after = batch.last()] { return fetch(after); });
    batch.each([this](const RawEvent& event) { copy(event); });
    if (last_read_ > 0 && relay_.instruments_) relay_.instruments_->batches.Increment();
  }

  /// Kafka would keep what a crash of Postgres takes away, so what is handed over is on disk.
  RawBatch fetch(Position after) {
    RawBatch batch = log_.fetch(after, read_events_max);
    if (batch.size() > 0 && batch.last() > on_disk_) {
      const Position head = log_.head().position;
      log_.await_durable();
      on_disk_ = head;
    }
    return batch;
  }

  void copy(const RawEvent& event) {
    if (!going_on()) return;
    const Meta& meta = event.meta;
    PartitionTail& tail = tails_[static_cast<std::size_t>(meta.partition)];
    const bool there = meta.position <= tail.position;
    if (!there) {
      const auto headers = headers_.of(event, tail.position);
      key_.clear();
      meta.partition_key.uuid.append_to(key_);
      const std::uint64_t tag = static_cast<std::uint64_t>(meta.position) << partition_bits | static_cast<std::uint64_t>(meta.partition);
      while (!producer_->produce(meta.partition, key_, event.data, headers, meta.recorded_at, tag)) {
        producer_->poll(look_every);
        if (!going_on()) return;
      }
      tail.position = meta.position;
    }
    in_flight_.add(meta.recorded_at, there);
    read_ = meta.position;
  }

  /// In librdkafka's poll: remembers what is wrong, and check_deliveries() throws it.
  void delivered(const kafka::Delivery& delivery) {
    if (failure_) return;
    if (delivery.error) {
      failure_ = delivery.error;
      if (delivery.error->gap()) relay_.with_gaps_.insert(static_cast<std::int16_t>(delivery.tag % partition_count));
      return;
    }
    const auto position = static_cast<Position>(delivery.tag >> partition_bits);
    const Time recorded_at = in_flight_.acknowledge(position);
    if (!relay_.instruments_) return;
    relay_.instruments_->events.Increment();
    if (const milliseconds took = now() - recorded_at; took < latency_of_interest)
      relay_.instruments_->latency.Observe(std::chrono::duration<double>(took).count());
  }

  void check_deliveries() {
    if (failure_) throw kafka::Error(*failure_);
    const Position relayed = in_flight_.advance();
    relay_.position_ = relayed;
    if (relay_.instruments_) {
      relay_.instruments_->position.Set(static_cast<double>(relayed));
      relay_.instruments_->lag.Set(static_cast<double>(std::max(relay_.options_.hub.reached(Hub::log_topic), read_) - relayed));
    }
    relay_.changed_.notify_all();
  }

  /// One partition after the other, while copying goes on: that the topic still has what it had, and forgets nothing. And that the log is
  /// still of this epoch.
  void look_at_topic() {
    if (look_.valid()) {
      if (look_.wait_for(milliseconds{0}) != std::future_status::ready) return;
      const TopicLook found = look_.get();
      if (found == TopicLook::lacks_records) throw kafka::Error("the topic was made anew or has lost records", 0);
      relay_.note_answer(found != TopicLook::no_answer);
      if (looked_at_ == 0 && !ahead_.valid() && log_.epoch() != epoch_) throw kafka::Error("the log has begun a new epoch", 0);
    }
    look_at_topic_ = Clock::now() + look_at_topic_every;
    const std::int64_t next_offset = producer_->next_offset(looked_at_);
    look_ = std::async(std::launch::async, [this, partition = looked_at_, next_offset] { return topic_.look(partition, next_offset); });
    looked_at_ = static_cast<std::int16_t>((looked_at_ + 1) % partition_count);
  }

  void be_woken(kafka::Producer* producer) {
    const std::lock_guard lock(relay_.mutex_);
    relay_.producer_ = producer;
  }

  Relay& relay_;
  std::stop_token stop_;
  LogReader log_;
  std::string epoch_;
  CloudEventHeaders headers_;
  std::string key_;  ///< of the event being copied; kept for its room
  RelayTopic topic_;
  PartitionTails tails_{};  // position: handed over; next_offset: of the beginning, then the producer counts
  Position read_ = 0;
  Position on_disk_ = 0;  ///< up to it the log is known to be on disk; of whoever fetches
  InFlight in_flight_{0};
  std::size_t last_read_ = 0;
  Clock::time_point read_at_{};
  Clock::time_point look_at_topic_{};
  std::int16_t looked_at_ = 0;
  bool lost_ = false;
  std::optional<kafka::Error> failure_;
  std::unique_ptr<kafka::Producer> producer_;  // goes before what its deliveries touch
  // Last, so that what they still do ends first.
  std::future<RawBatch> ahead_;
  std::future<TopicLook> look_;
};

// ---------------------------------------------------------------------------------------------------------------------------- the relay

Relay::Relay(RelayOptions options) : options_(std::move(options)) {
  if (options_.metrics != nullptr) instruments_ = std::make_unique<Instruments>(*options_.metrics);
}

Relay::~Relay() { stop(); }

void Relay::start() {
  news_ = options_.hub.subscribe(Hub::log_topic, [this](Position) { wake(); });
  // The lease's thread: both must be quick.
  lease_ = std::make_unique<Lease>(options_.database_url, LeaseName::relay, Lease::Callbacks{[this] { wake(); }, [this] { wake(); }});
  thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
}

void Relay::stop() {
  thread_.request_stop();
  wake();
  if (thread_.joinable()) thread_.join();
  news_.reset();
  lease_.reset();
}

void Relay::run(const std::stop_token& stop) {
  milliseconds backoff{0};
  auto held_at = Clock::now();
  while (!stop.stop_requested()) {
    if (!lease_->held()) {
      // Whoever just came, or just lost it, is given the time to get it.
      if (Clock::now() >= held_at + standing_by_after) say(State::standing_by, "it stands by: another relay copies");
      sleep_for(stop, lease_look_every);
      continue;
    }
    const auto started = held_at = Clock::now();
    milliseconds again_after{0};
    try {
      Term(*this, stop).run();
      held_at = Clock::now();
      continue;
    } catch (const TopicRefused& refused) {
      say(State::refused, refused.what());
      again_after = refused_again_after;
    } catch (const std::exception& error) {
      say(State::interrupted, error.what());
      if (Clock::now() - started > backoff_max) backoff = milliseconds{0};
      again_after = backoff = std::min(std::max(milliseconds{50}, backoff * 2), backoff_max);
    }
    if (instruments_) instruments_->interruptions.Increment();
    sleep_for(stop, again_after);
  }
  say(State::starting, "it has stopped");
}

void Relay::say(State state, const std::string& why) {
  {
    const std::lock_guard lock(mutex_);
    if (state == state_ && why == why_) return;
    state_ = state;
    why_ = why;
    if (state == State::following || state == State::standing_by) was_of_use_ = true;
  }
  if (instruments_) instruments_->following.Set(state == State::following ? 1 : 0);
  if (state == State::refused) log::error("relay", "the topic is not copied to", {{"error", why}});
  if (state == State::interrupted) log::warning("relay", "copying was interrupted", {{"error", why}});
  if (state == State::standing_by) log::info("relay", "standing by");
  changed_.notify_all();
}

void Relay::note_answer(bool answered) {
  const std::lock_guard lock(mutex_);
  if (answered)
    silent_since_.reset();
  else if (!silent_since_)
    silent_since_ = Clock::now();
}

std::optional<std::string> Relay::not_ready() const {
  const std::lock_guard lock(mutex_);
  if (state_ != State::following) return why_;
  const auto silence = silent_since_ ? Clock::now() - *silent_since_ : Clock::duration{0};
  if (silence < silence_max) return std::nullopt;
  return "Kafka has not answered for " + std::to_string(std::chrono::floor<std::chrono::seconds>(silence).count()) + " s";
}

std::optional<std::string> Relay::trouble() const {
  const std::lock_guard lock(mutex_);
  if (state_ == State::refused || !was_of_use_) return why_;
  return std::nullopt;
}

bool Relay::wait(Position position, milliseconds timeout) const {
  std::unique_lock lock(mutex_);
  const auto deadline = Clock::now() + timeout;
  while (position_ < position) {  // looked at again now and then: its changes are told without the lock
    if (Clock::now() >= deadline) return false;
    changed_.wait_for(lock, look_every);
  }
  return true;
}

void Relay::wake() {
  const std::lock_guard lock(mutex_);
  if (producer_ != nullptr) producer_->wake();
}

}  // namespace bloomwatch
