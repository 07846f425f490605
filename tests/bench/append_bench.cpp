// Append throughput: batches of 500 through AppendPipeline against plain COPY of the same rows into the same table without the log's checks
// (no fence, no trigger; all indexes). Prints events/s of each round, the medians and their ratio. Usage: append_bench DATABASE_URL
// [EVENTS] The database must be migrated and its own: the log is emptied between rounds.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "events/log.h"
#include "runtime/migrate.h"
#include "runtime/postgres.h"

namespace {

using namespace bloomwatch;
using Clock = std::chrono::steady_clock;

std::size_t batch_size = 500;

/// Ratings in 1,000 spaces of 10 anime: the log's commonest event. Each anime is a stream.
std::vector<NewEvent> make_events(std::size_t count) {
  std::vector<Uuid> spaces, anime, people;
  for (int i = 0; i < 1000; ++i) spaces.push_back(Uuid::v7(now()));
  for (int i = 0; i < 10'000; ++i) anime.push_back(Uuid::v7(now()));
  for (int i = 0; i < 2'000; ++i) people.push_back(Uuid::v7(now()));
  std::vector<Version> versions(anime.size(), 0);
  std::vector<NewEvent> events;
  events.reserve(count);
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t a = (i * 7919) % anime.size();
    NewEvent event;
    event.stream = {"anime", anime[a]};
    event.version = ++versions[a];
    event.type = "AnimeRated";
    event.event_id = EventId(Uuid::v7(now()));
    event.partition_key = PartitionKey(spaces[a % spaces.size()]);
    event.recorded_at = now();
    event.by.account = UserId(people[i % people.size()]);
    event.by.profile = ProfileId(people[i % people.size()]);
    event.by.command = CommandId(Uuid::v7(now()));
    event.by.correlation = CorrelationId(Uuid::v7(now()));
    event.data = R"({"profile":")" + people[i % people.size()].to_string() + R"(","title":")" + anime[(a * 31) % anime.size()].to_string() +
                 R"(","scoreTenths":)" + std::to_string(5 + 5 * (i % 20)) + "}";
    events.push_back(std::move(event));
  }
  return events;
}

double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

void empty_log(pg::Connection& connection) {
  connection.script(
      "ALTER TABLE log.events DISABLE TRIGGER events_are_immutable; CREATE TEMP TABLE genesis AS SELECT * FROM log.events WHERE position = "
      "0;"
      "TRUNCATE log.events, log.idempotency; INSERT INTO log.events SELECT * FROM genesis; DROP TABLE genesis;"
      "ALTER TABLE log.events ENABLE TRIGGER events_are_immutable");
  connection.script("CHECKPOINT");
}

/// One round through the pipeline; events/s.
double append_all(const std::string& url, std::vector<NewEvent>& events, bool with_keys) {
  AppendPipeline pipeline(url);
  pipeline.reconnect();
  LogReader reader(url);
  LogPoint at = reader.head();
  std::vector<Batch> batches;
  for (std::size_t i = 0; i < events.size(); i += batch_size) {
    Batch batch;
    batch.fence = at;
    const auto first = events.begin() + static_cast<std::ptrdiff_t>(i);
    batch.events.assign(first, first + static_cast<std::ptrdiff_t>(std::min(batch_size, events.size() - i)));
    if (with_keys) {
      for (const NewEvent& event : batch.events)
        batch.idempotency.push_back(
            {IdempotencyKey(event.event_id.uuid), {}, event.by.command, event.stream.id, event.version, 1, {}, false});
    }
    at = batch.last();
    batches.push_back(std::move(batch));
  }
  const auto start = Clock::now();
  std::size_t sent = 0;
  for (std::size_t done = 0; done < batches.size();) {
    while (sent < batches.size() && pipeline.has_room()) pipeline.send(batches[sent++]);
    for (const AppendOutcome& outcome : pipeline.poll(std::chrono::seconds(10))) {
      if (outcome.result != AppendResult::committed) {
        std::fprintf(stderr, "batch %zu: %s\n", static_cast<std::size_t>(outcome.batch), outcome.detail.c_str());
        std::exit(1);
      }
      ++done;
    }
  }
  return static_cast<double>(events.size()) / seconds_since(start);
}

