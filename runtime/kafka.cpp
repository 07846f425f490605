// librdkafka's handles and lists as C++ values. Its own threads do the network; ours only hand over and take.
#include "runtime/kafka.h"

#include <librdkafka/rdkafka.h>

#include <algorithm>
#include <array>
#include <bit>
#include <future>
#include <memory>
#include <numeric>
#include <thread>

#include "runtime/config.h"
#include "runtime/invariant.h"
#include "runtime/logging.h"

namespace bloomwatch::kafka {

using Clock = std::chrono::steady_clock;

namespace {

constexpr std::size_t message_text_max = 512;

[[noreturn]] void fail(const std::string& what, rd_kafka_resp_err_t code) { throw Error(what + ": " + rd_kafka_err2str(code), code); }

void check(rd_kafka_resp_err_t code, const std::string& what) {
  if (code != RD_KAFKA_RESP_ERR_NO_ERROR) fail(what, code);
}

void check(rd_kafka_error_t* error, const std::string& what) {
  if (error == nullptr) return;
  const Error thrown(what + ": " + rd_kafka_error_string(error), rd_kafka_error_code(error));
  rd_kafka_error_destroy(error);
  throw thrown;
}

int milliseconds(Milliseconds time) { return static_cast<int>(std::max<Milliseconds::rep>(0, time.count())); }

template <class T, void (*destroy)(T*)>
struct Destroy {
  void operator()(T* object) const { destroy(object); }
};
template <class T, void (*destroy)(T*)>
using Owned = std::unique_ptr<T, Destroy<T, destroy>>;
using Partitions = Owned<rd_kafka_topic_partition_list_t, rd_kafka_topic_partition_list_destroy>;
using Queue = Owned<rd_kafka_queue_t, rd_kafka_queue_destroy>;
using Event = Owned<rd_kafka_event_t, rd_kafka_event_destroy>;
using AdminOptions = Owned<rd_kafka_AdminOptions_t, rd_kafka_AdminOptions_destroy>;

// ----------------------------------------------------------------------------------------------------------------------- configuration

void write_log(const rd_kafka_t* kafka, int level, const char* facility, const char* text) {
  // What we mean: see Producer, and its end.
  for (const std::string_view known : {"enable.gapless.guarantee is experimental", "failed: Local: Purged"})
    if (std::string_view(text).find(known) != std::string_view::npos) return;
  const auto ours = level <= 3 ? log::Level::error : level <= 4 ? log::Level::warning : log::Level::debug;
  log::write(ours, "kafka", text, {{"facility", facility}, {"client", kafka == nullptr ? "" : rd_kafka_name(kafka)}});
}

void set(rd_kafka_conf_t* conf, const std::string& name, const std::string& value) {
  std::array<char, message_text_max> why;
  // The value may be a password: `why` names the property and not its value, but for values that no list knows.
  if (rd_kafka_conf_set(conf, name.c_str(), value.c_str(), why.data(), why.size()) != RD_KAFKA_CONF_OK)
    throw Error("Kafka property '" + name + "' is not one of librdkafka's, or its value is not", RD_KAFKA_RESP_ERR__INVALID_ARG);
}

std::pair<std::string, std::string> split_property(const std::vector<std::string>& properties, std::size_t index) {
  const std::string& property = properties[index];
  const std::size_t equals = property.find('=');
  // Told by its number: its text may be a password in the wrong place.
  if (equals == 0 || equals == std::string::npos)
    throw std::runtime_error("a Kafka property is name=value; number " + std::to_string(index + 1) + " is not");
  return {property.substr(0, equals), property.substr(equals + 1)};
}

/// `defaults` give way to the properties in `options`, `musts` do not. `set_callbacks` gets the configuration before it is used. Throws
/// Error.
rd_kafka_t* make_client(rd_kafka_type_t type, const Options& options, const std::map<std::string, std::string>& defaults,
                        const std::function<void(rd_kafka_conf_t*)>& set_callbacks = {},
                        const std::map<std::string, std::string>& musts = {}) {
  Owned<rd_kafka_conf_t, rd_kafka_conf_destroy> conf(rd_kafka_conf_new());
  set(conf.get(), "bootstrap.servers", options.bootstrap);
  set(conf.get(), "client.id", options.client_id);
  for (const auto& [name, value] : defaults) set(conf.get(), name, value);
  for (std::size_t i = 0; i < options.properties.size(); ++i) {
    const auto [name, value] = split_property(options.properties, i);
    set(conf.get(), name, value);
  }
  for (const auto& [name, value] : musts) set(conf.get(), name, value);
  rd_kafka_conf_set_log_cb(conf.get(), write_log);
  if (set_callbacks) set_callbacks(conf.get());
  std::array<char, message_text_max> why;
  rd_kafka_t* kafka = rd_kafka_new(type, conf.get(), why.data(), why.size());
  if (kafka == nullptr) throw Error(std::string("Kafka client: ") + why.data(), RD_KAFKA_RESP_ERR__INVALID_ARG);
  [[maybe_unused]] const rd_kafka_conf_t* taken = conf.release();  // now the client's
  return kafka;
}

/// librdkafka's threads may wait for each other for ever when a topic was deleted under a consumer (its issue 4362): then false, and it is
/// left behind, so that whoever stops, stops.
bool destroy_in_time(rd_kafka_t* kafka) {
  constexpr std::chrono::seconds time_max{4};
  const auto gone = std::make_shared<std::promise<void>>();
  std::thread([kafka, gone] {
    rd_kafka_destroy(kafka);
    gone->set_value();
  }).detach();
  return gone->get_future().wait_for(time_max) == std::future_status::ready;
}

Partitions list_of(const std::string& topic, std::span<const Consumer::Start> starts) {
  Partitions list(rd_kafka_topic_partition_list_new(static_cast<int>(starts.size())));
  for (const Consumer::Start& start : starts)
    rd_kafka_topic_partition_list_add(list.get(), topic.c_str(), start.partition)->offset = start.offset;
  return list;
}

Partitions list_of(const std::string& topic, std::span<const std::int16_t> partitions, std::int64_t offset) {
  Partitions list(rd_kafka_topic_partition_list_new(static_cast<int>(partitions.size())));
  for (const std::int16_t partition : partitions) rd_kafka_topic_partition_list_add(list.get(), topic.c_str(), partition)->offset = offset;
  return list;
}

/// Of a topic that was just made, or has just moved: for a moment.
bool leader_unknown(rd_kafka_resp_err_t code) {
  return code == RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION || code == RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE;
}

std::span<rd_kafka_topic_partition_t> elements(const rd_kafka_topic_partition_list_t& list) {
  return {list.elems, static_cast<std::size_t>(list.cnt)};
}

std::vector<std::int16_t> numbers_of(const rd_kafka_topic_partition_list_t& list) {
  std::vector<std::int16_t> numbers;
  for (const auto& partition : elements(list)) numbers.push_back(static_cast<std::int16_t>(partition.partition));
  return numbers;
}

}  // namespace

bool Error::unknown_topic() const {
  return code_ == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART || code_ == RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC ||
         code_ == RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION;
}

bool Error::gap() const { return code_ == RD_KAFKA_RESP_ERR__GAPLESS_GUARANTEE; }

Options options_of(const Config& config, std::string client_id) {
  for (std::size_t i = 0; i < config.kafka_property.size(); ++i) (void)split_property(config.kafka_property, i);
  return {config.kafka_bootstrap, config.kafka_property, std::move(client_id)};
}

// ------------------------------------------------------------------------------------------------------------------------------ topics

namespace {

/// Sends one admin request and waits for its answer. `send` is given the options and the queue of the answer.
Event ask(rd_kafka_t* kafka, rd_kafka_admin_op_t operation, const std::string& what,
          const std::function<void(const rd_kafka_AdminOptions_t*, rd_kafka_queue_t*)>& send,
          Milliseconds timeout = Admin::request_timeout) {
  std::array<char, message_text_max> why;
  const AdminOptions options(rd_kafka_AdminOptions_new(kafka, operation));
  check(rd_kafka_AdminOptions_set_request_timeout(options.get(), milliseconds(timeout), why.data(), why.size()), what);
  const Queue queue(rd_kafka_queue_new(kafka));
  send(options.get(), queue.get());
  Event answer(rd_kafka_queue_poll(queue.get(), milliseconds(timeout) + 1000));
  if (answer == nullptr) fail(what, RD_KAFKA_RESP_ERR__TIMED_OUT);
  check(rd_kafka_event_error(answer.get()), what);
  return answer;
}

using Metadata = Owned<const struct rd_kafka_metadata, rd_kafka_metadata_destroy>;

/// Of the cluster without topics.
Metadata metadata_of(rd_kafka_t* kafka) {
  const struct rd_kafka_metadata* metadata = nullptr;
  check(rd_kafka_metadata(kafka, 0, nullptr, &metadata, milliseconds(Admin::request_timeout)), "Kafka's metadata");
  return Metadata(metadata);
}

/// The metadata of one topic, if it is there.
Metadata metadata_of(rd_kafka_t* kafka, const std::string& topic, Milliseconds timeout) {
  rd_kafka_topic_t* handle = rd_kafka_topic_new(kafka, topic.c_str(), nullptr);
  const struct rd_kafka_metadata* found = nullptr;
  const rd_kafka_resp_err_t code = rd_kafka_metadata(kafka, 0, handle, &found, milliseconds(timeout));
  rd_kafka_topic_destroy(handle);
  check(code, "the metadata of topic " + topic);
  Metadata metadata(found);
  const bool there = metadata->topic_cnt == 1 && metadata->topics[0].partition_cnt > 0;
  if (there && metadata->topics[0].err == RD_KAFKA_RESP_ERR_NO_ERROR) return metadata;
  return nullptr;
}

}  // namespace

Admin::Admin(const Options& options) : kafka_(make_client(RD_KAFKA_PRODUCER, options, {})) {}

Admin::~Admin() { rd_kafka_destroy(kafka_); }

int Admin::brokers() { return metadata_of(kafka_)->broker_cnt; }

std::optional<Topic> Admin::describe(const std::string& topic, Milliseconds timeout) {
  const Metadata metadata = metadata_of(kafka_, topic, timeout);
  if (metadata == nullptr) return std::nullopt;
  Topic described{metadata->topics[0].partition_cnt, metadata->topics[0].partitions[0].replica_cnt};
  const Owned<rd_kafka_ConfigResource_t, rd_kafka_ConfigResource_destroy> resource(
      rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, topic.c_str()));
  const Event answer = ask(
      kafka_, RD_KAFKA_ADMIN_OP_DESCRIBECONFIGS, "the configuration of topic " + topic,
      [&](auto* options, auto* queue) {
        rd_kafka_ConfigResource_t* asked[] = {resource.get()};
        rd_kafka_DescribeConfigs(kafka_, asked, 1, options, queue);
      },
      timeout);
  std::size_t count = 0;
  const auto* resources = rd_kafka_DescribeConfigs_result_resources(rd_kafka_event_DescribeConfigs_result(answer.get()), &count);
  if (count != 1) fail("the configuration of topic " + topic, RD_KAFKA_RESP_ERR__BAD_MSG);
  // A broker that has just heard of a topic may know its partitions before its configuration.
  if (rd_kafka_ConfigResource_error(resources[0]) == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART) return std::nullopt;
  check(rd_kafka_ConfigResource_error(resources[0]), "the configuration of topic " + topic);
  std::size_t entries = 0;
  const auto* entry = rd_kafka_ConfigResource_configs(resources[0], &entries);
  for (std::size_t i = 0; i < entries; ++i) {
    const char* value = rd_kafka_ConfigEntry_value(entry[i]);
    described.properties.emplace(rd_kafka_ConfigEntry_name(entry[i]), value == nullptr ? "" : value);
  }
  return described;
}

