// Apache Kafka as BloomWatch speaks it: librdkafka's C API behind RAII. Only this, the relay and the Kafka feed know of it; no rdkafka
// header is needed to include this one. Any property of librdkafka can be set from outside (SASL, TLS, …); what ours must be is said at
// each class. Source: librdkafka's INTRODUCTION.md and CONFIGURATION.md (2.0).
#pragma once

#include <chrono>
#include <cstdint>
#include <exception>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "runtime/time.h"

struct rd_kafka_s;
struct rd_kafka_topic_s;
struct rd_kafka_message_s;
struct rd_kafka_queue_s;

namespace bloomwatch {
struct Config;
}

namespace bloomwatch::kafka {

using Milliseconds = std::chrono::milliseconds;

/// Kafka said no, or could not be asked. Infrastructure: thrown, and caught in a worker loop.
class Error : public std::runtime_error {
 public:
  /// `code` is librdkafka's (rd_kafka_resp_err_t).
  Error(const std::string& message, int code) : std::runtime_error(message), code_(code) {}
  int code() const { return code_; }
  /// The topic is not there (yet).
  bool unknown_topic() const;
  /// Records before this one are missing from the topic, though they were taken.
  bool gap() const;

 private:
  int code_;
};

/// How to reach Kafka.
struct Options {
  std::string bootstrap;                     ///< `host:port`, or several by commas
  std::vector<std::string> properties = {};  ///< `name=value` each, of librdkafka's; they win over ours
  std::string client_id = "bloomwatch";      ///< what the broker's logs and `bloomwatch lag` show
};

/// What a program was told. Throws std::runtime_error for a property that is not `name=value`.
Options options_of(const Config& config, std::string client_id);

/// A record's header. Views: of the caller's text when produced, of the record when consumed.
struct Header {
  std::string_view name;
  std::string_view value;
};

// ---------------------------------------------------------------------------------------------------------------------------- topics

/// A topic as the cluster describes it.
struct Topic {
  int partitions = 0;
  int replicas = 0;                                    ///< of its first partition
  std::map<std::string, std::string> properties = {};  ///< all of its configuration, defaults included
};

/// Offsets of one partition: the first that is kept, and the one that the next record will get.
struct Watermarks {
  std::int64_t low = 0;
  std::int64_t high = 0;
};

/// What a topic and its cluster are asked and told outside of producing and consuming. For one thread.
class Admin {
 public:
  static constexpr Milliseconds request_timeout{10'000};

  explicit Admin(const Options& options);
  ~Admin();
  Admin(const Admin&) = delete;
  Admin& operator=(const Admin&) = delete;

  /// How many brokers answer. Throws Error when none does.
  int brokers();
  /// Nothing if there is no such topic. Asks twice, and waits for each answer up to `timeout`.
  std::optional<Topic> describe(const std::string& topic, Milliseconds timeout = request_timeout);
  /// Throws Error; a topic that is there already is left alone and told by `false`. Waits until it can be described.
  bool create(const std::string& topic, int partitions, int replicas, const std::map<std::string, std::string>& properties);
  /// Removes a topic and all its records; for tests and operators. False if there was none.
  bool remove(const std::string& topic);
  /// Removes the records of a partition before `offset`; the next record's offset stays what it is. Throws Error.
  void remove_records(const std::string& topic, std::int16_t partition, std::int64_t offset);

  /// A member of a consumer group and the partitions of `topic` that it holds.
  struct Member {
    std::string client_id;
    std::string host;
    std::vector<std::int16_t> partitions = {};
  };
  /// The members of a group; empty if it has none. Throws Error.
  std::vector<Member> members(const std::string& group, const std::string& topic);

 private:
  rd_kafka_s* kafka_;
};

// -------------------------------------------------------------------------------------------------------------------------- producing

/// What became of one record that was produced.
struct Delivery {
  std::uint64_t tag = 0;            ///< as given to produce()
  std::int64_t offset = -1;         ///< where it is, if it was delivered and that is known
  std::optional<Error> error = {};  ///< why it was not
};

/// An idempotent producer with `acks=all` to one topic: within its life no record is doubled or overtaken. For one thread.
/// librdkafka holds a record for written when a later one of its partition is, and a broker may take the later one without it where it has
/// nothing of this producer yet, as just after a topic is made or a leader has changed (KAFKA-15591). So offsets are counted here: one that
/// comes lower than it can be is a delivery with Error::gap().
class Producer {
 public:
  /// Called by poll() and flush(), in the order of delivery within each partition.
  using OnDelivery = std::function<void(const Delivery&)>;

