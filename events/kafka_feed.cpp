// The topic as a feed. A cursor is a position and never an offset: a partition is sought by the time of the cursor's event, what comes at
// or below the cursor is a repeat, and what does not follow on the event before it has left something out, which is read from the log.
// What the topic has and the log has not, after a restore without a new epoch say, is not given, nor anything after it. So whatever becomes
// of the topic, what is given is the log. Start at next().
#include <prometheus/counter.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <exception>
#include <mutex>
#include <stdexcept>
#include <thread>

#include "events/cloud_event.h"
#include "events/feed.h"
#include "events/log.h"
#include "runtime/logging.h"
#include "runtime/metrics.h"

namespace bloomwatch {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

/// How often it looks which epoch the log is in, and notes in the group how far it has read.
constexpr milliseconds look_every{1000};
/// How long a poisoned record waits for the one after it, which would say what it stands for.
constexpr milliseconds poisoned_patience{200};
constexpr milliseconds retry_every{50};
/// What the topic had and the log has not is gone if it was not read again for so long: the topic was made anew.
constexpr milliseconds foreign_patience{5000};
/// Records in one fetch that need no room ahead.
constexpr std::size_t few_records = 1000;
/// Positions of the log that one read looks at.
constexpr Position log_stretch_max = 100'000;

struct Instruments {
  explicit Instruments(Metrics& metrics)
      : records(metrics.counter("bloomwatch_kafka_feed_records_total", "Records read from Kafka")),
        repeats(metrics.counter("bloomwatch_kafka_feed_repeats_total", "Records left out because their event was given already")),
        poisoned(metrics.counter("bloomwatch_kafka_feed_poisoned_total", "Records that are no events of ours")),
        from_log(metrics.counter("bloomwatch_kafka_feed_from_log_total", "Events read from the log because Kafka has left them out")),
        rebalances(metrics.counter("bloomwatch_kafka_feed_rebalances_total", "Times that partitions came or went")) {}

  prometheus::Counter& records;
  prometheus::Counter& repeats;
  prometheus::Counter& poisoned;
  prometheus::Counter& from_log;
  prometheus::Counter& rebalances;
};

/// One partition, as far as this reader has it.
struct Part {
  bool held = false;
  bool placed = false;            ///< it is read from where its cursor says
  Position given = 0;             ///< the cursor that is expected next: of the last event given
  Position at = 0;                ///< everything up to here was given, or is none of this partition's
  std::int64_t next_offset = -1;  ///< after the last record looked at
  std::int64_t noted_offset = -1;
  std::size_t poisoned = 0;  ///< records since the last event
  Clock::time_point poisoned_at = {};
};

class KafkaFeed : public Feed {
 public:
  explicit KafkaFeed(KafkaFeedOptions options) : options_(std::move(options)), reader_(options_.database_url, "bloomwatch Kafka feed") {
    if (options_.metrics != nullptr) instruments_.emplace(*options_.metrics);
    set_trouble(options_.group.empty() ? "" : "it has not joined its consumer group yet");
  }
  ~KafkaFeed() override { records_.clear(); }  // they are the consumer's, which goes first
  KafkaFeed(const KafkaFeed&) = delete;
  KafkaFeed& operator=(const KafkaFeed&) = delete;

  std::vector<std::int16_t> partitions() override {
    if (consumer_ == nullptr) connect();
    std::vector<std::int16_t> held;
    for (std::int16_t p = 0; p < partition_count; ++p)
      if (part(p).held) held.push_back(p);
    return held;
  }

  FeedBatch next(const Cursor& cursor, std::size_t limit, milliseconds timeout) override {
    const auto deadline = Clock::now() + timeout;
    FeedBatch batch = gather(cursor, limit, deadline);
    if (std::ranges::all_of(from_topic_, [](const LogPoint& last) { return last.position == 0; })) {
      if (Clock::now() >= foreign_until_) set_foreign("");
      return batch;
    }
    set_foreign(find_foreign());
    if (foreign_.empty()) return batch;
    foreign_until_ = Clock::now() + foreign_patience;
    // Its partitions will be read from the cursor again: somebody may have put the topic or the log right meanwhile.
    while (Clock::now() < deadline && !woken_.exchange(false)) std::this_thread::sleep_for(std::min(retry_every, timeout));
    return {};
  }

