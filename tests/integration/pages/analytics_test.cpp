// The pages of analytics over random histories: every figure against tests/data/analytics_from_log.sql, which computes it anew from the
// events and knows nothing of folds.
#include <gtest/gtest.h>

#include "query-service/analytics/pages.h"
#include "tests/integration/pages/any_history.h"

namespace bloomwatch::test {
namespace {

/// A random history, folded, and its pages.
class AnyAnalytics : public PagesOfAnyHistory, public testing::WithParamInterface<int> {
 protected:
  AnyAnalytics() { connection.script(text_of_file("tests/data/analytics_from_log.sql")); }

  /// The page, and all items of the list, as a member of the space sees them.
  std::string get(const History::Space& space, const std::string& target) { return PagesOfAnyHistory::get(*space.members.begin(), target); }
  std::string items(const History::Space& space, const std::string& target) {
    return PagesOfAnyHistory::items(*space.members.begin(), path_of(space) + target);
  }

  static std::string path_of(const History::Space& space) { return "/api/watch-spaces/" + space.id.to_string() + "/analytics/"; }

  /// A page without its labels, as Postgres writes it.
  std::string bare(const std::string& page) { return value("SELECT told.bare($1::text::jsonb)::text", {page}); }

  void expect_pages_as_told(const History& history) {
    for (const History::Space& space : history.spaces()) {
      const std::string path = path_of(space);
      EXPECT_EQ(bare(get(space, path + "shared-stats?limit=60")),
                log_says(space, "shared_stats($1::text::uuid, 'Europe/Berlin', (now() AT TIME ZONE 'Europe/Berlin')::date, 60)"));
      EXPECT_EQ(bare(get(space, path + "rating-distribution")), log_says(space, "rating_distribution($1::text::uuid)"));
      EXPECT_EQ(bare(get(space, path + "compatibility")), log_says(space, "compatibility($1::text::uuid)"));
      EXPECT_EQ(bare(items(space, "rating-gaps?limit=7")), log_says(space, "rating_gaps($1::text::uuid)"));
      EXPECT_EQ(
          value("SELECT COALESCE(jsonb_agg(value ORDER BY place DESC), '[]')::text FROM jsonb_array_elements(told.bare($1::text::jsonb))"
                " WITH ORDINALITY AS e (value, place)",
                {items(space, "rating-gaps?order=most-aligned&limit=3")}),
          log_says(space, "rating_gaps($1::text::uuid)"));
      EXPECT_EQ(
          value("SELECT jsonb_agg((value - 'anime' - 'session') || jsonb_build_object('animeId', value #> '{anime,id}', 'sessionId',"
                " value #> '{session,id}') ORDER BY place)::text FROM jsonb_array_elements(told.bare($1::text::jsonb)) WITH ORDINALITY AS e"
                " (value, place)",
                {items(space, "timeline?limit=20")}),
          log_says(space, "timeline($1::text::uuid)"));
    }
  }

  /// What the log says; `call` with the space as `$1`.
  std::string log_says(const History::Space& space, const std::string& call) {
    return value("SELECT told." + call + "::text", {space.id.to_string()});
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
