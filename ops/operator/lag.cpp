// `bloomwatch lag`: how far each consumer of the log is behind it, partition by partition, and who holds which: the topic that the relay
// fills, and the read models that projectors fold. Works on the database alone where there is no Kafka: then a read model is one row.
#include <fmt/core.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "events/cloud_event.h"
#include "events/feed.h"
#include "events/log.h"
#include "ops/operator/subcommands.h"
#include "ops/operator/target.h"
#include "projector/checkpoints.h"
#include "projector/models.h"
#include "runtime/config.h"
#include "runtime/kafka.h"

namespace bloomwatch::ops {
namespace {

constexpr std::int64_t counted_per_read = 50'000;
/// Events that are looked at, back from the head; who is further behind is told to be so at least.
constexpr Position look_back_max = 5'000'000;
constexpr std::chrono::milliseconds topic_patience{10'000};

/// One consumer in one partition, or in the whole log.
struct Lag {
  std::string consumer;
  std::int16_t partition = Cursor::whole_log;
  Position checkpoint = 0;
  Position last = 0;  ///< event that concerns it; 0: none was found
  std::int64_t behind = 0;
  bool settled = false;  ///< an event at or before the checkpoint was seen, so there is no more to count
  std::string holder = "-";

  bool concerns(std::int16_t of) const { return partition == Cursor::whole_log || partition == of; }
};

/// A model that no projector has begun has folded nothing of all there is.
std::vector<Lag> model_lags(pg::Connection& connection) {
  std::vector<Lag> lags;
  for (const auto& model : projection::all_models()) {
    const std::string name(model->name());
    const auto rows = read_checkpoints(connection, name, projection::Slot::live).rows;
    for (const auto& [partition, row] : rows) lags.push_back({name, partition, row.position});
    if (rows.empty()) lags.push_back({.consumer = name, .holder = "nobody: not folded yet"});
  }
  return lags;
}

/// The position of the last event in each partition of the topic; 0 where there is none.
std::map<std::int16_t, Position> topic_tails(const kafka::Options& options, const std::string& epoch) {
  kafka::Consumer consumer(options, topic_of(epoch));
  std::map<std::int16_t, Position> tails;
  std::vector<kafka::Consumer::Start> last;
  for (const auto& [low, high] : consumer.watermarks(partition_count)) {
    const auto partition = static_cast<std::int16_t>(tails.size());
    tails[partition] = 0;
    if (high > low) last.push_back({partition, high - 1});
  }
  if (last.empty()) return tails;
  consumer.assign(last);
  const auto until = std::chrono::steady_clock::now() + topic_patience;
  for (std::size_t seen = 0; seen < last.size() && std::chrono::steady_clock::now() < until;)
    for (const kafka::Record& record : consumer.consume(kafka::Consumer::batch_max, std::chrono::milliseconds(200))) {
      std::array<kafka::Header, kafka::Record::headers_max> room;
      const auto event = read_cloud_event(record.headers(room), record.value(), record.partition(), epoch);
      if (tails[record.partition()] == 0) ++seen;
      tails[record.partition()] = std::max(tails[record.partition()], event ? event->event.meta.position : 0);
    }
  return tails;
}

void add_topic(std::vector<Lag>& lags, const kafka::Options& options, const std::string& epoch) {
  for (const auto& [partition, position] : topic_tails(options, epoch)) lags.push_back({"(topic)", partition, position});
  for (const auto& member : kafka::Admin(options).members(group_of(projector_group, epoch), topic_of(epoch)))
    for (Lag& lag : lags)
      if (lag.consumer != "(topic)" && std::ranges::find(member.partitions, lag.partition) != member.partitions.end())
        lag.holder = member.client_id + ' ' + member.host;
}

/// Goes back from the head until every lag is settled. Returns the head.
Position look_back(pg::Connection& connection, std::vector<Lag>& lags) {
  static const pg::Statement before(
      "SELECT position, partition FROM log.events WHERE position <= $1 AND position > 0 ORDER BY position DESC LIMIT $2");
  const Position head = connection.query("SELECT max(position) FROM log.events")[0].get<Position>(0);
  Position at = head;
  const auto open = [&](const Lag& lag) { return lag.checkpoint < at && !lag.settled; };
  while (at > 0 && head - at < look_back_max && std::ranges::any_of(lags, open)) {
    for (const pg::Row row : connection.run(before, pg::Params(at, counted_per_read))) {
      at = row.get<Position>(0) - 1;
      for (Lag& lag : lags) {
        if (!lag.concerns(row.get<std::int16_t>(1))) continue;
        lag.last = std::max(lag.last, at + 1);
        lag.settled = at + 1 <= lag.checkpoint;
        lag.behind += lag.settled ? 0 : 1;
      }
    }
  }
  return head;
}

std::string in_words(std::int16_t partition) { return partition == Cursor::whole_log ? "whole log" : std::to_string(partition); }

void print(const std::vector<Lag>& lags, Position head) {
  fmt::print("{:<10} {:>9} {:>12} {:>12} {:>10}  {}\n", "consumer", "partition", "checkpoint", "last event", "behind", "held by");
  std::map<std::string, std::int64_t> sums;
  for (const Lag& lag : lags) {
    fmt::print("{:<10} {:>9} {:>12} {:>12} {:>10}  {}\n", lag.consumer, in_words(lag.partition), lag.checkpoint,
               lag.last == 0 ? "-" : std::to_string(lag.last), lag.behind, lag.holder);
    sums[lag.consumer] += lag.behind;
  }
  fmt::print("\nthe log's head is {}\n", head);
  for (const auto& [consumer, behind] : sums) fmt::print("{} is {} events behind\n", consumer, behind);
}

int lag(const Target& target) {
  const std::string database_url = target.database();
  const Config config = target.with_kafka();
  pg::Connection connection(pg::Options{.url = database_url, .application_name = "bloomwatch lag"});
  std::vector<Lag> lags = model_lags(connection);
  std::string kafka_trouble;
  if (!config.kafka_bootstrap.empty()) {
    const kafka::Options kafka = kafka::options_of(config, "bloomwatch-lag");
    try {
      add_topic(lags, kafka, LogReader(database_url, "bloomwatch lag").epoch());
    } catch (const kafka::Error& error) {  // the models' are known all the same, and wanted most when something is down
      kafka_trouble = error.what();
    }
  }
  const Position head = look_back(connection, lags);
  print(lags, head);
  if (kafka_trouble.empty()) return 0;
  fmt::print(stderr, "bloomwatch lag: Kafka did not say all of how far the topic is and who holds which partition: {}\n", kafka_trouble);
  return 1;
}

}  // namespace

void add_lag(CLI::App& program, Action& action) {
  auto target = std::make_shared<Target>();
  CLI::App* subcommand =
      program.add_subcommand("lag", "How far the topic and the read models are behind the log, and who holds which partition");
  add_target(*subcommand, *target, {SettingGroup::kafka});
  subcommand->callback([target, &action] { action = [target] { return lag(*target); }; });
}

}  // namespace bloomwatch::ops
