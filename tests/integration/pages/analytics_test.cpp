// The pages of analytics over random histories: every figure against tests/data/analytics_from_log.sql.
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

}  // namespace
}  // namespace bloomwatch::test
