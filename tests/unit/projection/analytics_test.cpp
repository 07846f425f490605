// The fold of analytics: what a space's numbers are made of, from lists of events.
#include "projector/analytics/analytics.h"

#include <gmock/gmock.h>

#include "tests/unit/projection/folding.h"

namespace bloomwatch::test {
namespace {

using testing::Field;

class AnalyticsFold : public Folding<Analytics> {
 public:
  AnalyticsFold& add(std::uint8_t number, std::optional<std::int32_t> minutes, TrackingStatus status = TrackingStatus::backlog) {
    AnimeAdded event;
    event.watch_space = space();
    event.title = title(number);
    event.media = {"anilist", "1"};
    event.snapshot.episode_minutes = minutes;
    event.shared_status = status;
    in_anime(number, event);
    return *this;
  }
  AnalyticsFold& watch(std::uint8_t session, std::uint8_t number, std::string_view when, std::int32_t last, std::vector<Attendee> there,
                       std::string zone = "UTC") {
    WatchSessionRecorded event;
    event.session = evening(session);
    event.title = title(number);
    event.session_date = *parse_rfc3339(when);
    event.time_zone = std::move(zone);
    event.start_episode = 1;
    event.end_episode = last;
    event.participants = std::move(there);
    in_anime(number, event);
    return *this;
  }

  AnalyticsFold& status(TrackingStatus status) {
    in_anime(1, SharedStatusChanged{.status = status});
    return *this;
  }
  AnalyticsFold& undo(Position position, TrackingStatus back_to) {
    undoing(position);
    return status(back_to);
  }

  SpaceNumbers numbers() const { return or_nothing(model.spaces.peek(space())); }
  MonthSum month(std::int32_t month) const { return or_nothing(model.months.peek({space(), month})); }
  MemberMonthSum of(ProfileId profile, std::int32_t month = all_months) const {
    return or_nothing(model.member_months.peek({space(), month, profile}));
  }
  std::int64_t sessions_on(int y, unsigned m, unsigned d) const {
    using namespace std::chrono;
    return or_nothing(model.days.peek({space(), day_number(Date(local_days(year(y) / month_of(m) / day(d))))})).sessions;
  }
  std::int64_t scored(ProfileId profile, std::int16_t tenths) const {
    return or_nothing(model.scores.peek({space(), profile, tenths})).anime;
  }
  std::vector<MomentKind> told() const {
    std::map<Position, MomentKind> moments;
    model.moments.each([&](const MomentRow& row, std::int16_t) { moments[row.position] = row.kind; });
    std::vector<MomentKind> kinds;
    for (const auto& [position, kind] : moments) kinds.push_back(kind);
    return kinds;
  }
  /// The finishes that are told, by position, and whose they are.
  std::map<Position, std::optional<ProfileId>> finishes() const {
    std::map<Position, std::optional<ProfileId>> told;
    model.moments.each([&](const MomentRow& row, std::int16_t) {
      if (row.kind == MomentKind::anime_finished) told[row.position] = row.profile;
    });
    return told;
  }

