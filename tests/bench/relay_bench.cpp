// The relay's speed. `catch-up`: the whole log into an empty topic, against a bare librdkafka producer of the same bytes that were made
// before. `latency`: from an event's recorded-at to its record in a consumer's hands, while something else writes.
// Usage: relay_bench catch-up DATABASE_URL BOOTSTRAP | relay_bench latency DATABASE_URL BOOTSTRAP SECONDS. Prints one line of JSON.
#include <fmt/core.h>

#include <algorithm>
#include <chrono>
#include <stdexcept>
#include <string>
#include <vector>

#include "events/cloud_event.h"
#include "events/log.h"
#include "events/relay.h"
#include "runtime/hub.h"
#include "runtime/kafka.h"
#include "runtime/logging.h"

namespace {

using namespace bloomwatch;
using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr std::size_t events_max = 500'000;  ///< held in memory for the bare producer
constexpr milliseconds catch_up_max{300'000};

double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

/// A record as it goes out: texts of its own, made before the clock starts.
struct Made {
  std::int16_t partition;
  std::string key;
  std::string value;
  std::vector<std::pair<std::string, std::string>> headers;
  Time time;
};

std::vector<Made> make_records(LogReader& reader, const std::string& epoch, Position until) {
  std::vector<Made> records;
  CloudEventHeaders headers(epoch);
  std::vector<Position> previous(partition_count, 0);
  for (Position position = 0; position < until;) {
    const std::size_t count = reader.read_raw(position, 10'000, [&](const RawEvent& event) {
      position = event.meta.position;
      if (position > until) return;
      Position& before = previous[static_cast<std::size_t>(event.meta.partition)];
      Made made{event.meta.partition, event.meta.partition_key.to_string(), std::string(event.data), {}, event.meta.recorded_at};
      for (const auto& [name, value] : headers.of(event, before)) made.headers.emplace_back(name, value);
      before = position;
      records.push_back(std::move(made));
    });
    if (count == 0) break;
  }
  return records;
}

/// Removes a topic and waits until the broker tells nobody of it any more: a relay that still saw it would go on from its end.
void remove_wholly(kafka::Admin& admin, const std::string& topic) {
  admin.remove(topic);
  for (const auto start = Clock::now(); admin.describe(topic);) {
    if (seconds_since(start) > 60) throw std::runtime_error("topic " + topic + " does not go");
    std::this_thread::sleep_for(milliseconds(50));
  }
}

/// Seconds of a producer with our settings that is given what is ready, in a topic of its own.
double produce(const kafka::Options& options, kafka::Admin& admin, const std::string& topic, const std::vector<Made>& records) {
  remove_wholly(admin, topic);
  admin.create(topic, partition_count, 1, {});
  std::size_t delivered = 0;
  kafka::Producer producer(options, topic, [&](const kafka::Delivery& delivery) { delivered += delivery.error ? 0 : 1; });
  const auto start = Clock::now();
  std::vector<kafka::Header> headers;
  for (const Made& made : records) {
    headers.clear();
    for (const auto& [name, value] : made.headers) headers.push_back({name, value});
    while (!producer.produce(made.partition, made.key, made.value, headers, made.time, 0)) producer.poll(milliseconds(10));
    if (delivered % 1000 == 0) producer.poll(milliseconds(0));
  }
  if (!producer.flush(catch_up_max) || delivered != records.size()) throw std::runtime_error("not all records were delivered");
  const double seconds = seconds_since(start);
  remove_wholly(admin, topic);
  return seconds;
}

/// Seconds of the relay, from when it knows that the topic is empty.
double relay(const std::string& database_url, const kafka::Options& options, Position until) {
  Hub hub;
  Relay relay({.database_url = database_url, .kafka = options, .hub = hub});
  relay.start();
  const auto made = Clock::now();
  while (relay.position() < 0 && seconds_since(made) < 60) std::this_thread::sleep_for(milliseconds(1));
  const auto start = Clock::now();
  if (!relay.wait(until, catch_up_max)) throw std::runtime_error("the relay did not catch up: " + relay.not_ready().value_or("too slow"));
  return seconds_since(start);
}

void catch_up(const std::string& database_url, const kafka::Options& options) {
  LogReader reader(database_url, "relay bench");
  const std::string epoch = reader.epoch();
  const Position until = std::min<Position>(reader.head().position, events_max);
  const std::vector<Made> records = make_records(reader, epoch, until);
  kafka::Admin admin(options);
  const std::string topic = topic_of(epoch);
  // Before and after: what a broker has taken it goes on writing, at the cost of whoever comes next.
  double bare = produce(options, admin, topic + ".bare", records);
  remove_wholly(admin, topic);
  const double relayed = relay(database_url, options, until);
  bare += produce(options, admin, topic + ".bare", records);
  const double relay_rate = static_cast<double>(until) / relayed, producer_rate = 2 * static_cast<double>(until) / bare;
  fmt::print("{{\"events\": {}, \"relay\": {:.0f}, \"producer\": {:.0f}}}\n", until, relay_rate, producer_rate);
}

void latency(const std::string& database_url, const kafka::Options& options, int seconds) {
  const std::string topic = topic_of(LogReader(database_url).epoch());
  kafka::Consumer consumer(options, topic);
  std::vector<kafka::Consumer::Start> starts;
  for (std::int16_t partition = 0; partition < partition_count; ++partition)
    starts.push_back({partition, consumer.watermarks_of(partition).high});
  consumer.assign(starts);
  std::vector<double> waits_ms;
  for (const auto until = Clock::now() + std::chrono::seconds(seconds); Clock::now() < until;)
    for (const kafka::Record& record : consumer.consume(1000, milliseconds(100)))
      if (const auto time = record.time())
        waits_ms.push_back(std::chrono::duration<double, std::milli>(std::chrono::system_clock::now() - *time).count());
  if (waits_ms.empty()) throw std::runtime_error("nothing came");
  std::ranges::sort(waits_ms);
  const auto percentile = [&](double part) { return waits_ms[static_cast<std::size_t>(part * static_cast<double>(waits_ms.size() - 1))]; };
  fmt::print("{{\"events\": {}, \"p50\": {:.1f}, \"p99\": {:.1f}}}\n", waits_ms.size(), percentile(0.5), percentile(0.99));
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string> arguments(argv + 1, argv + argc);
  log::set_level(log::Level::error);
  try {
    if (arguments.size() == 3 && arguments[0] == "catch-up") {
      catch_up(arguments[1], {.bootstrap = arguments[2], .client_id = "relay bench"});
    } else if (arguments.size() == 4 && arguments[0] == "latency") {
      latency(arguments[1], {.bootstrap = arguments[2], .client_id = "relay bench"}, std::stoi(arguments[3]));
    } else {
      fmt::print(stderr, "usage: relay_bench catch-up DATABASE_URL BOOTSTRAP | relay_bench latency DATABASE_URL BOOTSTRAP SECONDS\n");
      return 2;
    }
  } catch (const std::exception& error) {
    fmt::print(stderr, "relay_bench: {}\n", error.what());
    return 1;
  }
  return 0;
}
