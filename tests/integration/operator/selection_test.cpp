// What a replay takes of the log, piece by piece.
#include "ops/operator/replay/selection.h"

#include <gmock/gmock.h>

#include "tests/integration/log/log_fixture.h"

namespace bloomwatch::ops {
namespace {

using bloomwatch::test::append;
using bloomwatch::test::new_event;

using SelectionTest = bloomwatch::test::LogTest;

TEST_F(SelectionTest, gives_all_of_a_space_whatever_the_pieces) {
  constexpr std::size_t count = Selection::events_ahead_max + 10;
  const Uuid stream = Uuid::v7(now());
  const PartitionKey wanted_space(Uuid::v7(now()));
  LogPoint at = reader.head();
  std::vector<Position> wanted;
  for (Version version = 1; wanted.size() < count;) {
    Batch batch{.fence = at};
    for (int i = 0; i < 1'000; ++i) batch.events.push_back(new_event(stream, version++, "{}", wanted_space));
    batch.events.push_back(new_event(Uuid::v7(now()), 1));
    for (Position i = 1; i <= 1'000; ++i) wanted.push_back(at.position + i);
    ASSERT_EQ(append(writer, batch), AppendResult::committed);
    at = batch.last();
  }
  constexpr std::size_t piece = 7'777;  // does not divide what is read ahead
  Selection selection(reader, {.space = wanted_space.uuid.to_string()});
  std::vector<Position> given;
  std::size_t pieces = 0;
  for (Position after = 0; after < at.position; ++pieces) {
    const std::size_t before = given.size();
    after = selection.read(after, at.position, piece, [&](const RawEvent& event) { given.push_back(event.meta.position); });
    EXPECT_LE(given.size() - before, piece);
    ASSERT_LT(pieces, 10U);
  }
  EXPECT_EQ(given, wanted);
}

TEST_F(SelectionTest, begins_at_no_time_to_come_but_may_end_there) {
  ASSERT_EQ(append(writer, bloomwatch::test::batch_after(reader.head(), 3)), AppendResult::committed);
  const std::string to_come = to_rfc3339(now() + std::chrono::hours(1));
  EXPECT_THROW(first_position(reader, to_come), std::runtime_error);
  EXPECT_EQ(first_position(reader, "4"), 4) << "a position may be";
  EXPECT_EQ(first_position(reader, "2020-01-01"), 1);
  EXPECT_EQ(last_position(reader, to_come), 3);
}

}  // namespace
}  // namespace bloomwatch::ops
