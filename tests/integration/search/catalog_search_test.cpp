// The index over the rows of a real Postgres: filled, following what changes and what is merged, made anew after a rebuild, answering
// while all of it changes.
#include "query-service/search/catalog_search.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>

#include "tests/postgres_cluster.h"

namespace bloomwatch::search {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;
using namespace std::chrono_literals;

constexpr auto long_enough = 60s;

/// A database whose rows the test writes as the projector would.
class CatalogSearchTest : public testing::Test {
 protected:
  CatalogSearchTest() : url(test::fresh_database()), database(pg::Options{.url = url}) {}

  /// Rows from before to last at one position each, and the checkpoint after them, in one transaction as the projector has it.
  void write(const std::string& sql, Position reached) {
    pg::Transaction transaction(database);
    database.script(sql);
    database.script("UPDATE projection.checkpoints SET position = " + std::to_string(reached) +
                    " WHERE model = 'catalog' AND slot = 'live'");
    transaction.commit();
    head = reached;
  }
  void begin() { database.script("INSERT INTO projection.checkpoints (model, version, position) VALUES ('catalog', 1, 0)"); }
  static std::string title(int number, const std::string& name, Position position, const std::string& studio = "Kite", int partition = 3) {
    return "INSERT INTO read_catalog.titles (title, name, names, format, season, season_year, genres, tags, studios, related, external_ids,"
           " offers, score_hundredths, popularity, sources, added_at, updated_at, version, position, partition) VALUES (" +
           id_text(number) + ", '" + name + "', '[{\"text\": \"Nickname " + std::to_string(number) +
           "\", \"kind\": \"synonym\", \"source\": \"manual\"}]', 'TV', 'fall', 2023, '[\"action\"]', '[]', '[{\"slug\": \"" + studio +
           "\", \"name\": \"Studio " + studio +
           "\", \"role\": \"studio\"}]', '[]', '[]', '[{\"provider\": \"Stream\", \"region\": \"DE\", \"kind\":"
           " \"free\"}]', 850, 1000, '{}', now(), now(), 1, " +
           std::to_string(position) + ", " + std::to_string(partition) +
           ") ON CONFLICT (title) DO UPDATE SET name = excluded.name, studios = excluded.studios, position = excluded.position;";
  }
  static std::string id_text(int number) { return "'" + id(number).to_string() + "'"; }
  static Uuid id(int number) {
    Uuid uuid;
    uuid.bytes[15] = static_cast<std::uint8_t>(number);
    uuid.bytes[14] = static_cast<std::uint8_t>(number >> 8);
    uuid.bytes[6] = 0x70;
    return uuid;
  }

  void start() {
    search = std::make_unique<CatalogSearch>(url, hub, metrics);
    const auto end = std::chrono::steady_clock::now() + long_enough;
    while (!search->ready() && std::chrono::steady_clock::now() < end) std::this_thread::sleep_for(5ms);
    ASSERT_TRUE(search->ready());
  }
  std::expected<CatalogFound, Problem> ask(Query query, Position at_least, std::chrono::milliseconds wait = long_enough) {
    std::promise<std::expected<CatalogFound, Problem>> promise;
    search->ask(std::move(query), true, at_least, std::chrono::steady_clock::now() + wait,
                [&promise](auto answer) { promise.set_value(std::move(answer)); });
    return promise.get_future().get();
  }
  /// The names found, once the index is as new as the rows.
  std::vector<std::string> find(const std::string& text) {
    const auto found = ask(Query{.text = text}, head);
    EXPECT_TRUE(found);
    std::vector<std::string> names;
    if (found)
      for (const Hit& hit : found->titles.hits) names.push_back(hit.name);
    return names;
  }

  std::string url;
  pg::Connection database;
  Hub hub;
  Metrics metrics;
  Position head = 0;
  std::unique_ptr<CatalogSearch> search;  // last, so that it ends first
};

TEST_F(CatalogSearchTest, is_filled_from_the_rows_and_follows_them) {
  begin();
  write(title(1, "Gate", 5) + title(2, "Lantern", 7), 8);
  start();
  EXPECT_THAT(find("gate"), ElementsAre("Gate"));
  EXPECT_GE(search->reached(), 8);
  write(title(3, "Gateway", 9, "Kite", 11), 10);
  EXPECT_THAT(find("gate"), ElementsAre("Gate", "Gateway"));
  write(title(1, "Door", 12), 12);
  EXPECT_THAT(find("gate"), ElementsAre("Gateway"));
  EXPECT_THAT(find("nickname"), SizeIs(3));
  EXPECT_THAT(find("nickname 1").front(), "Nickname 1");
  write("UPDATE read_catalog.titles SET merged_into = " + id_text(1) + ", position = 13 WHERE title = " + id_text(3), 13);
  EXPECT_THAT(find("gateway "), IsEmpty());
  EXPECT_EQ(search->titles(), 2u);
}

TEST_F(CatalogSearchTest, has_facets_and_studios) {
  begin();
  write(title(1, "Gate", 1) + title(2, "Lantern", 2) + title(3, "Gate two", 3, "Wharf"), 3);
  start();
  const auto counts = [this](Facet facet) {
    Query query{.text = "gate", .facets = true};
    return ask(query, head)->titles.facets[static_cast<std::size_t>(facet)];
  };
  EXPECT_THAT(counts(Facet::format), ElementsAre(FacetCount{"TV", 2}));
  EXPECT_THAT(counts(Facet::year), ElementsAre(FacetCount{"2023", 2}));
  EXPECT_THAT(counts(Facet::studio), ElementsAre(FacetCount{"Kite", 1}, FacetCount{"Wharf", 1}));
  EXPECT_THAT(counts(Facet::streaming), ElementsAre(FacetCount{"Stream", 2}));
  EXPECT_THAT(counts(Facet::score), ElementsAre(FacetCount{"8", 2}));
  const auto studios = [this](const std::string& text) { return ask(Query{.text = text}, head)->studios; };
  EXPECT_THAT(studios("kit"), ElementsAre(StudioCard{"Kite", "Studio Kite", 2}));
  write(title(2, "Lantern", 4, "Wharf"), 4);
  EXPECT_THAT(studios("kit"), ElementsAre(StudioCard{"Kite", "Studio Kite", 1}));
  EXPECT_THAT(studios("studio wharf"), testing::Contains(StudioCard{"Wharf", "Studio Wharf", 2}));
  write(title(1, "Gate", 5, "Wharf"), 5);
  EXPECT_THAT(studios("kite"), IsEmpty());
}

TEST_F(CatalogSearchTest, waits_for_a_position_and_not_for_ever) {
  begin();
  write(title(1, "Gate", 1), 1);
  start();
  const auto late = ask(Query{.text = "gate"}, 2, 50ms);
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().status, 503);
  EXPECT_TRUE(late.error().retry_after);
  std::promise<std::expected<CatalogFound, Problem>> promise;
  search->ask(Query{.text = "lantern"}, false, 2, std::chrono::steady_clock::now() + long_enough,
              [&promise](auto answer) { promise.set_value(std::move(answer)); });
  write(title(2, "Lantern", 2), 2);
  hub.publish(Hub::model_topic("catalog"), 2);
  const auto found = promise.get_future().get();
  ASSERT_TRUE(found);
  EXPECT_THAT(found->titles.hits, SizeIs(1));
  EXPECT_GE(found->position, 2);
}

