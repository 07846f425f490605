// Making, checking and measuring the topic.
#include "events/relay_topic.h"

#include <fmt/core.h>

#include <algorithm>
#include <vector>

#include "events/cloud_event.h"
#include "runtime/logging.h"

namespace bloomwatch {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

/// Retention for ever; and segments roll by size, not by the time of their records, which jumps through years while a topic is filled.
const std::map<std::string, std::string>& properties_of_a_new_topic() {
  static const std::map<std::string, std::string> properties = {{"cleanup.policy", "delete"},
                                                                {"retention.ms", "-1"},
                                                                {"retention.bytes", "-1"},
                                                                {"message.timestamp.type", "CreateTime"},
                                                                {"segment.ms", "315360000000"}};
  return properties;
}

/// How many copies must have a record before it counts as written, where there are so many.
int insync_wanted(int replicas) { return replicas >= 3 ? 2 : 1; }

void refuse_unless_fit(const std::string& name, const kafka::Topic& topic) {
  if (topic.partitions != partition_count)
    throw TopicRefused(fmt::format("topic {} has {} partitions, not {}", name, topic.partitions, partition_count));
  for (const char* property : {"cleanup.policy", "retention.ms", "retention.bytes", "message.timestamp.type"}) {
    const std::string& wanted = properties_of_a_new_topic().at(property);
    const auto found = topic.properties.find(property);
    const std::string is = found == topic.properties.end() ? "" : found->second;
    if (is != wanted) throw TopicRefused(fmt::format("topic {} has {} = {}, not {}", name, property, is, wanted));
  }
  const auto found = topic.properties.find("min.insync.replicas");
  const int insync = found == topic.properties.end() ? 1 : std::atoi(found->second.c_str());
  if (insync < insync_wanted(topic.replicas) || insync > topic.replicas)
    throw TopicRefused(fmt::format("topic {} has min.insync.replicas = {}, which does not fit its {} replicas: {} at least", name, insync,
                                   topic.replicas, insync_wanted(topic.replicas)));
}

/// One record of each partition is wanted, and little ahead of it. (Answers must have room for a whole batch of each partition all the
/// same: one that does not fit comes alone in an answer of its own, and sixteen such take seconds.)
const std::map<std::string, std::string>& little_ahead() {
  static const std::map<std::string, std::string> properties = {{"queued.min.messages", "100"}, {"fetch.wait.max.ms", "10"}};
  return properties;
}

std::expected<CloudEvent, std::string> event_of(const kafka::Record& record, const std::string& epoch) {
  std::array<kafka::Header, kafka::Record::headers_max> room;
  return read_cloud_event(record.headers(room), record.value(), record.partition(), epoch);
}

std::string place_of(const kafka::Record& record) { return fmt::format("partition {}, offset {}", record.partition(), record.offset()); }

}  // namespace

RelayTopic::RelayTopic(const kafka::Options& options, const std::string& epoch)
    : epoch_(epoch), name_(topic_of(epoch)), admin_(options), consumer_(options, name_, little_ahead()) {}

void RelayTopic::make_or_check() {
  std::optional<kafka::Topic> topic = admin_.describe(name_);
  if (!topic) {
    const int replicas = std::min(admin_.brokers(), replicas_wanted);
    std::map<std::string, std::string> properties = properties_of_a_new_topic();
    properties["min.insync.replicas"] = std::to_string(insync_wanted(replicas));
    if (admin_.create(name_, partition_count, replicas, properties))
      log::info("relay", "the topic was made", {{"topic", name_}, {"replicas", replicas}});
    topic = admin_.describe(name_);
    if (!topic) throw kafka::Error("topic " + name_ + " was made and is not there", 0);
  }
  refuse_unless_fit(name_, *topic);
}

