// Pages of read models whose checkpoints are kept by partition, as a Kafka feed keeps them: no page shows less than its token says, and a
// partition in which nothing happens keeps nobody waiting. The partitions are folded here one by one, from the log.
#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <random>
#include <thread>

#include "events/log.h"
#include "projector/follower.h"
#include "projector/models.h"
#include "tests/integration/pages/world.h"

namespace bloomwatch::test {
namespace {

struct Shows {
  std::int64_t total_shows = 0;
};
BOOST_DESCRIBE_STRUCT(Shows, (), (total_shows))
struct DashboardSize {
  Shows stats;
};
BOOST_DESCRIBE_STRUCT(DashboardSize, (), (stats))

class PagesByPartition : public testing::Test {
 protected:
  PagesByPartition() {
    World::get().fold(false);
    std::vector<std::int16_t> all;
    for (std::int16_t p = 0; p < partition_count; ++p) all.push_back(p);
    follower.open(all);
    while (fold_all()) {
    }
  }
  ~PagesByPartition() override { World::get().fold(true); }

  /// What one partition has left, at most `limit` events.
  bool fold(std::int16_t partition, std::size_t limit = 10'000) {
    const auto events = reader.read_partition(partition, follower.cursor().at(partition), reader.head().position, limit);
    follower.fold(events);
    return !events.empty();
  }
  bool fold_all() {
    bool some = false;
    for (std::int16_t p = 0; p < partition_count; ++p) some = fold(p) || some;
    return some;
  }
  static std::int16_t partition_of_space(const std::string& path) {
    return partition_of(PartitionKey(*Uuid::parse(path.substr(path.rfind('/') + 1))));
  }
  static Answer add(const Person& person, const std::string& space, int id) {
    return person.post(space + "/anime", "{\"anilistMediaId\":" + std::to_string(id) + "}");
  }

  LogReader reader{World::get().url()};
  projection::Follower follower{World::get().url(), projection::Slot::live, projection::all_models()};
};

TEST_F(PagesByPartition, do_not_wait_for_a_partition_in_which_nothing_happens) {
  const Person mira("quiet");
  while (fold_all()) {
  }
  const std::string space = mira.make_space("Quiet");
  Position last = 0;
  for (int i = 1; i <= 20; ++i) {
    const Answer added = add(mira, space, 100 + i);
    ASSERT_EQ(added.status(), 201);
    while (fold(partition_of_space(space), 3)) {
    }
    const Answer page = mira.get(space + "/dashboard?atLeast=" + added.at(), "wait=10");
    ASSERT_EQ(page.status(), 200) << page.response.body;
    EXPECT_EQ(page.as<DashboardSize>().stats.total_shows, i);
    last = added.as<Told>().position;
  }
  // The others stand where they stood, and it says that it has reached the token all the same.
  const Answer page = mira.get(space + "/dashboard?atLeast=" + std::to_string(last));
  EXPECT_TRUE(page.header("Bloomwatch-Position").ends_with('.' + std::to_string(last))) << page.header("Bloomwatch-Position");
}

TEST_F(PagesByPartition, wait_for_what_happened_before_in_any_partition) {
  const Person mira("waiting");
  while (fold_all()) {
  }
  const std::string one = mira.make_space("One");
  std::string other = mira.make_space("Other");
  while (partition_of_space(other) == partition_of_space(one)) other = mira.make_space("Other");
  while (fold_all()) {
  }
  add(mira, other, 1);
  const Answer added = add(mira, one, 2);
  const std::string path = one + "/dashboard?atLeast=" + added.at();
  while (fold(partition_of_space(one))) {
  }
  EXPECT_EQ(mira.get(path, "wait=0").status(), 503);
  auto waits = std::async(std::launch::async, [&] { return mira.get(path, "wait=10"); });
  std::this_thread::sleep_for(std::chrono::milliseconds(100));
  while (fold(partition_of_space(other))) {
  }
  EXPECT_EQ(waits.get().status(), 200);
}

TEST_F(PagesByPartition, never_show_older_rows_than_their_token) {
  const Person mira("newest");
  std::vector<std::string> spaces;
  for (int i = 0; i < 5; ++i) spaces.push_back(mira.make_space("Many"));
  std::atomic<bool> done = false;
  std::jthread folding([&] {
    std::mt19937_64 random(1);
    while (!done) {
      fold(static_cast<std::int16_t>(random() % partition_count), 1 + random() % 3);
      std::this_thread::sleep_for(std::chrono::microseconds(random() % 500));
    }
  });
  std::mt19937_64 random(2);
  std::vector<std::int64_t> added(spaces.size());
  for (int i = 0; i < 150; ++i) {
    const std::size_t which = random() % spaces.size();
    const Answer answer = add(mira, spaces[which], 1000 + i);
    ASSERT_EQ(answer.status(), 201);
    ++added[which];
    const std::size_t shown = random() % spaces.size();
    const Answer page = mira.get(spaces[shown] + "/dashboard?atLeast=" + answer.at(), "wait=10");
    ASSERT_EQ(page.status(), 200) << page.response.body;
    ASSERT_EQ(page.as<DashboardSize>().stats.total_shows, added[shown]);
  }
  done = true;
}

}  // namespace
}  // namespace bloomwatch::test