TEST_F(CatalogSearchTest, is_made_anew_when_the_rows_are_those_of_a_rebuild) {
  begin();
  write(title(1, "Gate", 4) + title(2, "Lantern", 5), 6);
  start();
  EXPECT_THAT(find("gate"), ElementsAre("Gate"));
  // Other rows at the same positions, one fewer, and then a checkpoint that is lower, as after a restore.
  write("DELETE FROM read_catalog.titles WHERE title = " + id_text(2) + ";" + title(1, "Harbour", 4) +
            "UPDATE projection.checkpoints SET generation = generation + 1 WHERE model = 'catalog';",
        7);
  EXPECT_THAT(find("harbour"), ElementsAre("Harbour"));
  EXPECT_THAT(find("gate"), IsEmpty());
  EXPECT_EQ(search->titles(), 1u);
  database.script("UPDATE log.epoch SET epoch = '0badcafe'");
  write(title(1, "Pier", 1) + "UPDATE projection.checkpoints SET epoch = '0badcafe' WHERE model = 'catalog';", 2);
  const auto end = std::chrono::steady_clock::now() + long_enough;
  while (find("pier").empty() && std::chrono::steady_clock::now() < end) std::this_thread::sleep_for(5ms);
  EXPECT_THAT(find("pier"), ElementsAre("Pier"));
}

TEST_F(CatalogSearchTest, says_so_until_the_read_model_has_begun) {
  start();
  EXPECT_EQ(search->reached(), -1);
  EXPECT_FALSE(ask(Query{}, 0, 20ms));
  begin();
  write(title(1, "Gate", 1), 1);
  EXPECT_THAT(find("gate"), ElementsAre("Gate"));
}

TEST_F(CatalogSearchTest, follows_each_partition_from_its_own_checkpoint) {
  for (int partition = 0; partition < partition_count; ++partition)
    database.script("INSERT INTO projection.checkpoints (model, partition, version, position) VALUES ('catalog', " +
                    std::to_string(partition) + ", 1, " + (partition == 3 ? "10" : "0") + ")");
  database.script(title(1, "Gate", 9));
  start();
  EXPECT_EQ(search->titles(), 1u);
  // Partition 11 was behind: its row's position is lower than what partition 3 has reached.
  pg::Transaction transaction(database);
  database.script(title(2, "Lantern", 6, "Kite", 11) + "UPDATE projection.checkpoints SET position = 6 WHERE partition = 11");
  transaction.commit();
  const auto end = std::chrono::steady_clock::now() + long_enough;
  while (search->titles() < 2 && std::chrono::steady_clock::now() < end) std::this_thread::sleep_for(5ms);
  EXPECT_EQ(search->titles(), 2u);
}

TEST_F(CatalogSearchTest, answers_while_every_title_changes) {
  constexpr int titles = 1500;
  begin();
  const auto all = [](const std::string& suffix, Position first) {
    std::string sql;
    for (int i = 1; i <= titles; ++i) sql += title(i, "Gate " + std::to_string(i) + suffix, first + i);
    return sql;
  };
  write(all("", 0), titles);
  start();
  std::atomic<bool> done = false;
  std::vector<std::jthread> readers;
  std::atomic<int> answers = 0;
  for (int i = 0; i < 2; ++i)
    readers.emplace_back([&] {
      while (!done) {
        const auto found = ask(Query{.text = "gate", .limit = 5, .facets = true}, 0);
        ASSERT_TRUE(found);
        EXPECT_EQ(found->titles.total, titles);
        ++answers;
      }
    });
  for (int round = 1; round <= 3; ++round) {
    write(all(" again " + std::to_string(round), round * titles), (round + 1) * titles);
    EXPECT_THAT(find("gate 700 again " + std::to_string(round)).front(), "Gate 700 again " + std::to_string(round));
  }
  done = true;
  readers.clear();
  EXPECT_GT(answers, 0);
  EXPECT_EQ(search->titles(), static_cast<std::size_t>(titles));
}

}  // namespace
}  // namespace bloomwatch::search
