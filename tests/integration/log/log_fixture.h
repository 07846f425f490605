// Events and batches for the tests of the log, and a pipeline that is asked for one outcome at a time.
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <vector>

#include "events/log.h"
#include "tests/postgres_cluster.h"

namespace bloomwatch::test {

inline NewEvent new_event(Uuid stream, Version version, std::string data = R"({"n": 1})", PartitionKey key = {}) {
  NewEvent event;
  event.stream = {"anime", stream};
  event.version = version;
  event.type = "AnimeRated";
  event.event_id = EventId(Uuid::v7(now()));
  event.partition_key = key == PartitionKey{} ? PartitionKey(stream) : key;
  event.recorded_at = now();
  event.by.command = CommandId(Uuid::v7(now()));
  event.by.correlation = CorrelationId(Uuid::v7(now()));
  event.data = std::move(data);
  return event;
}

/// `count` events, each in a stream of its own.
inline Batch batch_after(const LogPoint& fence, std::size_t count) {
  Batch batch{.fence = fence};
  for (std::size_t i = 0; i < count; ++i) batch.events.push_back(new_event(Uuid::v7(now()), 1));
  return batch;
}

/// `count` versions of one new stream.
inline Batch stream_after(const LogPoint& fence, Uuid stream, std::size_t count) {
  Batch batch{.fence = fence};
  for (std::size_t i = 0; i < count; ++i) batch.events.push_back(new_event(stream, static_cast<Version>(i) + 1));
  return batch;
}

inline IdempotencyRecord record_of(IdempotencyKey key) {
  IdempotencyRecord record;
  record.key = key;
  record.body_mac.fill(9);
  record.command = CommandId(Uuid::v7(now()));
  record.id = Uuid::v7(now());
  record.version = 3;
  record.position = 4;
  record.refusal = "not-a-member";
  record.created = true;
  return record;
}

inline std::vector<AppendResult> outcomes(AppendPipeline& pipeline, std::size_t count) {
  std::vector<AppendResult> results;
  while (results.size() < count) {
    const auto some = pipeline.poll(std::chrono::seconds(20));
    if (some.empty()) break;
    for (const AppendOutcome& outcome : some) results.push_back(outcome.result);
  }
  return results;
}

inline AppendResult append(AppendPipeline& pipeline, const Batch& batch) {
  pipeline.send(batch);
  return outcomes(pipeline, 1).at(0);
}

/// A fresh log with a writer and a reader.
class LogTest : public testing::Test {
 protected:
  LogTest() { writer.reconnect(); }

  std::string url = fresh_database();
  AppendPipeline writer{url};
  LogReader reader{url};
};

}  // namespace bloomwatch::test
