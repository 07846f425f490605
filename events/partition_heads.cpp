// Looks back from the head until every partition's last event is found, then follows. Narrow reads by position: no snapshot is held.
#include "events/partition_heads.h"

#include <algorithm>
#include <exception>

#include "runtime/logging.h"
#include "runtime/postgres.h"
#include "runtime/sleep.h"

namespace bloomwatch {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds ask_every{100};
constexpr milliseconds reconnect_every{500};
constexpr std::int64_t events_per_read = 16'384;

const pg::Statement head_sql("SELECT position FROM log.events ORDER BY position DESC LIMIT 1");
const pg::Statement before_sql(
    "SELECT position, partition FROM log.events WHERE position <= $1 AND position > 0 ORDER BY position DESC LIMIT $2");
const pg::Statement after_sql("SELECT position, partition FROM log.events WHERE position > $1 ORDER BY position LIMIT $2");

pg::Options reader_options(const std::string& database_url) {
  pg::Options options;
  options.url = database_url;
  options.application_name = "bloomwatch partition heads";
  options.settings = {{"enable_seqscan", "off"},
                      {"enable_bitmapscan", "off"},
                      {"jit", "off"},
                      {"max_parallel_workers_per_gather", "0"},
                      {"default_transaction_read_only", "on"},
                      {"plan_cache_mode", "force_generic_plan"}};
  return options;
}

}  // namespace

// --------------------------------------------------------------------------------------------------------------------------- positions

PartitionPositions::PartitionPositions(Position head) : head_(head) {
  for (Part& part : parts_) part.known_after = head;
}

void PartitionPositions::look_back(Position position, std::int16_t partition) {
  for (std::size_t p = 0; p < parts_.size(); ++p) {
    Part& part = parts_[p];
    const bool its_own = p == static_cast<std::size_t>(partition);
    // What is remembered has no hole: once one is left out, nothing before it counts.
    if (part.known_after != position) continue;
    if (its_own && part.remembered.size() == remembered_max) continue;
    if (its_own) part.remembered.push_front(position);
    part.known_after = position - 1;
  }
}

void PartitionPositions::looked_at_all() {
  for (Part& part : parts_)
    if (part.remembered.size() < remembered_max) part.known_after = 0;
}

bool PartitionPositions::knows_each() const {
  return std::ranges::none_of(parts_, [](const Part& part) { return part.remembered.empty(); });
}

void PartitionPositions::grow(Position position, std::int16_t partition) {
  Part& part = parts_.at(static_cast<std::size_t>(partition));
  part.remembered.push_back(position);
  if (part.remembered.size() > remembered_max) {
    part.known_after = part.remembered.front();
    part.remembered.pop_front();
  }
  head_ = position;
}

Position PartitionPositions::folded_up_to(const PartitionCheckpoints& checkpoints) const {
  Position folded = head_;
  for (std::size_t p = 0; p < parts_.size(); ++p) {
    if (checkpoints[p] >= head_) continue;
    if (checkpoints[p] < parts_[p].known_after) {
      folded = std::min(folded, checkpoints[p]);
      continue;
    }
    const auto next = std::ranges::upper_bound(parts_[p].remembered, checkpoints[p]);
    if (next != parts_[p].remembered.end()) folded = std::min(folded, *next - 1);
  }
  return folded;
}

// ------------------------------------------------------------------------------------------------------------------------------- heads

PartitionHeads::PartitionHeads(std::string database_url, Hub& hub) : database_url_(std::move(database_url)), hub_(hub) {
  subscription_ = hub_.subscribe(Hub::log_topic, [this](std::int64_t) {
    {
      const std::lock_guard lock(mutex_);
      told_ = true;
    }
    news_.notify_all();
  });
  thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
}

PartitionHeads::~PartitionHeads() {
  subscription_.reset();
  thread_.request_stop();
  thread_.join();
}

Position PartitionHeads::folded_up_to(const PartitionCheckpoints& checkpoints) const {
  const std::lock_guard lock(mutex_);
  if (positions_.head() == 0) return std::ranges::min(checkpoints);
  return positions_.folded_up_to(checkpoints);
}

Position PartitionHeads::head() const {
  const std::lock_guard lock(mutex_);
  return positions_.head();
}

void PartitionHeads::run(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    try {
      follow(stop);
    } catch (const std::exception& error) {
      log::warning("partition heads", "the log cannot be read", {{"error", error.what()}});
      sleep_for(stop, reconnect_every);
    }
  }
}

/// Begins anew with each connection: behind a lost one the log may be another.
void PartitionHeads::follow(const std::stop_token& stop) {
  pg::Connection connection(reader_options(database_url_));
  PartitionPositions fresh(connection.run(head_sql)[0].get<Position>(0));
  for (Position before = fresh.head(); !stop.stop_requested() && (before == fresh.head() || !fresh.knows_each());) {
    const pg::Result events = connection.run(before_sql, pg::Params(before, events_per_read));
    for (const pg::Row event : events) fresh.look_back(before = event.get<Position>(0), event.get<std::int16_t>(1));
    if (events.size() < events_per_read) {
      fresh.looked_at_all();
      break;
    }
    --before;
  }
  Position head = fresh.head();
  {
    const std::lock_guard lock(mutex_);
    positions_ = std::move(fresh);
  }
  tell_of_checkpoints(hub_);
  while (!stop.stop_requested()) head = follow_on(connection, head, stop);
}

/// Reads what comes after `head`, or waits for it. Returns the head that it knows then.
Position PartitionHeads::follow_on(pg::Connection& connection, Position head, const std::stop_token& stop) {
  {
    const std::lock_guard lock(mutex_);
    told_ = false;  // before the read: what is told after this ends the wait
  }
  const pg::Result events = connection.run(after_sql, pg::Params(head, events_per_read));
  std::unique_lock lock(mutex_);
  for (const pg::Row event : events) positions_.grow(event.get<Position>(0), event.get<std::int16_t>(1));
  if (events.empty()) {
    news_.wait_for(lock, stop, ask_every, [&] { return told_; });
    return head;
  }
  head = positions_.head();
  lock.unlock();
  tell_of_checkpoints(hub_);
  return head;
}

}  // namespace bloomwatch
