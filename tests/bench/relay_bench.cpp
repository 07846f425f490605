// The relay catching up from zero, against a bare librdkafka producer of the same bytes (made beforehand, held in memory), in turns, each
// to a new topic; then the relay's latency at a steady rate. Prints events/s of each round, the medians and their ratio, and the latency's
// median and p99. Usage: relay_bench DATABASE_URL KAFKA [EVENTS] [ROUNDS]; the database must be migrated and its own.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <thread>
#include <vector>

#include "events/cloud_event.h"
#include "events/log.h"
#include "events/relay.h"
#include "runtime/logging.h"
#include "runtime/migrate.h"
#include "runtime/postgres.h"

namespace {

using namespace bloomwatch;
using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr std::chrono::minutes patience{10};
constexpr int latency_events = 3000;

double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

NewEvent rating(const std::vector<Uuid>& spaces, std::size_t i) {
  NewEvent event;
  event.stream = {"anime", Uuid::v7(now())};
  event.version = 1;
  event.type = "AnimeRated";
  event.event_id = EventId(Uuid::v7(now()));
  event.partition_key = PartitionKey(spaces[(i * 7919) % spaces.size()]);
  event.recorded_at = now();
  event.by.account = UserId(spaces[i % spaces.size()]);
  event.by.profile = ProfileId(spaces[i % spaces.size()]);
  event.by.command = CommandId(Uuid::v7(now()));
  event.by.correlation = CorrelationId(Uuid::v7(now()));
  event.data = R"({"profile":")" + spaces[i % spaces.size()].to_string() + R"(","title":")" + event.stream.id.to_string() +
               R"(","scoreTenths":)" + std::to_string(5 + 5 * (i % 20)) + "}";
  return event;
}

/// Appends until the log has that many events.
void fill(AppendPipeline& pipeline, LogReader& log, const std::vector<Uuid>& spaces, Position count) {
  LogPoint head = log.head();
  while (head.position < count) {
    Batch batch{.fence = head};
    for (std::size_t i = 0; i < 500; ++i) batch.events.push_back(rating(spaces, static_cast<std::size_t>(head.position) + i));
    head = batch.last();
    while (!pipeline.has_room()) pipeline.poll(milliseconds{1000});
    pipeline.send(batch);
  }
  while (pipeline.in_flight() > 0) pipeline.poll(milliseconds{1000});
}

/// A record of which nothing is left to do but to produce it.
struct Ready {
  std::int16_t partition;
  std::string key;
  std::string value;
  std::vector<std::pair<std::string, std::string>> texts;
  std::vector<kafka::Header> headers;
  Time time;
};

std::vector<Ready> make_ready(LogReader& log, Position count) {
  std::vector<Ready> records;
  records.reserve(static_cast<std::size_t>(count));
  CloudEventHeaders headers(log.epoch());
  std::array<Position, partition_count> previous{};
  for (Position after = 0; after < count;) {
    after += static_cast<Position>(log.read_raw(after, 5000, [&](const RawEvent& event) {
      Position& before = previous[static_cast<std::size_t>(event.meta.partition)];
      Ready& ready = records.emplace_back(
          Ready{event.meta.partition, event.meta.partition_key.to_string(), std::string(event.data), {}, {}, event.meta.recorded_at});
      for (const kafka::Header& header : headers.of(event, before)) ready.texts.emplace_back(header.name, header.value);
      for (const auto& [name, value] : ready.texts) ready.headers.push_back({name, value});
      before = event.meta.position;
    }));
  }
  return records;
}

double produce_bare(const kafka::Options& options, const std::vector<Ready>& records) {
  const std::string topic = "bloomwatch.bench." + Uuid::v7(now()).to_string();
  kafka::Admin admin(options);
  admin.create(topic, partition_count, 1, {{"retention.ms", "-1"}});
  kafka::Producer producer(options, topic, {});
  const auto started = Clock::now();
  for (const Ready& record : records) {
    while (!producer.produce(record.partition, record.key, record.value, record.headers, record.time, 0)) producer.poll(milliseconds{10});
  }
  producer.flush(patience);
  const double rate = static_cast<double>(records.size()) / seconds_since(started);
  admin.remove(topic);
  return rate;
}