  void wake() override {
    woken_ = true;
    const std::lock_guard lock(mutex_);
    if (consumer_ != nullptr) consumer_->wake();
  }

  std::optional<std::string> not_ready() const override {
    const std::lock_guard lock(mutex_);
    const std::string& why = trouble_.empty() ? foreign_ : trouble_;
    return why.empty() ? std::nullopt : std::optional(why);
  }

  std::optional<std::int64_t> behind() const override {
    std::int64_t records = 0;
    for (std::int16_t p = 0; consumer_ != nullptr && p < partition_count; ++p) {
      const auto marks = parts_[static_cast<std::size_t>(p)].placed ? consumer_->known_watermarks(p) : std::nullopt;
      const std::int64_t offset = parts_[static_cast<std::size_t>(p)].next_offset;
      if (marks && offset >= 0) records += std::max<std::int64_t>(0, marks->high - offset);
    }
    return records;
  }

 private:
  Part& part(std::int16_t partition) { return parts_.at(static_cast<std::size_t>(partition)); }

  /// What the topic has, and what it leaves out, as next() gives it; not compared with the log yet.
  FeedBatch gather(const Cursor& cursor, std::size_t limit, Clock::time_point deadline) {
    std::optional<Clock::time_point> full_by;  // once there is an event
    FeedBatch batch;
    from_topic_ = {};
    changed_ = false;
    connect();
    bool placed = place(cursor);
    while (batch.events.size() < limit && !changed_) {
      if (taken_ < records_.size()) {
        take(records_[taken_], cursor, limit, batch);
        continue;
      }
      if (stand_in_for_poisoned(cursor, limit, batch)) continue;
      const auto time = Clock::now();
      const bool some = !batch.events.empty();
      if (some && !full_by) full_by = time + options_.fill_time;
      const auto end = full_by.value_or(deadline);
      if ((!some || time < end) && woken_.exchange(false)) break;
      if (!some && time >= end) break;
      placed = placed || place(beyond(cursor, batch));
      if (!placed && changed_) break;
      auto until = end;
      if (!placed || any_poisoned()) until = std::min(until, time + retry_every);
      if (!fetch(limit - batch.events.size(), until) && some && Clock::now() >= end) break;
      // There is more: a batch that grows moves its events again and again, which costs more than reading them.
      if (!some && records_.size() >= few_records) batch.events.reserve(limit);
    }
    return batch;
  }

  // ------------------------------------------------------------------------------------------------------------------- the consumer

  /// Makes the consumer of the log's epoch; once a while looks whether that has ended, and notes offsets.
  void connect() {
    const auto time = Clock::now();
    if (consumer_ != nullptr && time < look_at_) return;
    look_at_ = time + look_every;
    std::string epoch = reader_.epoch();
    if (consumer_ != nullptr && epoch == epoch_) return note_offsets();
    if (consumer_ != nullptr) log::warning("kafka feed", "the log has begun a new epoch: its topic is read", {{"epoch", epoch}});
    disconnect();
    epoch_ = std::move(epoch);
    std::unique_ptr<kafka::Consumer> made = make_consumer();
    const std::lock_guard lock(mutex_);
    consumer_ = std::move(made);
  }

  std::unique_ptr<kafka::Consumer> make_consumer() {
    const std::map<std::string, std::string> properties = {{"fetch.error.backoff.ms", "50"}};
    if (!options_.group.empty())
      return std::make_unique<kafka::Consumer>(options_.kafka, topic_of(epoch_), group_of(options_.group, epoch_),
                                               kafka::Consumer::Rebalance{[this](const auto& partitions) { return hold(partitions); },
                                                                          [this](const auto& partitions) { let_go(partitions); }},
                                               properties);
    for (Part& each : parts_) each.held = true;
    return std::make_unique<kafka::Consumer>(options_.kafka, topic_of(epoch_), properties);
  }

  void disconnect() {
    std::unique_ptr<kafka::Consumer> gone;
    {
      const std::lock_guard lock(mutex_);
      gone = std::exchange(consumer_, nullptr);
    }
    records_.clear();  // they are the consumer's
    taken_ = 0;
    gone.reset();
    parts_ = {};
    set_foreign("");
    assigned_ = false;
    changed_ = true;
  }

