// How far models are whose checkpoints are kept by partition: what a quiet partition says, and what is not remembered.
#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <vector>

#include "events/partition_heads.h"

namespace bloomwatch {
namespace {

PartitionCheckpoints all_at(Position position) {
  PartitionCheckpoints checkpoints;
  checkpoints.fill(position);
  return checkpoints;
}

/// A log of events in random partitions; partition 15 has few.
std::vector<std::int16_t> random_log(std::size_t size, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  std::vector<std::int16_t> partitions;
  for (std::size_t i = 0; i < size; ++i) partitions.push_back(static_cast<std::int16_t>(random() % 100 == 0 ? 15 : random() % 15));
  return partitions;
}

/// What folded_up_to means, looked up the long way.
Position folded(const std::vector<std::int16_t>& log, const PartitionCheckpoints& checkpoints) {
  for (std::size_t i = 0; i < log.size(); ++i)
    if (checkpoints[static_cast<std::size_t>(log[i])] < static_cast<Position>(i) + 1) return static_cast<Position>(i);
  return static_cast<Position>(log.size());
}

/// What a process knows that began when the log had `looked_back` events, of which it looked at the last `depth`.
PartitionPositions known(const std::vector<std::int16_t>& log, std::size_t looked_back, std::size_t depth) {
  PartitionPositions positions(static_cast<Position>(looked_back));
  for (std::size_t i = looked_back; i > looked_back - depth; --i) positions.look_back(static_cast<Position>(i), log[i - 1]);
  if (depth == looked_back) positions.looked_at_all();
  for (std::size_t i = looked_back; i < log.size(); ++i) positions.grow(static_cast<Position>(i) + 1, log[i]);
  return positions;
}

TEST(PartitionPositions, of_an_empty_log_have_nothing_to_wait_for) {
  PartitionPositions positions(0);
  positions.looked_at_all();
  EXPECT_EQ(positions.folded_up_to(all_at(0)), 0);
}

TEST(PartitionPositions, a_quiet_partition_keeps_nobody_back) {
  PartitionPositions positions(0);
  positions.grow(1, 3);
  for (Position p = 2; p <= 100; ++p) positions.grow(p, 5);
  PartitionCheckpoints checkpoints = all_at(0);
  checkpoints[3] = 1;
  checkpoints[5] = 100;
  EXPECT_EQ(positions.folded_up_to(checkpoints), 100);
  checkpoints[5] = 60;
  EXPECT_EQ(positions.folded_up_to(checkpoints), 60);
  checkpoints[3] = 0;
  EXPECT_EQ(positions.folded_up_to(checkpoints), 0);
}

TEST(PartitionPositions, say_what_the_log_says_where_they_know_it_and_never_more) {
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    std::mt19937_64 random(seed);
    const auto log = random_log(50 + random() % 400, seed);
    const std::size_t began = random() % log.size();
    const std::size_t depth = began == 0 ? 0 : random() % (began + 1);
    const PartitionPositions positions = known(log, began, depth);
    PartitionCheckpoints checkpoints;
    for (Position& checkpoint : checkpoints) checkpoint = static_cast<Position>(random() % (log.size() + 1));
    const Position truth = folded(log, checkpoints);
    EXPECT_LE(positions.folded_up_to(checkpoints), truth) << seed;
    const bool all_known = std::ranges::min(checkpoints) >= static_cast<Position>(began - depth);
    if (all_known) EXPECT_EQ(positions.folded_up_to(checkpoints), truth) << seed;
    EXPECT_EQ(positions.folded_up_to(all_at(static_cast<Position>(log.size()))), static_cast<Position>(log.size()));
  }
}

TEST(PartitionPositions, forget_what_is_long_ago_and_say_less_then) {
  constexpr auto most = static_cast<Position>(PartitionPositions::remembered_max);
  PartitionPositions positions(0);
  for (Position p = 1; p <= most + 10; ++p) positions.grow(p, 2);
  EXPECT_EQ(positions.folded_up_to(all_at(5)), 5);
  EXPECT_EQ(positions.folded_up_to(all_at(10)), 10);
  EXPECT_EQ(positions.folded_up_to(all_at(most)), most);
  PartitionCheckpoints others_quiet = all_at(0);
  others_quiet[2] = most + 10;
  EXPECT_EQ(positions.folded_up_to(others_quiet), most + 10);
}

TEST(PartitionPositions, looking_back_into_one_busy_partition_stops_where_memory_does) {
  constexpr auto most = static_cast<Position>(PartitionPositions::remembered_max);
  PartitionPositions positions(most + 100);
  for (Position p = most + 100; p > 1; --p) positions.look_back(p, 2);
  positions.look_back(1, 7);
  positions.looked_at_all();
  PartitionCheckpoints checkpoints = all_at(0);
  checkpoints[2] = most + 100;
  EXPECT_EQ(positions.folded_up_to(checkpoints), 0);
  checkpoints[7] = 1;
  EXPECT_EQ(positions.folded_up_to(checkpoints), most + 100);
  checkpoints[2] = 50;
  EXPECT_EQ(positions.folded_up_to(checkpoints), 50);
}

TEST(PartitionPositions, know_when_looking_back_is_done) {
  PartitionPositions positions(40);
  for (Position p = 40; p > 25; --p) positions.look_back(p, static_cast<std::int16_t>(p - 25));
  EXPECT_FALSE(positions.knows_each());
  positions.look_back(25, 0);
  EXPECT_TRUE(positions.knows_each());
}

}  // namespace
}  // namespace bloomwatch
