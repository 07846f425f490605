// The pages of recaps over random histories of a year and a half: every figure against tests/data/recaps_from_log.sql, of periods that are
// over and of one that is not.
#include "events/recap_period.h"
#include "query-service/recaps/recap.h"
#include "tests/integration/pages/told_pages.h"

namespace bloomwatch::test {
namespace {

class AnyRecap : public ToldPages {
 protected:
  AnyRecap() { connection.script(text_of_file("tests/data/recaps_from_log.sql")); }

  std::string bare_recap(const std::string& page) { return value("SELECT told.bare_recap($1::text::jsonb)::text", {page}); }
  std::string told(const std::string& function, const Uuid& whose, const RecapPeriod& period) {
    return value("SELECT told." + function + "($1::text::uuid, $2::text::date, $3::text::date, 'Europe/Berlin')::text",
                 {whose.to_string(), date_text(period.first_day()), date_text(period.end_day())});
  }
  void expect_recaps_as_told(const History& history, const std::string& period) {
    const RecapPeriod parsed = *RecapPeriod::from(period);
    for (const History::Space& space : history.spaces()) {
      EXPECT_EQ(bare_recap(get(space, "/api/watch-spaces/" + space.id.to_string() + "/recaps/" + period)),
                told("space_recap", space.id.uuid, parsed))
          << space.id.to_string() << ' ' << period;
      const ProfileId member = *space.members.begin();
      EXPECT_EQ(bare_recap(get(member, "/api/me/recaps/" + period)), told("my_recap", member.uuid, parsed)) << period;
    }
  }
};

TEST_P(AnyRecap, gives_the_figures_that_the_log_gives) {
  History history(static_cast<std::uint64_t>(GetParam()), *parse_rfc3339("2025-01-05T00:00:00Z"), std::chrono::hours(9));
  Follower follower = open_follower();
  for (int round = 0; round < 2; ++round) {
    append(history.next(400));
    fold_all(follower);
    for (const std::string period : {"2025", "2026", "2025-03", "2025-11"}) expect_recaps_as_told(history, period);
  }
}

TEST_P(AnyRecap, counts_no_title_that_only_those_have_rated_who_left) {
  History history(static_cast<std::uint64_t>(GetParam()), *parse_rfc3339("2025-11-05T00:00:00Z"), std::chrono::hours(1));
  Follower follower = open_follower();
  const ProfileId stays = history.register_user(), leaves = history.register_user();
  const std::size_t space = history.create_space(stays);
  history.join(space, leaves);
  for (int i = 0; i < 3; ++i) history.rate(history.add_anime(space), leaves, 90);
  history.rate(0, stays, 80);
  history.leave(space, leaves);
  append(history.take());
  fold_all(follower);
  expect_recaps_as_told(history, "2025-11");
  const std::string recap = get(history.spaces()[space], "/api/watch-spaces/" + history.spaces()[space].id.to_string() + "/recaps/2025-11");
  EXPECT_EQ(value("SELECT $1::text::jsonb ->> 'ratedCount'", {recap}), "1");
}

TEST_P(AnyRecap, begins_and_ends_with_the_right_session_of_many) {
  History history(static_cast<std::uint64_t>(GetParam()), *parse_rfc3339("2025-11-05T12:00:00Z"));
  Follower follower = open_follower();
  const ProfileId member = history.register_user();
  const std::size_t anime = history.add_anime(history.create_space(member));
  for (int i = 0; i < 4 * evenings_of_day_max; ++i) history.watch(anime, 1);
  append(history.take());
  fold_all(follower);
  const WatchSpaceId space = history.spaces().front().id;
  const std::string page = bare_recap(get(member, "/api/watch-spaces/" + space.to_string() + "/recaps/2025-11"));
  const std::string all = told("space_recap", space.uuid, *RecapPeriod::from("2025-11"));
  for (const std::string end : {"first", "last"}) {
    const std::string sql = "SELECT $1::text::jsonb ->> '" + end + "'";
    EXPECT_EQ(value(sql, {page}), value(sql, {all})) << end;
  }
}

INSTANTIATE_TEST_SUITE_P(Seeds, AnyRecap, testing::Range(1, 3));

}  // namespace
}  // namespace bloomwatch::test