  /// Where they are to be read from is known when the reader comes with its cursor.
  std::vector<kafka::Consumer::Start> hold(const std::vector<std::int16_t>& partitions) {
    for (const std::int16_t p : partitions) part(p) = Part{.held = true};
    if (!partitions.empty()) changed_ = true;
    tell_rebalance("partitions have come", partitions);
    set_trouble("");
    return {};
  }

  void let_go(const std::vector<std::int16_t>& partitions) {
    for (const std::int16_t p : partitions) part(p) = Part{};
    if (!partitions.empty()) changed_ = true;
    tell_rebalance("partitions have gone", partitions);
  }

  void tell_rebalance(std::string_view what, const std::vector<std::int16_t>& partitions) {
    std::string list;
    for (const std::int16_t p : partitions) list += (list.empty() ? "" : " ") + std::to_string(p);
    log::info("kafka feed", what, {{"partitions", list}});
    if (instruments_ && !partitions.empty()) instruments_->rebalances.Increment();
  }

  /// For people and tools that look at the group: what the reader has stored. Nothing is ever read from it.
  void note_offsets() {
    if (options_.group.empty()) return;
    std::vector<kafka::Consumer::Start> next;
    for (std::int16_t p = 0; p < partition_count; ++p) {
      Part& each = part(p);
      if (!each.placed || each.next_offset < 0 || each.next_offset == each.noted_offset) continue;
      next.push_back({p, each.next_offset});
      each.noted_offset = each.next_offset;
    }
    try {
      consumer_->commit(next);
    } catch (const kafka::Error& error) {
      log::debug("kafka feed", "offsets could not be noted", {{"error", error.what()}});
    }
  }

  void set_trouble(std::string trouble) {
    const std::lock_guard lock(mutex_);
    if (trouble == trouble_) return;
    if (!trouble.empty()) log::info("kafka feed", "waiting", {{"why", trouble}});
    trouble_ = std::move(trouble);
  }

  /// The first that was found stays said until there is none.
  void set_foreign(std::string foreign) {
    const std::lock_guard lock(mutex_);
    if (foreign.empty() == foreign_.empty()) return;
    if (!foreign.empty()) log::error("kafka feed", "nothing is given", {{"why", foreign}});
    foreign_ = std::move(foreign);
  }

  // ------------------------------------------------------------------------------------------------------------------------ reading

  /// Reads records, or whatever else the consumer has to do, until there are some or the time is up. False if there are none.
  bool fetch(std::size_t limit, Clock::time_point deadline) {
    records_.clear();
    taken_ = 0;
    const auto wait = std::max(std::chrono::ceil<milliseconds>(deadline - Clock::now()), milliseconds{0});
    if (!ask_kafka([&] { return (records_ = consumer_->consume(limit, wait)), true; })) {
      std::this_thread::sleep_until(std::min(deadline, Clock::now() + retry_every));
      return false;
    }
    if (!records_.empty()) set_trouble("");
    if (instruments_) instruments_->records.Increment(static_cast<double>(records_.size()));
    return !records_.empty();
  }

  /// What `ask` answers, or false: there is no such topic yet. After any other trouble the consumer is made anew, and the trouble thrown.
  template <class Ask>
  bool ask_kafka(Ask&& ask) {
    try {
      return ask();
    } catch (const kafka::Error& error) {
      if (!error.unknown_topic()) {
        disconnect();
        throw;
      }
      set_trouble("topic " + topic_of(epoch_) + " is not there yet");
      return false;
    }
  }

  bool any_poisoned() const {
    return std::ranges::any_of(parts_, [](const Part& each) { return each.poisoned > 0; });
  }

  /// Where the reader will be when it has the batch. What is in it would be given twice if a partition began at the cursor once more.
  static Cursor beyond(Cursor cursor, const FeedBatch& batch) {
    cursor.advance(batch.cursor);
    return cursor;
  }