bool Admin::create(const std::string& topic, int partitions, int replicas, const std::map<std::string, std::string>& properties) {
  std::array<char, message_text_max> why;
  const Owned<rd_kafka_NewTopic_t, rd_kafka_NewTopic_destroy> wanted(
      rd_kafka_NewTopic_new(topic.c_str(), partitions, replicas, why.data(), why.size()));
  if (wanted == nullptr) throw Error("topic " + topic + ": " + why.data(), RD_KAFKA_RESP_ERR__INVALID_ARG);
  for (const auto& [name, value] : properties) check(rd_kafka_NewTopic_set_config(wanted.get(), name.c_str(), value.c_str()), name);
  const Event answer = ask(kafka_, RD_KAFKA_ADMIN_OP_CREATETOPICS, "making topic " + topic, [&](auto* options, auto* queue) {
    rd_kafka_NewTopic_t* topics[] = {wanted.get()};
    rd_kafka_CreateTopics(kafka_, topics, 1, options, queue);
  });
  std::size_t count = 0;
  const auto* results = rd_kafka_CreateTopics_result_topics(rd_kafka_event_CreateTopics_result(answer.get()), &count);
  if (count != 1) fail("making topic " + topic, RD_KAFKA_RESP_ERR__BAD_MSG);
  const rd_kafka_resp_err_t code = rd_kafka_topic_result_error(results[0]);
  const bool there_already = code == RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS;
  if (code != RD_KAFKA_RESP_ERR_NO_ERROR && !there_already) {
    const char* text = rd_kafka_topic_result_error_string(results[0]);
    throw Error("making topic " + topic + ": " + (text == nullptr ? rd_kafka_err2str(code) : text), code);
  }
  for (const auto until = Clock::now() + request_timeout; !describe(topic);) {
    if (Clock::now() > until) fail("topic " + topic + " does not appear", RD_KAFKA_RESP_ERR__TIMED_OUT);
    std::this_thread::sleep_for(Milliseconds(20));
  }
  return !there_already;
}