PartitionTails RelayTopic::read_tails(LogReader& log, const std::set<std::int16_t>& with_gaps) {
  PartitionTails tails;
  std::vector<kafka::Consumer::Start> first, last;
  const std::vector<kafka::Watermarks> marks = consumer_.watermarks(partition_count);
  for (std::int16_t p = 0; p < partition_count; ++p) {
    const auto [low, high] = marks[static_cast<std::size_t>(p)];
    tails[static_cast<std::size_t>(p)].next_offset = high;
    beginnings_[static_cast<std::size_t>(p)] = low;
    if (high == low) continue;
    first.push_back({p, low});
    last.push_back({p, high - 1});
  }
  for (const auto& [partition, record] : read_at(last)) tails[static_cast<std::size_t>(partition)].position = compare(record, log);
  for (const auto& [partition, record] : read_at(first)) {
    if (has_lost_its_beginning(record) || with_gaps.contains(partition)) empty(partition, tails[static_cast<std::size_t>(partition)]);
  }
  return tails;
}

/// What begins with no event of ours is left to the comparison of its last record.
bool RelayTopic::has_lost_its_beginning(const kafka::Record& first) const {
  const auto event = event_of(first, epoch_);
  return event && event->previous != 0;
}

void RelayTopic::empty(std::int16_t partition, PartitionTail& tail) {
  log::warning("relay", "a partition of the topic lacks records: it is filled anew",
               {{"topic", name_}, {"partition", partition}, {"position", tail.position}});
  admin_.remove_records(name_, partition, tail.next_offset);
  beginnings_[static_cast<std::size_t>(partition)] = tail.next_offset;
  tail.position = 0;
}

std::map<std::int16_t, kafka::Record> RelayTopic::read_at(std::span<const kafka::Consumer::Start> starts) {
  std::map<std::int16_t, kafka::Record> records;
  if (starts.empty()) return records;
  consumer_.assign(starts);
  const auto deadline = Clock::now() + read_timeout;
  while (records.size() < starts.size()) {
    if (Clock::now() > deadline) throw kafka::Error("the ends of topic " + name_ + " could not be read in time", 0);
    for (kafka::Record& record : consumer_.consume(partition_count, milliseconds{100})) {
      const std::int16_t partition = record.partition();
      records.try_emplace(partition, std::move(record));
    }
  }
  consumer_.assign({});
  return records;
}

/// The position of the last record of a partition, if the log has the same event there.
Position RelayTopic::compare(const kafka::Record& record, LogReader& log) const {
  constexpr const char* advice =
      "after a restore from a backup `bloomwatch begin-epoch` comes first, and begins another topic; else, if nobody needs this one, "
      "delete "
      "it: it is filled anew from the log";
  const auto event = event_of(record, epoch_);
  if (!event)
    throw TopicRefused(
        fmt::format("topic {} ends ({}) with what is no event of this log: {}; {}", name_, place_of(record), event.error(), advice));
  const Meta& meta = event->event.meta;
  const std::optional<LogPoint> point = log.point(meta.position);
  if (!point || point->event_id != meta.event_id)
    throw TopicRefused(fmt::format("topic {} holds ({}) event {} at position {}, where the log has {}; {}", name_, place_of(record),
                                   meta.event_id.to_string(), meta.position, point ? point->event_id.to_string() : "nothing", advice));
  return meta.position;
}

TopicLook RelayTopic::look(std::int16_t partition, std::int64_t next_offset) {
  try {
    if (partition == 0) {
      const std::optional<kafka::Topic> topic = admin_.describe(name_, look_timeout);
      if (!topic) return TopicLook::lacks_records;
      refuse_unless_fit(name_, *topic);
    }
    const kafka::Watermarks marks = consumer_.watermarks_of(partition, look_timeout);
    const bool whole = marks.low <= beginnings_[static_cast<std::size_t>(partition)] && marks.high >= next_offset;
    return whole ? TopicLook::whole : TopicLook::lacks_records;
  } catch (const kafka::Error& error) {
    if (error.unknown_topic()) throw;
    return TopicLook::no_answer;
  }
}

}  // namespace bloomwatch