  /// Sees to it that every partition of the cursor is read from there. False if that must be tried again; nothing comes of them until then.
  bool place(const Cursor& cursor) {
    std::map<Position, std::vector<std::int16_t>> wanted;
    for (const auto& [p, position] : cursor.positions) {
      if (p < 0 || p >= partition_count || !part(p).held) continue;
      Part& each = part(p);
      if (each.placed && position >= each.given) {
        each.given = position;
        each.at = std::max(each.at, position);
      } else {
        each.placed = false;
        wanted[position].push_back(p);
      }
    }
    if (!wanted.empty() && reader_.epoch() != epoch_) {
      // Whoever begins anew may do so because the log has: its cursors are of an epoch that this topic is not of.
      disconnect();
      return false;
    }
    return std::ranges::all_of(wanted, [&](const auto& one) { return ask_kafka([&] { return begin(one.second, one.first); }); });
  }

  bool begin(const std::vector<std::int16_t>& partitions, Position after) {
    const std::vector<kafka::Consumer::Start> starts = starts_after(partitions, after);
    if (options_.group.empty() && !assigned_) {
      // A reader by itself takes all at once; those that begin elsewhere are sought after it.
      std::vector<kafka::Consumer::Start> all = starts;
      for (std::int16_t p = 0; p < partition_count; ++p)
        if (std::ranges::find(partitions, p) == partitions.end()) all.push_back({p, 0});
      consumer_->assign(all);
      assigned_ = true;
    } else if (!consumer_->seek(starts)) {
      return false;
    }
    // What was read from elsewhere is not to be given.
    records_.erase(records_.begin(), records_.begin() + static_cast<std::ptrdiff_t>(std::exchange(taken_, 0)));
    std::erase_if(records_, [&](const auto& record) { return std::ranges::find(partitions, record.partition()) != partitions.end(); });
    for (const kafka::Consumer::Start& start : starts)
      part(start.partition) = Part{.held = true, .placed = true, .given = after, .at = after, .next_offset = start.offset};
    return true;
  }

  /// The first offset at which an event after the position can be: the first record that is not older than the event there. Times never
  /// decrease with positions.
  std::vector<kafka::Consumer::Start> starts_after(const std::vector<std::int16_t>& partitions, Position after) {
    std::vector<kafka::Consumer::Start> starts;
    if (after == 0) {
      for (const std::int16_t p : partitions) starts.push_back({p, 0});
      return starts;
    }
    const auto point = reader_.point(after);
    if (!point) throw std::runtime_error("the log does not reach position " + std::to_string(after) + ", which a checkpoint names");
    return consumer_->offsets_at(partitions, point->recorded_at);
  }

  // ------------------------------------------------------------------------------------------------------------------------- giving

  /// Looks at a record in its turn; it stays for another call while what it does not follow on is more than fits in the batch.
  void take(const kafka::Record& record, const Cursor& cursor, std::size_t limit, FeedBatch& batch) {
    Part& each = part(record.partition());
    if (!each.held || !each.placed || !cursor.positions.contains(record.partition())) {
      each.placed = false;  // nobody follows it now; whoever does will say from where
      ++taken_;
      return;
    }
    auto read = read_cloud_event(record.headers(headers_), record.value(), record.partition(), epoch_);
    if (!read) {
      tell_poisoned(record, read.error());
      ++each.poisoned;
      each.poisoned_at = Clock::now();
    } else if (read->event.meta.position <= each.at) {
      if (instruments_) instruments_->repeats.Increment();
    } else {
      if (read->previous > each.at) fill(record.partition(), read->previous, limit, batch);
      if (read->previous > each.at || batch.events.size() >= limit) return;
      RawEvent& event = read->event;
      note_given(event.meta, batch);
      from_topic_.at(static_cast<std::size_t>(event.meta.partition)) = {event.meta.position, event.meta.event_id, event.meta.recorded_at};
      batch.events.emplace_back(std::move(event.meta), std::string(event.type), event.schema_version, std::string(event.data));
      each.poisoned = 0;
    }
    each.next_offset = record.offset() + 1;
    ++taken_;
  }