/// From starting the relay (lease, making the topic) to the last acknowledgement.
double relay_from_zero(const std::string& database_url, const kafka::Options& options, Position count) {
  pg::Connection connection({.url = database_url});
  const std::string topic = topic_of(begin_epoch(connection));
  Hub hub;
  Relay relay({.database_url = database_url, .kafka = options, .hub = hub});
  const auto started = Clock::now();
  relay.start();
  if (!relay.wait(count, patience)) std::printf("the relay did not get there: %s\n", relay.not_ready().value_or("?").c_str());
  const double rate = static_cast<double>(count) / seconds_since(started);
  relay.stop();
  kafka::Admin(options).remove(topic);
  return rate;
}

/// 1,000 events a second, one in an append: milliseconds from the commit to Kafka's acknowledgement.
std::vector<double> latencies(const std::string& database_url, const kafka::Options& options, AppendPipeline& pipeline, LogReader& log,
                              const std::vector<Uuid>& spaces) {
  Hub hub;
  Relay relay({.database_url = database_url, .kafka = options, .hub = hub});
  relay.start();
  LogPoint head = log.head();
  relay.wait(head.position, patience);
  std::vector<double> took;
  auto next = Clock::now();
  for (int i = 0; i < latency_events; ++i) {
    std::this_thread::sleep_until(next += milliseconds{1});
    Batch batch{.fence = head, .events = {rating(spaces, static_cast<std::size_t>(i))}};
    head = batch.last();
    pipeline.send(batch);
    while (pipeline.in_flight() > 0) pipeline.poll(milliseconds{1000});
    const auto committed = Clock::now();
    hub.publish(Hub::log_topic, head.position);
    if (i % 10 != 0) continue;  // those in between are load
    while (relay.position() < head.position) std::this_thread::sleep_for(std::chrono::microseconds{100});
    took.push_back(seconds_since(committed) * 1000);
  }
  std::ranges::sort(took);
  return took;
}

double median(std::vector<double> values) {
  std::ranges::sort(values);
  return values[values.size() / 2];
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) {
    std::fprintf(stderr, "usage: relay_bench DATABASE_URL KAFKA [EVENTS] [ROUNDS]\n");
    return 2;
  }
  const std::string url = argv[1];
  const kafka::Options options{.bootstrap = argv[2]};
  const Position count = argc > 3 ? std::atoll(argv[3]) : 500'000;
  const int rounds = argc > 4 ? std::atoi(argv[4]) : 3;
  log::set_level(log::Level::warning);
  migrate(url, migrations_folder());
  std::vector<Uuid> spaces;
  for (int i = 0; i < 1000; ++i) spaces.push_back(Uuid::v7(now()));
  AppendPipeline pipeline(url);
  pipeline.reconnect();
  LogReader log(url);
  fill(pipeline, log, spaces, count);
  const std::vector<Ready> records = make_ready(log, count);
  std::size_t bytes = 0;
  for (const Ready& record : records) {
    bytes += record.key.size() + record.value.size();
    for (const auto& [name, value] : record.texts) bytes += name.size() + value.size();
  }
  std::vector<double> bare, relayed;
  for (int round = 0; round < rounds; ++round) {
    bare.push_back(produce_bare(options, records));
    relayed.push_back(relay_from_zero(url, options, static_cast<Position>(records.size())));
    std::printf("round %d: bare producer %.0f events/s, relay %.0f events/s\n", round + 1, bare.back(), relayed.back());
  }
  std::printf("median of %zu events of %zu bytes: bare producer %.0f events/s, relay %.0f events/s, %.0f %%\n", records.size(),
              bytes / records.size(), median(bare), median(relayed), 100 * median(relayed) / median(bare));
  const std::vector<double> took = latencies(url, options, pipeline, log, spaces);
  std::printf("latency at 1,000 events/s: median %.1f ms, p99 %.1f ms\n", took[took.size() / 2], took[took.size() * 99 / 100]);
  return 0;
}