bool Admin::remove(const std::string& topic) {
  const Owned<rd_kafka_DeleteTopic_t, rd_kafka_DeleteTopic_destroy> unwanted(rd_kafka_DeleteTopic_new(topic.c_str()));
  const Event answer = ask(kafka_, RD_KAFKA_ADMIN_OP_DELETETOPICS, "removing topic " + topic, [&](auto* options, auto* queue) {
    rd_kafka_DeleteTopic_t* topics[] = {unwanted.get()};
    rd_kafka_DeleteTopics(kafka_, topics, 1, options, queue);
  });
  std::size_t count = 0;
  const auto* results = rd_kafka_DeleteTopics_result_topics(rd_kafka_event_DeleteTopics_result(answer.get()), &count);
  const rd_kafka_resp_err_t code = count == 1 ? rd_kafka_topic_result_error(results[0]) : RD_KAFKA_RESP_ERR__BAD_MSG;
  if (code == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART) return false;
  check(code, "removing topic " + topic);
  return true;
}

void Admin::remove_records(const std::string& topic, std::int16_t partition, std::int64_t offset) {
  const std::string what = "removing records of topic " + topic;
  const Consumer::Start before{partition, offset};
  const Partitions list = list_of(topic, {&before, 1});
  const Owned<rd_kafka_DeleteRecords_t, rd_kafka_DeleteRecords_destroy> unwanted(rd_kafka_DeleteRecords_new(list.get()));
  const Event answer = ask(kafka_, RD_KAFKA_ADMIN_OP_DELETERECORDS, what, [&](auto* options, auto* queue) {
    rd_kafka_DeleteRecords_t* requests[] = {unwanted.get()};
    rd_kafka_DeleteRecords(kafka_, requests, 1, options, queue);
  });
  for (const auto& removed : elements(*rd_kafka_DeleteRecords_result_offsets(rd_kafka_event_DeleteRecords_result(answer.get()))))
    check(removed.err, what);
}