  /// `defaults` are the caller's (`linger.ms`, `queue.buffering.max.messages` …). Properties of `options` win over them, but not over what
  /// order and completeness rest on: idempotence, `acks=all`, no gap after a failed record. Does not connect; throws Error for a property
  /// that librdkafka refuses. `next_offsets`: where each partition goes on at least; 0 where that is not said.
  Producer(const Options& options, const std::string& topic, OnDelivery on_delivery,
           const std::map<std::string, std::string>& defaults = {}, std::vector<std::int64_t> next_offsets = {});
  /// What is still queued is dropped: flush() first where it matters.
  ~Producer();
  Producer(const Producer&) = delete;
  Producer& operator=(const Producer&) = delete;

  /// Queues a copy of a record. False if the queue is full: poll(), then again. Throws Error for anything else, and when the producer
  /// cannot go on (a fatal error: make a new one).
  bool produce(std::int16_t partition, std::string_view key, std::string_view value, std::span<const Header> headers, Time time,
               std::uint64_t tag);
  /// Gives deliveries to the callback; waits up to `timeout` for the first. How many events were served.
  int poll(Milliseconds timeout);
  /// Waits until all that is queued is delivered or has failed; false when the time is up.
  bool flush(Milliseconds timeout);
  /// Records that are queued or on their way.
  std::size_t pending() const;
  /// The offset after the last record that was delivered to a partition, or where it goes on at least.
  std::int64_t next_offset(std::int16_t partition) const;
  /// Ends a poll() that waits, or the next one, at once. From any thread.
  void wake();

 private:
  static void on_delivery(rd_kafka_s* kafka, const rd_kafka_message_s* message, void* opaque);
  void throw_if_fatal() const;
  /// Counts a delivered record; false where its offset cannot be.
  bool count(std::int32_t partition, std::int64_t offset);

  OnDelivery on_delivery_;
  std::vector<std::int64_t> next_offsets_;
  rd_kafka_s* kafka_ = nullptr;
  rd_kafka_topic_s* topic_ = nullptr;
};

// -------------------------------------------------------------------------------------------------------------------------- consuming

/// A record that was consumed; owns it. Views are valid as long as it lives.
class Record {
 public:
  static constexpr std::size_t headers_max = 64;  ///< more are left out

  explicit Record(rd_kafka_message_s* message) : message_(message) {}
  Record(Record&& other) noexcept : message_(std::exchange(other.message_, nullptr)) {}
  Record& operator=(Record&& other) noexcept {
    std::swap(message_, other.message_);
    return *this;
  }
  ~Record();

  std::int16_t partition() const;
  std::int64_t offset() const;
  std::string_view key() const;
  std::string_view value() const;
  /// The producer's time; nothing if it gave none.
  std::optional<Time> time() const;
  /// Reads the headers into `into`, which must hold `headers_max`; returns those there are.
  std::span<const Header> headers(std::span<Header> into) const;