 private:
  static std::chrono::month month_of(unsigned m) { return std::chrono::month(m); }
  template <class Row>
  static Row or_nothing(const Row* row) {
    return row == nullptr ? Row{} : *row;
  }
};

const Attendee one{person(1), Attendance::present};
const Attendee two{person(2), Attendance::present};
const Attendee asked{person(2), Attendance::invited};

TEST(Analytics, counts_anime_by_shared_status) {
  AnalyticsFold fold;
  fold.add(1, 24).add(2, 24, TrackingStatus::watching).add(3, 24, TrackingStatus::paused).add(4, {}, TrackingStatus::dropped);
  fold.in_anime(1, SharedStatusChanged{.status = TrackingStatus::finished});
  const SpaceNumbers sum = fold.numbers();
  EXPECT_EQ(sum.backlog, 0);
  EXPECT_EQ(sum.finished, 1);
  EXPECT_EQ(sum.watching, 1);
  EXPECT_EQ(sum.paused, 1);
  EXPECT_EQ(sum.dropped, 1);
}

TEST(Analytics, keeps_episodes_of_unknown_length_apart) {
  AnalyticsFold fold;
  fold.add(1, 24).add(2, {}).add(3, {});
  fold.in_anime(1, SharedProgressChanged{.episodes = 5}).in_anime(2, SharedProgressChanged{.episodes = 3});
  EXPECT_EQ(fold.numbers().episodes, 8);
  EXPECT_EQ(fold.numbers().minutes, 120);
  EXPECT_EQ(fold.numbers().untimed, 3);
  EXPECT_EQ(fold.numbers().untimed_titles, 1);
  fold.in_anime(2, SharedProgressChanged{.episodes = 0}).in_anime(1, SharedProgressChanged{.episodes = 4});
  EXPECT_EQ(fold.numbers().minutes, 96);
  EXPECT_EQ(fold.numbers().untimed, 0);
  EXPECT_EQ(fold.numbers().untimed_titles, 0);
}

TEST(Analytics, an_evening_counts_for_its_month_its_day_and_who_was_there) {
  AnalyticsFold fold;
  fold.add(1, 24).watch(1, 1, "2026-10-31T20:00:00Z", 3, {one, two}).watch(2, 1, "2026-11-01T20:00:00Z", 2, {one});
  EXPECT_EQ(fold.month(202610).episodes, 3);
  EXPECT_EQ(fold.month(202611).minutes, 48);
  EXPECT_EQ(fold.month(all_months).sessions, 2);
  EXPECT_EQ(fold.month(all_months).episodes, 5);
  EXPECT_EQ(fold.sessions_on(2026, 10, 31), 1);
  EXPECT_EQ(fold.of(person(1)).sessions, 2);
  EXPECT_EQ(fold.of(person(2)).episodes, 3);
  EXPECT_EQ(fold.of(person(2), 202611).sessions, 0);
}

TEST(Analytics, a_day_is_that_of_the_evenings_own_time_zone) {
  AnalyticsFold fold;
  fold.add(1, 24).watch(1, 1, "2026-10-31T23:30:00Z", 1, {one}, "Europe/Berlin").watch(2, 1, "2026-11-01T00:30:00Z", 1, {one}, "UTC");
  fold.watch(3, 1, "2026-11-01T03:00:00Z", 1, {one}, "America/New_York");
  EXPECT_EQ(fold.sessions_on(2026, 11, 1), 2);
  EXPECT_EQ(fold.sessions_on(2026, 10, 31), 1);
  EXPECT_EQ(fold.month(202611).sessions, 2);
}

TEST(Analytics, who_was_asked_counts_once_they_say_that_they_were_there) {
  AnalyticsFold fold;
  fold.add(1, {}).watch(1, 1, "2026-11-01T20:00:00Z", 4, {one, asked});
  EXPECT_EQ(fold.of(person(2)).sessions, 0);
  fold.in_anime(1, AttendanceConfirmed{evening(1), person(2), title(1)});
  EXPECT_EQ(fold.of(person(2)).sessions, 1);
  EXPECT_EQ(fold.of(person(2), 202611).untimed, 4);
  fold.in_anime(1, AttendanceReopened{evening(1), person(2), title(1)});
  EXPECT_EQ(fold.of(person(2)).sessions, 0);
  fold.in_anime(1, AttendanceDeclined{evening(1), person(2), title(1)});
  EXPECT_EQ(fold.of(person(2)).sessions, 0);
  EXPECT_EQ(fold.month(all_months).sessions, 1);
}

TEST(Analytics, an_evening_that_was_taken_back_counts_nowhere_until_it_is_back) {
  AnalyticsFold fold;
  fold.add(1, 24).watch(1, 1, "2026-11-01T20:00:00Z", 4, {one, asked});
  fold.in_anime(1, WatchSessionRemoved{evening(1), title(1)});
  EXPECT_EQ(fold.month(202611).sessions, 0);
  EXPECT_EQ(fold.month(all_months).minutes, 0);
  EXPECT_EQ(fold.sessions_on(2026, 11, 1), 0);
  EXPECT_EQ(fold.of(person(1)).episodes, 0);
  EXPECT_THAT(fold.told(), testing::ElementsAre(MomentKind::anime_added));
  fold.in_anime(1, AttendanceConfirmed{evening(1), person(2), title(1)});
  EXPECT_EQ(fold.of(person(2)).sessions, 0);
  fold.in_anime(1, WatchSessionRestored{evening(1), title(1)});
  EXPECT_EQ(fold.month(202611).sessions, 1);
  EXPECT_EQ(fold.of(person(1)).episodes, 4);
  EXPECT_EQ(fold.of(person(2)).sessions, 1);
  EXPECT_THAT(fold.told(), testing::ElementsAre(MomentKind::anime_added, MomentKind::session));
}

TEST(Analytics, a_score_that_changes_moves_and_one_that_is_cleared_goes) {
  AnalyticsFold fold;
  fold.add(1, 24).add(2, 24).rated(1, person(1), 85).rated(2, person(1), 85).rated(1, person(2), 85);
  EXPECT_EQ(fold.scored(person(1), 85), 2);
  fold.rated(1, person(1), 90);
  EXPECT_EQ(fold.scored(person(1), 85), 1);
  EXPECT_EQ(fold.scored(person(1), 90), 1);
  fold.in_anime(1, RatingCleared{person(1), title(1)}).in_anime(1, RatingCleared{person(1), title(1)});
  EXPECT_EQ(fold.scored(person(1), 90), 0);
  EXPECT_EQ(fold.scored(person(2), 85), 1);
}

TEST(Analytics, an_anime_that_left_its_space_counts_nowhere_until_it_is_back) {
  AnalyticsFold fold;
  fold.add(1, {}, TrackingStatus::watching).rated(1, person(1), 85).in_anime(1, SharedProgressChanged{.episodes = 5});
  const SpaceNumbers before = fold.numbers();
  fold.in_anime(1, AnimeRemoved{title(1), {}});
  SpaceNumbers nothing;
  nothing.watch_space = space();
  EXPECT_EQ(fold.numbers(), nothing);
  EXPECT_EQ(fold.scored(person(1), 85), 0);
  EXPECT_TRUE(fold.told().empty());
  fold.in_anime(1, AnimeRestored{title(1), {}});
  EXPECT_EQ(fold.numbers(), before);
  EXPECT_EQ(fold.scored(person(1), 85), 1);
  EXPECT_THAT(fold.told(), testing::ElementsAre(MomentKind::anime_added));
}

TEST(Analytics, tells_when_an_anime_was_finished_last) {
  AnalyticsFold fold;
  fold.add(1, 24).in_anime(1, SharedStatusChanged{.status = TrackingStatus::finished});
  fold.in_anime(1, SharedStatusChanged{.status = TrackingStatus::watching});
  EXPECT_THAT(fold.told(), testing::ElementsAre(MomentKind::anime_added, MomentKind::anime_finished));
  fold.in_anime(1, SharedStatusChanged{.status = TrackingStatus::finished});
  EXPECT_THAT(fold.told(), testing::ElementsAre(MomentKind::anime_added, MomentKind::anime_finished));
  EXPECT_EQ(fold.model.moments.peek({space(), 2}), nullptr);
  EXPECT_NE(fold.model.moments.peek({space(), 4}), nullptr);
}

TEST(Analytics, does_not_tell_of_a_finish_that_was_taken_back) {
  AnalyticsFold fold;
  fold.add(1, 24).status(TrackingStatus::finished);
  fold.undo(2, TrackingStatus::backlog);
  EXPECT_THAT(fold.finishes(), testing::IsEmpty());
  fold.undo(3, TrackingStatus::finished);
  EXPECT_THAT(fold.finishes(), testing::ElementsAre(testing::Pair(2, person(1))));
  fold.undo(4, TrackingStatus::backlog);
  EXPECT_THAT(fold.finishes(), testing::IsEmpty());
  fold.undo(3, TrackingStatus::finished);
  EXPECT_THAT(fold.finishes(), testing::ElementsAre(testing::Pair(2, person(1))));
}

TEST(Analytics, tells_of_a_finish_as_before_when_what_came_after_it_is_taken_back) {
  AnalyticsFold fold;
  fold.add(1, 24).status(TrackingStatus::finished).status(TrackingStatus::paused).status(TrackingStatus::dropped);
  fold.by = person(2);
  fold.undo(4, TrackingStatus::paused);
  EXPECT_THAT(fold.finishes(), testing::ElementsAre(testing::Pair(2, person(1))));
  fold.undo(3, TrackingStatus::finished);
  EXPECT_THAT(fold.finishes(), testing::ElementsAre(testing::Pair(2, person(1))));
}

TEST(Analytics, tells_of_the_finish_before_when_a_later_one_is_taken_back) {
  AnalyticsFold fold;
  fold.add(1, 24).status(TrackingStatus::finished).status(TrackingStatus::watching);
  fold.by = person(2);
  fold.status(TrackingStatus::finished);
  EXPECT_THAT(fold.finishes(), testing::ElementsAre(testing::Pair(4, person(2))));
  fold.undo(4, TrackingStatus::watching);
  EXPECT_THAT(fold.finishes(), testing::ElementsAre(testing::Pair(2, person(1))));
  fold.undo(3, TrackingStatus::finished).undo(2, TrackingStatus::backlog);
  EXPECT_THAT(fold.finishes(), testing::IsEmpty());
}

TEST(Analytics, remembers_so_many_finishes_of_an_anime_and_undos_of_one) {
  AnalyticsFold fold;
  fold.add(1, 24);
  for (std::size_t i = 0; i < 2 * finishes_max; ++i) fold.status(TrackingStatus::finished).status(TrackingStatus::watching);
  const Position last = 4 * static_cast<Position>(finishes_max);
  EXPECT_EQ(fold.model.anime.peek(anime(1))->finishes.size(), finishes_max);
  EXPECT_THAT(fold.finishes(), testing::ElementsAre(testing::Pair(last, person(1))));
  Position undone = last;
  for (Position next = last + 2; next < last + 2 + 2 * static_cast<Position>(sayings_max); ++next) {
    fold.undo(undone, next % 2 == 0 ? TrackingStatus::watching : TrackingStatus::finished);
    undone = next;
  }
  EXPECT_EQ(fold.model.anime.peek(anime(1))->finishes.back().said_by.size(), sayings_max);
  EXPECT_THAT(fold.finishes(), testing::ElementsAre(testing::Pair(last, person(1))));
}

TEST(Analytics, does_not_tell_of_a_finish_that_an_import_brought) {
  AnalyticsFold fold;
  fold.origin = OriginKind::import;
  fold.add(1, 24).in_anime(1, SharedStatusChanged{.status = TrackingStatus::finished});
  EXPECT_EQ(fold.numbers().finished, 1);
  EXPECT_THAT(fold.finishes(), testing::IsEmpty());
  fold.origin = OriginKind::app;
  fold.status(TrackingStatus::paused).undo(3, TrackingStatus::finished);
  EXPECT_THAT(fold.finishes(), testing::IsEmpty());
}

TEST(Analytics, tells_who_came_and_went) {
  AnalyticsFold fold;
  fold.in_space(WatchSpaceCreated{"Ours", "UTC", {}}).in_space(MemberJoined{person(1), SpaceRole::owner, {}});
  fold.in_space(MemberJoined{person(2), SpaceRole::member, {}}).in_space(MemberLeft{person(2)}).in_space(MemberRemoved{person(3)});
  EXPECT_THAT(fold.told(), testing::ElementsAre(MomentKind::space_created, MomentKind::member_joined, MomentKind::member_joined,
                                                MomentKind::member_left, MomentKind::member_left));
}

TEST(Analytics, numbers_days_and_months) {
  using namespace std::chrono;
  EXPECT_EQ(day_number(Date(local_days(1970y / 1 / 2))), 1);
  EXPECT_EQ(month_of_day(day_number(Date(local_days(2026y / 11 / 30)))), 202611);
  EXPECT_EQ(month_of_day(day_number(Date(local_days(1900y / 1 / 1)))), 190001);
}

}  // namespace
}  // namespace bloomwatch::test