std::vector<Admin::Member> Admin::members(const std::string& group, const std::string& topic) {
  const Event answer = ask(kafka_, RD_KAFKA_ADMIN_OP_DESCRIBECONSUMERGROUPS, "group " + group, [&](auto* options, auto* queue) {
    const char* groups[] = {group.c_str()};
    rd_kafka_DescribeConsumerGroups(kafka_, groups, 1, options, queue);
  });
  std::size_t count = 0;
  const auto* groups = rd_kafka_DescribeConsumerGroups_result_groups(rd_kafka_event_DescribeConsumerGroups_result(answer.get()), &count);
  std::vector<Member> members;
  if (count != 1) return members;
  if (const rd_kafka_error_t* error = rd_kafka_ConsumerGroupDescription_error(groups[0]); error != nullptr)
    throw Error("group " + group + ": " + rd_kafka_error_string(error), rd_kafka_error_code(error));
  for (std::size_t i = 0; i < rd_kafka_ConsumerGroupDescription_member_count(groups[0]); ++i) {
    const auto* described = rd_kafka_ConsumerGroupDescription_member(groups[0], i);
    Member& member = members.emplace_back(rd_kafka_MemberDescription_client_id(described), rd_kafka_MemberDescription_host(described));
    const auto* assignment = rd_kafka_MemberDescription_assignment(described);
    if (assignment == nullptr) continue;
    for (const auto& partition : elements(*rd_kafka_MemberAssignment_partitions(assignment)))
      if (topic == partition.topic) member.partitions.push_back(static_cast<std::int16_t>(partition.partition));
    std::ranges::sort(member.partitions);
  }
  return members;
}

// --------------------------------------------------------------------------------------------------------------------------- producing

Producer::Producer(const Options& options, const std::string& topic, OnDelivery on_delivery,
                   const std::map<std::string, std::string>& defaults, std::vector<std::int64_t> next_offsets)
    : on_delivery_(std::move(on_delivery)), next_offsets_(std::move(next_offsets)) {
  std::map<std::string, std::string> all = {{"linger.ms", "2"}, {"compression.codec", "lz4"}, {"queue.buffering.max.messages", "200000"}};
  for (const auto& [name, value] : defaults) all[name] = value;
  const auto set_callbacks = [this](rd_kafka_conf_t* conf) {
    rd_kafka_conf_set_opaque(conf, this);
    rd_kafka_conf_set_dr_msg_cb(conf, &Producer::on_delivery);
  };
  // A record that is refused ends the producer before a later one gets through. Those that time out would not, so none does.
  const std::map<std::string, std::string> musts = {
      {"enable.idempotence", "true"}, {"acks", "all"}, {"enable.gapless.guarantee", "true"}, {"message.timeout.ms", "0"}};
  kafka_ = make_client(RD_KAFKA_PRODUCER, options, all, set_callbacks, musts);
  topic_ = rd_kafka_topic_new(kafka_, topic.c_str(), nullptr);
}