 private:
  rd_kafka_message_s* message_;
};

/// A consumer of one topic: of a group's share of its partitions, or of what it is told. For one thread but for wake().
class Consumer {
 public:
  static constexpr std::size_t batch_max = 10'000;
  static constexpr Milliseconds leaving_max{10'000};

  /// Where a partition is to be read from.
  struct Start {
    std::int16_t partition = 0;
    std::int64_t offset = 0;
  };
  /// What a group's member is told when the members share the partitions anew; called by consume(), which throws on what they throw: the
  /// consumer is of no use then, make a new one.
  struct Rebalance {
    /// These came to this member: from which offset each is to be read. What is left out is held, and not read before seek().
    std::function<std::vector<Start>(const std::vector<std::int16_t>& partitions)> assigned;
    /// These go to others, or were lost to them.
    std::function<void(const std::vector<std::int16_t>& partitions)> revoked;
  };

  /// A reader by itself: assign() says what it reads. Throws Error for a property that librdkafka refuses.
  Consumer(const Options& options, std::string topic, const std::map<std::string, std::string>& defaults = {});
  /// A member of a group that shares the topic's partitions (cooperative-sticky: those that stay go on meanwhile).
  Consumer(const Options& options, std::string topic, const std::string& group, Rebalance rebalance,
           const std::map<std::string, std::string>& defaults = {});
  /// Leaves the group; if it is just joining, waits until it has joined. What librdkafka has not left within `leaving_max`, or ended four
  /// seconds after that, is left behind, and said.
  ~Consumer();
  Consumer(const Consumer&) = delete;
  Consumer& operator=(const Consumer&) = delete;

  /// What is read from now on; only for a reader by itself.
  void assign(std::span<const Start> starts);
  /// From where partitions that are held are read from now on; what was on its way from elsewhere may come yet. False: it cannot be done
  /// at the moment, try again. Throws Error.
  bool seek(std::span<const Start> starts, Milliseconds timeout = Admin::request_timeout);
  /// At most `limit` (at least 1; and `batch_max`) records, in order within each partition; waits up to `timeout` for the first. Throws
  /// Error while Kafka says no (a fatal error; to a group's member also that the topic is not there, for which a reader by itself waits);
  /// passing troubles are librdkafka's own to get over.
  std::vector<Record> consume(std::size_t limit, Milliseconds timeout);
  /// Ends a consume() that waits, at once. From any thread.
  void wake();

  /// The ends of the topic's first `partitions` partitions, in order. Throws Error when the brokers do not answer in time.
  std::vector<Watermarks> watermarks(std::int16_t partitions, Milliseconds timeout = Admin::request_timeout);
  /// Those of one partition. Throws Error when its broker does not answer in time.
  Watermarks watermarks_of(std::int16_t partition, Milliseconds timeout = Admin::request_timeout);
  /// The offset of the first record whose time is at or after `time`, for each partition; where there is none, what was the end before
  /// the question was asked (so that nothing that comes meanwhile lies before it). Throws Error.
  std::vector<Start> offsets_at(std::span<const std::int16_t> partitions, Time time, Milliseconds timeout = Admin::request_timeout);
  /// What the last answer to a fetch said of a partition that is read; nothing before it. Asks nobody.
  std::optional<Watermarks> known_watermarks(std::int16_t partition) const;
  /// Notes in the group how far this member has read (the next offset of each): for people and tools, and as a hint for whoever comes next.
  /// Does not wait.
  void commit(std::span<const Start> next);

 private:
  struct Callbacks;
  bool is_joining() const;
  /// Whether it has left its group by then, or never was in one.
  bool leave(std::chrono::steady_clock::time_point until);
  /// By partition, of the first record at or after `time` (milliseconds; or the RD_KAFKA_OFFSET_ that names an end), -1 where there is
  /// none.
  std::map<std::int16_t, std::int64_t> offsets(std::span<const std::int16_t> partitions, std::int64_t time,
                                               std::chrono::steady_clock::time_point until);
  void open(const Options& options, const std::map<std::string, std::string>& properties, bool with_rebalance);

  std::string topic_;
  Rebalance rebalance_ = {};
  bool has_shared_ = false;  ///< the group has given this member a share, an empty one perhaps
  std::exception_ptr thrown_ = {};
  rd_kafka_s* kafka_ = nullptr;
  rd_kafka_queue_s* queue_ = nullptr;
};

}  // namespace bloomwatch::kafka