/// The rows of the log in COPY's own form; outside the measured time.
std::vector<std::string> rows_of_log(pg::Connection& connection, const std::string& format) {
  std::vector<std::string> rows;
  connection.copy_out("COPY (SELECT * FROM log.events WHERE position > 0 ORDER BY position) TO STDOUT " + format,
                      [&](std::string_view row) { rows.emplace_back(row); });
  return rows;
}

double copy_all(pg::Connection& connection, const std::vector<std::string>& rows, std::size_t events, const std::string& format,
                std::size_t rows_a_copy) {
  connection.script("DROP TABLE IF EXISTS public.plain; CREATE TABLE public.plain (LIKE log.events INCLUDING ALL)");
  connection.script("CHECKPOINT");
  const auto start = Clock::now();
  std::size_t next = 0;
  while (next < rows.size()) {
    const std::size_t until = std::min(rows.size(), next + rows_a_copy);
    connection.copy_in("COPY public.plain FROM STDIN " + format, [&](std::string& out) {
      for (; next < until && out.size() < 65'536; ++next) out += rows[next];
      return next < until;
    });
  }
  return static_cast<double>(events) / seconds_since(start);
}

double median(std::vector<double> values) {
  std::ranges::sort(values);
  return values[values.size() / 2];
}

/// A migrated database for the time of the measurement.
class OwnDatabase {
 public:
  explicit OwnDatabase(const std::string& beside) : beside_(beside) {
    pg::Connection({.url = beside_}).script("CREATE DATABASE " + name_);
    url_ = beside_ + (beside_.find("://") == std::string::npos ? " " : beside_.contains('?') ? "&" : "?") + "dbname=" + name_;
    migrate(url_, migrations_folder());
  }
  ~OwnDatabase() {
    try {
      pg::Connection({.url = beside_}).script("DROP DATABASE " + name_ + " WITH (FORCE)");
    } catch (const pg::Error& error) {
      std::fprintf(stderr, "%s stays: %s\n", name_.c_str(), error.what());
    }
  }
  OwnDatabase(const OwnDatabase&) = delete;
  OwnDatabase& operator=(const OwnDatabase&) = delete;
  const std::string& url() const { return url_; }

 private:
  std::string beside_;
  std::string name_ = "append_bench_" + Uuid::v7(now()).to_string().substr(24);
  std::string url_;
};

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fprintf(stderr, "usage: append_bench DATABASE_URL [EVENTS [BATCH]]\n");
    return 2;
  }
  const OwnDatabase database(argv[1]);
  const std::string& url = database.url();
  if (argc > 3) batch_size = static_cast<std::size_t>(std::atoll(argv[3]));
  const std::size_t count = argc > 2 ? static_cast<std::size_t>(std::atoll(argv[2])) : 300'000;
  std::vector<NewEvent> events = make_events(count);
  pg::Connection connection({.url = url, .statement_timeout = {}});
  std::vector<double> append, keyed, copy, copy_500, copy_binary;
  for (int round = 0; round < 4; ++round) {  // the first warms up: fresh WAL segments stall commits
    empty_log(connection);
    const double with_keys = append_all(url, events, true);
    empty_log(connection);
    const double appended = append_all(url, events, false);
    const auto text = rows_of_log(connection, "");
    const double copied = copy_all(connection, text, count, "", text.size());
    const double copied_500 = copy_all(connection, text, count, "", batch_size);
    const auto binary = rows_of_log(connection, "(FORMAT binary)");
    const double copied_binary = copy_all(connection, binary, count, "(FORMAT binary)", binary.size());
    std::printf("round %d: append %.0f/s, with idempotency %.0f/s, COPY %.0f/s, COPY of 500 %.0f/s, COPY binary %.0f/s\n", round, appended,
                with_keys, copied, copied_500, copied_binary);
    std::fflush(stdout);
    if (round == 0) continue;
    append.push_back(appended);
    keyed.push_back(with_keys);
    copy.push_back(copied);
    copy_500.push_back(copied_500);
    copy_binary.push_back(copied_binary);
  }
  std::printf("{\"append\": %.0f, \"copy\": %.0f, \"append_with_idempotency\": %.0f, \"copy_of_500\": %.0f, \"copy_binary\": %.0f}\n",
              median(append), median(copy), median(keyed), median(copy_500), median(copy_binary));
  return 0;
}