Producer::~Producer() {
  on_delivery_ = nullptr;
  rd_kafka_purge(kafka_, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
  rd_kafka_topic_destroy(topic_);
  rd_kafka_destroy(kafka_);
}

bool Producer::produce(std::int16_t partition, std::string_view key, std::string_view value, std::span<const Header> headers, Time time,
                       std::uint64_t tag) {
  rd_kafka_headers_t* copied = rd_kafka_headers_new(headers.size());
  for (const Header& header : headers)
    rd_kafka_header_add(copied, header.name.data(), static_cast<ssize_t>(header.name.size()), header.value.data(),
                        static_cast<ssize_t>(header.value.size()));
  const std::array<rd_kafka_vu_t, 8> what = {{
      {.vtype = RD_KAFKA_VTYPE_RKT, .u = {.rkt = topic_}},
      {.vtype = RD_KAFKA_VTYPE_PARTITION, .u = {.i32 = partition}},
      {.vtype = RD_KAFKA_VTYPE_KEY, .u = {.mem = {const_cast<char*>(key.data()), key.size()}}},
      {.vtype = RD_KAFKA_VTYPE_VALUE, .u = {.mem = {const_cast<char*>(value.data()), value.size()}}},
      {.vtype = RD_KAFKA_VTYPE_HEADERS, .u = {.headers = copied}},
      {.vtype = RD_KAFKA_VTYPE_TIMESTAMP, .u = {.i64 = time.time_since_epoch().count()}},
      {.vtype = RD_KAFKA_VTYPE_MSGFLAGS, .u = {.i = RD_KAFKA_MSG_F_COPY}},
      {.vtype = RD_KAFKA_VTYPE_OPAQUE, .u = {.ptr = std::bit_cast<void*>(tag)}},
  }};
  rd_kafka_error_t* error = rd_kafka_produceva(kafka_, what.data(), what.size());
  if (error == nullptr) return true;
  rd_kafka_headers_destroy(copied);  // ours again, as it was not taken
  if (rd_kafka_error_code(error) == RD_KAFKA_RESP_ERR__QUEUE_FULL) {
    rd_kafka_error_destroy(error);
    return false;
  }
  check(error, "producing to Kafka");
  return false;
}

int Producer::poll(Milliseconds timeout) {
  const int served = rd_kafka_poll(kafka_, milliseconds(timeout));
  throw_if_fatal();
  return served;
}

bool Producer::flush(Milliseconds timeout) {
  const rd_kafka_resp_err_t code = rd_kafka_flush(kafka_, milliseconds(timeout));
  throw_if_fatal();
  return code == RD_KAFKA_RESP_ERR_NO_ERROR;
}

std::size_t Producer::pending() const { return static_cast<std::size_t>(rd_kafka_outq_len(kafka_)); }

std::int64_t Producer::next_offset(std::int16_t partition) const {
  const auto place = static_cast<std::size_t>(partition);
  return place < next_offsets_.size() ? next_offsets_[place] : 0;
}

void Producer::wake() {
  const Queue queue(rd_kafka_queue_get_main(kafka_));
  rd_kafka_queue_yield(queue.get());
}

void Producer::throw_if_fatal() const {
  std::array<char, message_text_max> why;
  const rd_kafka_resp_err_t code = rd_kafka_fatal_error(kafka_, why.data(), why.size());
  if (code != RD_KAFKA_RESP_ERR_NO_ERROR) throw Error(std::string("Kafka's producer cannot go on: ") + why.data(), code);
}

bool Producer::count(std::int32_t partition, std::int64_t offset) {
  const auto place = static_cast<std::size_t>(partition);
  if (place >= next_offsets_.size()) next_offsets_.resize(place + 1);
  std::int64_t& next = next_offsets_[place];
  if (offset < 0) {
    ++next;  // where it is is not known; what comes after it is beyond
    return true;
  }
  return offset >= std::exchange(next, offset + 1);
}

void Producer::on_delivery(rd_kafka_t*, const rd_kafka_message_t* message, void* opaque) {
  auto* producer = static_cast<Producer*>(opaque);
  if (!producer->on_delivery_) return;
  Delivery delivery{reinterpret_cast<std::uint64_t>(message->_private), message->offset};
  if (message->err != RD_KAFKA_RESP_ERR_NO_ERROR)
    delivery.error = Error(rd_kafka_err2str(message->err), message->err);
  else if (!producer->count(message->partition, message->offset))
    delivery.error =
        Error("the topic lacks records that were taken, has lost its tail or was made anew", RD_KAFKA_RESP_ERR__GAPLESS_GUARANTEE);
  producer->on_delivery_(delivery);
}

// --------------------------------------------------------------------------------------------------------------------------- consuming

Record::~Record() {
  if (message_ != nullptr) rd_kafka_message_destroy(message_);
}

std::int16_t Record::partition() const { return static_cast<std::int16_t>(message_->partition); }

std::int64_t Record::offset() const { return message_->offset; }

std::string_view Record::key() const { return {static_cast<const char*>(message_->key), message_->key == nullptr ? 0 : message_->key_len}; }

std::string_view Record::value() const {
  return {static_cast<const char*>(message_->payload), message_->payload == nullptr ? 0 : message_->len};
}

std::optional<Time> Record::time() const {
  rd_kafka_timestamp_type_t type;
  const std::int64_t time = rd_kafka_message_timestamp(message_, &type);
  if (type == RD_KAFKA_TIMESTAMP_NOT_AVAILABLE || time < 0) return std::nullopt;
  return Time(Milliseconds(time));
}

std::span<const Header> Record::headers(std::span<Header> into) const {
  rd_kafka_headers_t* all = nullptr;
  if (rd_kafka_message_headers(message_, &all) != RD_KAFKA_RESP_ERR_NO_ERROR) return {};
  std::size_t count = 0;
  for (; count < into.size(); ++count) {
    const char* name = nullptr;
    const void* value = nullptr;
    std::size_t bytes = 0;
    if (rd_kafka_header_get_all(all, count, &name, &value, &bytes) != RD_KAFKA_RESP_ERR_NO_ERROR) break;
    into[count] = {name, {static_cast<const char*>(value), value == nullptr ? 0 : bytes}};
  }
  return into.first(count);
}

struct Consumer::Callbacks {
  static void rebalance(rd_kafka_t* kafka, rd_kafka_resp_err_t code, rd_kafka_topic_partition_list_t* list, void* opaque) {
    auto& consumer = *static_cast<Consumer*>(opaque);
    consumer.has_shared_ = true;
    try {
      const std::vector<std::int16_t> partitions = numbers_of(*list);
      if (code == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS) {
        take(consumer, kafka, partitions);
      } else {
        consumer.rebalance_.revoked(partitions);
        check(rd_kafka_incremental_unassign(kafka, list), "giving partitions up");
      }
    } catch (...) {  // C code is between here and consume(), which throws it on
      consumer.thrown_ = std::current_exception();
    }
  }

  static void take(const Consumer& consumer, rd_kafka_t* kafka, const std::vector<std::int16_t>& partitions) {
    std::vector<Start> starts = consumer.rebalance_.assigned(partitions);
    std::vector<std::int16_t> waiting;
    for (const std::int16_t partition : partitions)
      if (std::ranges::find(starts, partition, &Start::partition) == starts.end()) waiting.push_back(partition);
    for (const std::int16_t partition : waiting) starts.push_back({partition, 0});
    check(rd_kafka_incremental_assign(kafka, list_of(consumer.topic_, starts).get()), "taking partitions");
    if (waiting.empty()) return;
    const Partitions paused = list_of(consumer.topic_, waiting, RD_KAFKA_OFFSET_INVALID);
    check(rd_kafka_pause_partitions(kafka, paused.get()), "holding partitions");
  }
};

Consumer::Consumer(const Options& options, std::string topic, const std::map<std::string, std::string>& defaults)
    : topic_(std::move(topic)) {
  std::map<std::string, std::string> all = defaults;
  all.try_emplace("group.id", options.client_id);  // librdkafka wants one; nothing joins it
  open(options, all, false);
}

Consumer::Consumer(const Options& options, std::string topic, const std::string& group, Rebalance rebalance,
                   const std::map<std::string, std::string>& defaults)
    : topic_(std::move(topic)), rebalance_(std::move(rebalance)) {
  std::map<std::string, std::string> all = defaults;
  all["group.id"] = group;
  all["partition.assignment.strategy"] = "cooperative-sticky";
  open(options, all, true);
  const Partitions topics(rd_kafka_topic_partition_list_new(1));
  rd_kafka_topic_partition_list_add(topics.get(), topic_.c_str(), RD_KAFKA_PARTITION_UA);
  check(rd_kafka_subscribe(kafka_, topics.get()), "joining group " + group);
}

void Consumer::open(const Options& options, const std::map<std::string, std::string>& properties, bool with_rebalance) {
  // Of each partition four times as much at once as librdkafka would ask for: whoever reads a whole topic does so in few and long strokes,
  // which took a rebuild on one core a fifth less time. An answer stays bounded by fetch.max.bytes (50 MiB) and the queue by its kilobytes.
  // Those are to hold about a second's records: librdkafka before 2.2 looks only once a second whether a full queue has room again (its
  // issue 2879). `queued.min.messages`, which is of all partitions together, is out of the way: at its default of 100,000 the same rebuild
  // stood still for a third of its time.
  std::map<std::string, std::string> all = {{"max.partition.fetch.bytes", "4194304"},
                                            {"fetch.wait.max.ms", "100"},
                                            {"fetch.min.bytes", "1"},
                                            {"queued.min.messages", "1000000"},
                                            {"queued.max.messages.kbytes", "131072"},
                                            {"session.timeout.ms", "6000"},
                                            {"heartbeat.interval.ms", "1000"},
                                            {"topic.metadata.refresh.interval.ms", "5000"}};
  for (const auto& [name, value] : properties) all[name] = value;
  all["enable.auto.commit"] = "false";
  all["enable.auto.offset.store"] = "false";
  all["auto.offset.reset"] = "earliest";
  kafka_ = make_client(RD_KAFKA_CONSUMER, options, all, [&](rd_kafka_conf_t* conf) {
    rd_kafka_conf_set_opaque(conf, this);
    if (with_rebalance) rd_kafka_conf_set_rebalance_cb(conf, &Callbacks::rebalance);
  });
  rd_kafka_poll_set_consumer(kafka_);
  queue_ = rd_kafka_queue_get_consumer(kafka_);
}

/// Between its first answer from the group and its first share.
bool Consumer::is_joining() const {
  if (!rebalance_.assigned || has_shared_) return false;
  char* const id = rd_kafka_memberid(kafka_);
  const bool known = id != nullptr && *id != '\0';
  rd_kafka_mem_free(kafka_, id);
  return known;
}

Consumer::~Consumer() {
  // Leaving the group revokes what is held; the owner is not told, it is leaving itself.
  if (rebalance_.assigned) rebalance_ = {[](const auto&) { return std::vector<Start>{}; }, [](const auto&) {}};
  const bool left = leave(Clock::now() + leaving_max);
  rd_kafka_queue_destroy(queue_);
  if (!left)
    log::error("kafka", "a consumer cannot leave its group: it is left behind", {{"topic", topic_}});
  else if (!destroy_in_time(kafka_))
    log::error("kafka", "a consumer has left its group and does not end: it is left behind", {{"topic", topic_}});
}

bool Consumer::leave(Clock::time_point until) {
  const auto serve_until = [until](rd_kafka_queue_t* queue, const auto& done) {
    while (!done() && Clock::now() < until)
      if (rd_kafka_message_t* message = rd_kafka_consume_queue(queue, 50)) rd_kafka_message_destroy(message);
    return done();
  };
  // librdkafka before 2.3 ends the process when a member goes that has joined and has had no share yet (its issue 4312).
  if (!serve_until(queue_, [this] { return !is_joining(); })) return false;
  // rd_kafka_consumer_close() waits for as long as a commit does that is on its way to a broker that is gone: socket.timeout.ms, a minute.
  const Queue leaving(rd_kafka_queue_new(kafka_));
  if (rd_kafka_error_t* error = rd_kafka_consumer_close_queue(kafka_, leaving.get())) {
    rd_kafka_error_destroy(error);
    return true;  // after a fatal error there is no group to leave
  }
  return serve_until(leaving.get(), [this] { return rd_kafka_consumer_closed(kafka_) != 0; });
}

void Consumer::assign(std::span<const Start> starts) { check(rd_kafka_assign(kafka_, list_of(topic_, starts).get()), "taking partitions"); }

bool Consumer::seek(std::span<const Start> starts, Milliseconds timeout) {
  if (starts.empty()) return true;
  const Partitions list = list_of(topic_, starts);
  rd_kafka_error_t* error = rd_kafka_seek_partitions(kafka_, list.get(), milliseconds(timeout));
  if (error != nullptr && rd_kafka_error_code(error) == RD_KAFKA_RESP_ERR__TIMED_OUT) {
    rd_kafka_error_destroy(error);
    return false;
  }
  check(error, "seeking in topic " + topic_);
  for (const auto& partition : elements(*list)) {
    // A partition that was taken a moment ago is not being fetched yet.
    if (partition.err == RD_KAFKA_RESP_ERR__STATE || partition.err == RD_KAFKA_RESP_ERR__PREV_IN_PROGRESS) return false;
    check(partition.err, "seeking in topic " + topic_);
  }
  check(rd_kafka_resume_partitions(kafka_, list.get()), "reading on in topic " + topic_);
  return true;
}

std::vector<Record> Consumer::consume(std::size_t limit, Milliseconds timeout) {
  invariant(limit > 0, "a consumer is asked for one record at least");
  thread_local std::vector<rd_kafka_message_t*> messages(batch_max);
  // A batch is waited for until it is full or the time is up: so wait for the first record alone, and take what has come with it.
  ssize_t count = 0;
  messages[0] = rd_kafka_consume_queue(queue_, milliseconds(timeout));
  if (messages[0] != nullptr) {
    const std::size_t more = std::min(limit, batch_max) - 1;
    count = 1 + std::max<ssize_t>(0, more == 0 ? 0 : rd_kafka_consume_batch_queue(queue_, 0, messages.data() + 1, more));
  }
  std::vector<Record> records;
  std::optional<Error> error;
  records.reserve(static_cast<std::size_t>(count));
  for (ssize_t i = 0; i < count; ++i) {
    rd_kafka_message_t* message = messages[static_cast<std::size_t>(i)];
    if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR) {
      records.emplace_back(message);
      continue;
    }
    if (!error) error.emplace(std::string("consuming from Kafka: ") + rd_kafka_message_errstr(message), message->err);
    rd_kafka_message_destroy(message);
  }
  if (thrown_) std::rethrow_exception(std::exchange(thrown_, nullptr));
  // What came before the trouble is not to be lost: the trouble, if it lasts, comes again.
  if (error && records.empty()) throw *error;
  return records;
}

