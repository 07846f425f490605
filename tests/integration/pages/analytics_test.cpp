// The pages of analytics over random histories: every figure against tests/data/analytics_from_log.sql.
#include <array>

#include "tests/integration/pages/told_pages.h"

namespace bloomwatch::test {
namespace {

class AnyAnalytics : public ToldPages {
 protected:
  static std::string path_of(const History::Space& space) { return "/api/watch-spaces/" + space.id.to_string() + "/analytics/"; }

  void expect_pages_as_told(const History& history) {
    for (const History::Space& space : history.spaces()) {
      const std::string path = path_of(space);
      const std::string zone = "'" + space.time_zone + "'";
      EXPECT_EQ(bare(get(space, path + "shared-stats?limit=60")),
                log_says(space, "shared_stats($1::text::uuid, " + zone + ", (now() AT TIME ZONE " + zone + ")::date, 60)"));
      EXPECT_EQ(bare(get(space, path + "rating-distribution")), log_says(space, "rating_distribution($1::text::uuid)"));
      EXPECT_EQ(bare(get(space, path + "compatibility")), log_says(space, "compatibility($1::text::uuid)"));
      EXPECT_EQ(bare(items(space, path + "rating-gaps?limit=7")), log_says(space, "rating_gaps($1::text::uuid)"));
      EXPECT_EQ(
          value("SELECT COALESCE(jsonb_agg(value ORDER BY place DESC), '[]')::text FROM jsonb_array_elements(told.bare($1::text::jsonb))"
                " WITH ORDINALITY AS e (value, place)",
                {items(space, path + "rating-gaps?order=most-aligned&limit=3")}),
          log_says(space, "rating_gaps($1::text::uuid)"));
      EXPECT_EQ(
          value("SELECT jsonb_agg((value - 'anime' - 'session') || jsonb_build_object('animeId', value #> '{anime,id}', 'sessionId',"
                " value #> '{session,id}') ORDER BY place)::text FROM jsonb_array_elements(told.bare($1::text::jsonb)) WITH ORDINALITY AS e"
                " (value, place)",
                {items(space, path + "timeline?limit=20")}),
          log_says(space, "timeline($1::text::uuid)"));
    }
  }
};

TEST_P(AnyAnalytics, gives_the_figures_that_the_log_gives) {
  History history(static_cast<std::uint64_t>(GetParam()));
  Follower follower = open_follower();
  for (int round = 0; round < 3; ++round) {
    append(history.next(500));
    fold_all(follower);
    expect_pages_as_told(history);
  }
}

INSTANTIATE_TEST_SUITE_P(Seeds, AnyAnalytics, testing::Range(1, 5));

class GapsOfAGroup : public AnyAnalytics {};

TEST_P(GapsOfAGroup, are_all_there_where_a_page_stops_among_the_pairs_of_an_anime) {
  constexpr std::array<std::int16_t, 8> scores = {50, 50, 60, 60, 60, 60, 50, 60};
  History history(static_cast<std::uint64_t>(GetParam()));
  Follower follower = open_follower();
  std::vector<ProfileId> people;
  for (std::size_t i = 0; i < scores.size(); ++i) people.push_back(history.register_user());
  const std::size_t space = history.create_space(people[0]);
  for (std::size_t i = 1; i < people.size(); ++i) history.join(space, people[i]);
  for (int i = 0; i < 150; ++i) {
    const std::size_t anime = history.add_anime(space);
    for (std::size_t p = 0; p < people.size(); ++p) history.rate(anime, people[p], scores[p]);
  }
  const auto expect_all = [&] {
    append(history.take());
    fold_all(follower);
    for (const char* limit : {"200", "7"}) {
      const std::string gaps = path_of(history.spaces()[space]) + "rating-gaps?limit=" + limit;
      const std::string told = log_says(history.spaces()[space], "rating_gaps($1::text::uuid)");
      EXPECT_EQ(bare(items(people[0], gaps)), told);
      EXPECT_EQ(value("SELECT jsonb_agg(value ORDER BY place DESC)::text FROM jsonb_array_elements(told.bare($1::text::jsonb)) WITH"
                      " ORDINALITY AS e (value, place)",
                      {items(people[0], gaps + "&order=most-aligned")}),
                told);
    }
  };
  expect_all();
  for (std::size_t i = 1; i < people.size(); ++i) history.leave(space, people[i]);
  for (std::size_t i = 1; i < people.size(); ++i) {
    history.join(space, people[i]);
    expect_all();
    history.leave(space, people[i]);
  }
}

INSTANTIATE_TEST_SUITE_P(Seeds, GapsOfAGroup, testing::Range(1, 2));

}  // namespace
}  // namespace bloomwatch::test
