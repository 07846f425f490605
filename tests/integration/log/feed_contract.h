// What every feed promises. A feed takes part by a FeedSource and a line of INSTANTIATE_TEST_SUITE_P.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <memory>

#include "events/feed.h"
#include "tests/integration/log/log_fixture.h"

namespace bloomwatch::test {

/// A feed of a log: made for a database, and told (as a relay would be) that the log grew.
struct FeedSource {
  std::string name;
  std::function<std::unique_ptr<Feed>(const std::string& database_url, Hub& hub)> make;

  friend void PrintTo(const FeedSource& source, std::ostream* out) { *out << source.name; }
};

class FeedContract : public testing::TestWithParam<FeedSource> {
 protected:
  FeedContract() { writer.reconnect(); }

  /// Appends `count` events, as the writer does it: commit, then publish.
  void append_events(std::size_t count) {
    const Batch batch = batch_after(reader.head(), count);
    ASSERT_EQ(append(writer, batch), AppendResult::committed);
    hub.publish(Hub::log_topic, batch.last().position);
  }

  /// Reads until `count` events came, or nothing for two seconds.
  static std::vector<RecordedEvent> read_all(Feed& feed, Cursor& cursor, std::size_t count, std::size_t limit) {
    std::vector<RecordedEvent> all;
    while (all.size() < count) {
      FeedBatch batch = feed.next(cursor, limit, std::chrono::seconds(2));
      if (batch.events.empty()) break;
      EXPECT_LE(batch.events.size(), limit);
      cursor.advance(batch.cursor);
      std::ranges::move(batch.events, std::back_inserter(all));
    }
    return all;
  }

  static Cursor start_of(Feed& feed) {
    Cursor cursor;
    for (const std::int16_t partition : feed.partitions()) cursor.positions[partition] = 0;
    return cursor;
  }

  std::string url = fresh_database();
  Hub hub;
  AppendPipeline writer{url};
  LogReader reader{url};
  std::unique_ptr<Feed> feed = GetParam().make(url, hub);
};

}  // namespace bloomwatch::test