void Consumer::wake() { rd_kafka_queue_yield(queue_); }

/// Not rd_kafka_query_watermark_offsets(), which looks at its timeout only until it knows the leader: asking a broker that has just gone
/// took as long as socket.timeout.ms, a minute.
std::map<std::int16_t, std::int64_t> Consumer::offsets(std::span<const std::int16_t> partitions, std::int64_t time,
                                                       Clock::time_point until) {
  const std::string what = "the offsets of topic " + topic_;
  for (;; std::this_thread::sleep_for(Milliseconds(20))) {
    const Partitions list = list_of(topic_, partitions, time);
    const auto left = std::max(std::chrono::ceil<Milliseconds>(until - Clock::now()), Milliseconds{0});
    const rd_kafka_resp_err_t code = rd_kafka_offsets_for_times(kafka_, list.get(), milliseconds(left));
    const bool passing = leader_unknown(code) || std::ranges::any_of(elements(*list), leader_unknown, &rd_kafka_topic_partition_t::err);
    if (passing && Clock::now() < until) continue;
    check(code, what);
    std::map<std::int16_t, std::int64_t> found;
    for (const auto& partition : elements(*list)) {
      check(partition.err, what);
      found[static_cast<std::int16_t>(partition.partition)] = partition.offset;
    }
    return found;
  }
}