  /// What the batch has from the topic and the log has not; empty if the log has all of it. The last event of each partition is enough: the
  /// relay adds nothing to a topic that ends with what the log does not have. It copies only what is on the log's disk, so that the log has
  /// had what is looked for since before it was in the topic.
  std::string find_foreign() {
    std::vector<Position> positions;
    for (const LogPoint& last : from_topic_)
      if (last.position > 0) positions.push_back(last.position);
    const std::map<Position, LogPoint> points = reader_.points(positions);
    for (const LogPoint& last : from_topic_) {
      const auto found = points.find(last.position);
      if (last.position == 0 || (found != points.end() && found->second.event_id == last.event_id)) continue;
      return "topic " + topic_of(epoch_) + " has event " + last.event_id.to_string() + " at position " + std::to_string(last.position) +
             ", where the log has " + (found == points.end() ? "nothing" : found->second.event_id.to_string()) +
             ": was a backup restored without `bloomwatch begin-epoch`?";
    }
    return "";
  }

  void tell_poisoned(const kafka::Record& record, const std::string& why) {
    log::error("kafka feed", "a record is no event of ours: what it stands for is read from the log",
               {{"partition", record.partition()}, {"offset", record.offset()}, {"error", why}});
    if (instruments_) instruments_->poisoned.Increment();
  }

  void note_given(const Meta& meta, FeedBatch& batch) {
    Part& each = part(meta.partition);
    each.at = each.given = meta.position;
    batch.cursor.positions[meta.partition] = meta.position;
  }

  /// Gives what the log has of the partition up to a position, as far as there is room. Returns how many events.
  std::size_t fill(std::int16_t p, Position until, std::size_t limit, FeedBatch& batch) {
    Part& each = part(p);
    const Position after = each.at;
    std::size_t given = 0;
    while (each.at < until && batch.events.size() < limit) {
      const std::size_t room = limit - batch.events.size();
      const Position stretch = std::min(until, each.at + log_stretch_max);
      std::vector<RecordedEvent> events = reader_.read_partition(p, each.at, stretch, room);
      const bool whole = events.size() < room;
      given += events.size();
      for (RecordedEvent& event : events) {
        note_given(event.meta, batch);
        batch.events.push_back(std::move(event));
      }
      if (whole) each.at = stretch;
    }
    if (given == 0) return 0;
    log::warning("kafka feed", "the topic leaves events out: they were read from the log",
                 {{"partition", p}, {"after", after}, {"until", each.at}, {"events", given}});
    if (instruments_) instruments_->from_log.Increment(static_cast<double>(given));
    return given;
  }

  /// A poisoned record at the end of its partition: no record after it tells what was there, so the log does. Each stands for one event at
  /// most. True if there was one.
  bool stand_in_for_poisoned(const Cursor& cursor, std::size_t limit, FeedBatch& batch) {
    bool some = false;
    for (std::int16_t p = 0; p < partition_count; ++p) {
      Part& each = part(p);
      if (each.poisoned == 0 || Clock::now() - each.poisoned_at < poisoned_patience) continue;
      const std::size_t count = std::exchange(each.poisoned, 0);
      if (!each.placed || !cursor.positions.contains(p)) continue;
      const Position head = reader_.head().position;
      const std::size_t enough = std::min(limit, batch.events.size() + count);
      some = fill(p, head, enough, batch) > 0 || some;
    }
    return some;
  }

  KafkaFeedOptions options_;
  std::optional<Instruments> instruments_;
  LogReader reader_;
  std::string epoch_;
  std::array<Part, partition_count> parts_;
  std::vector<kafka::Record> records_;  ///< read, and looked at one by one
  std::size_t taken_ = 0;               ///< of them
  std::array<kafka::Header, kafka::Record::headers_max> headers_;
  std::array<LogPoint, partition_count> from_topic_ = {};  ///< the last event of each partition that the batch has from there
  bool changed_ = false;                                   ///< the partitions, since `next` was called
  bool assigned_ = false;                                  ///< of a reader by itself: it has told the consumer
  Clock::time_point look_at_ = {};
  Clock::time_point foreign_until_ = {};
  std::atomic<bool> woken_ = false;
  mutable std::mutex mutex_;  ///< for those below, as others see them
  std::string trouble_;
  std::string foreign_;                        ///< what the topic has and the log has not
  std::unique_ptr<kafka::Consumer> consumer_;  // last: its callbacks come here
};

}  // namespace

std::string group_of(std::string_view group, std::string_view epoch) { return std::string(group) + '.' + std::string(epoch); }

std::unique_ptr<Feed> kafka_feed(KafkaFeedOptions options) { return std::make_unique<KafkaFeed>(std::move(options)); }

}  // namespace bloomwatch