std::vector<Watermarks> Consumer::watermarks(std::int16_t partitions, Milliseconds timeout) {
  const auto until = Clock::now() + timeout;
  std::vector<std::int16_t> asked(static_cast<std::size_t>(partitions));
  std::iota(asked.begin(), asked.end(), std::int16_t{0});
  const auto lows = offsets(asked, RD_KAFKA_OFFSET_BEGINNING, until);
  const auto highs = offsets(asked, RD_KAFKA_OFFSET_END, until);
  std::vector<Watermarks> marks;
  for (const std::int16_t partition : asked) marks.push_back({lows.at(partition), highs.at(partition)});
  return marks;
}

Watermarks Consumer::watermarks_of(std::int16_t partition, Milliseconds timeout) {
  const auto until = Clock::now() + timeout;
  const std::array asked{partition};
  const auto low = offsets(asked, RD_KAFKA_OFFSET_BEGINNING, until);
  const auto high = offsets(asked, RD_KAFKA_OFFSET_END, until);
  return {low.at(partition), high.at(partition)};
}

std::optional<Watermarks> Consumer::known_watermarks(std::int16_t partition) const {
  Watermarks marks;
  const auto code = rd_kafka_get_watermark_offsets(kafka_, topic_.c_str(), partition, &marks.low, &marks.high);
  if (code != RD_KAFKA_RESP_ERR_NO_ERROR || marks.high < 0) return std::nullopt;
  return marks;
}

std::vector<Consumer::Start> Consumer::offsets_at(std::span<const std::int16_t> partitions, Time time, Milliseconds timeout) {
  const auto until = Clock::now() + timeout;
  const auto ends = offsets(partitions, RD_KAFKA_OFFSET_END, until);
  std::vector<Start> starts;
  for (const auto& [partition, offset] : offsets(partitions, time.time_since_epoch().count(), until))
    starts.push_back({partition, offset >= 0 ? offset : ends.at(partition)});
  return starts;
}

void Consumer::commit(std::span<const Start> next) {
  if (!next.empty()) check(rd_kafka_commit(kafka_, list_of(topic_, next).get(), 1), "noting offsets");
}

}  // namespace bloomwatch::kafka
