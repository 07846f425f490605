// The fold of recaps, from lists of events: which day and which month things belong to.
#include <gmock/gmock.h>

#include <utility>

#include "projector/analytics/analytics.h"
#include "projector/recaps/recaps.h"
#include "tests/unit/projection/folding.h"

namespace bloomwatch::test {
namespace {

constexpr std::string_view berlin = "Europe/Berlin";

/// Recaps fold by the time of recording, so this tells it for each event.
class Fold {
 public:
  Recaps model;
  OriginKind origin = OriginKind::app;
  Position undoes = 0;  ///< what the next event takes back

  Fold() { happens("2025-01-01T00:00:00Z", space().uuid, WatchSpaceCreated{"Ours", std::string(berlin), {}}); }

  template <class E>
  Fold& happens(std::string_view when, const Uuid& stream, const E& event) {
    Meta meta;
    meta.position = ++position_;
    meta.event_id = event_at(position_);
    if (undoes != 0) meta.undoes = event_at(std::exchange(undoes, 0));
    meta.stream = {"", stream};
    meta.partition_key = PartitionKey(space().uuid);
    meta.recorded_at = *parse_rfc3339(when);
    meta.by.profile = person(1);
    meta.by.origin.kind = origin;
    projection::fold(model, AnyEvent(event), meta);
    return *this;
  }
  Fold& add(std::uint8_t number) {
    AnimeAdded event;
    event.watch_space = space();
    event.title = title(number);
    event.snapshot.episode_minutes = 24;
    return happens("2025-01-01T00:00:00Z", anime(number).uuid, event);
  }
  Fold& rate(std::string_view when, std::uint8_t number, ProfileId who, std::int16_t tenths) {
    return happens(when, anime(number).uuid, AnimeRated{who, title(number), tenths, {}});
  }
  Fold& watch(std::string_view when, std::vector<Attendee> there, std::string_view zone = berlin) {
    WatchSessionRecorded event;
    event.session = evening(1);
    event.title = title(1);
    event.session_date = *parse_rfc3339(when);
    event.time_zone = zone;
    event.start_episode = 1;
    event.end_episode = 3;
    event.participants = std::move(there);
    return happens("2026-06-01T00:00:00Z", anime(1).uuid, event);
  }
  Fold& clear(std::string_view when, std::uint8_t number, ProfileId who) {
    return happens(when, anime(number).uuid, RatingCleared{who, title(number)});
  }
  /// Undoes the last event.
  Fold& undo() {
    undoes = position_;
    return *this;
  }
  const RatedRow* rated(std::int32_t period) const { return model.rated.peek({space(), period, anime(1)}); }
  std::optional<int> own(ProfileId who, std::int32_t period) const {
    const OwnScoreRow* row = model.own_scores.peek({who, period, anime(1)});
    return row == nullptr ? std::nullopt : std::optional<int>(row->score_tenths);
  }
  std::int64_t episodes(ProfileId who, std::int32_t month) const {
    const MemberTitleSum* sum = model.member_titles.peek({who, month, title(1), anime(1)});
    return sum == nullptr ? 0 : sum->episodes;
  }

 private:
  static EventId event_at(Position position) { return EventId(uuid_of(6, static_cast<std::uint8_t>(position))); }

  Position position_ = 0;
};

TEST(Recaps, count_a_session_on_its_own_day_whenever_it_is_said) {
  Fold fold;
  fold.add(1).watch("2025-10-31T23:30:00Z", {{person(1), Attendance::present}, {person(2), Attendance::invited}});
  EXPECT_EQ(fold.episodes(person(1), 202511), 3);  // it is November where they live
  EXPECT_EQ(fold.episodes(person(2), 202511), 0);
  fold.happens("2026-07-01T00:00:00Z", anime(1).uuid, AttendanceConfirmed{evening(1), person(2), title(1)});
  EXPECT_EQ(fold.episodes(person(2), 202511), 3);
  fold.happens("2026-07-02T00:00:00Z", anime(1).uuid, WatchSessionRemoved{evening(1), title(1)});
  EXPECT_EQ(fold.episodes(person(1), 202511) + fold.episodes(person(2), 202511), 0);
  fold.happens("2026-07-03T00:00:00Z", anime(1).uuid, AttendanceReopened{evening(1), person(2), title(1)});
  fold.happens("2026-07-04T00:00:00Z", anime(1).uuid, WatchSessionRestored{evening(1), title(1)});
  EXPECT_EQ(fold.episodes(person(1), 202511), 3);
  EXPECT_EQ(fold.episodes(person(2), 202511), 0);
}

TEST(Recaps, show_the_scores_that_stood_at_the_periods_end) {
  Fold fold;
  fold.add(1).rate("2025-10-05T12:00:00Z", 1, person(1), 80).rate("2025-10-31T22:30:00Z", 1, person(2), 60);
  EXPECT_EQ(fold.rated(202510)->spread_tenths, 20);
  fold.rate("2025-10-31T23:30:00Z", 1, person(2), 90);  // November where they live
  EXPECT_EQ(fold.rated(202510)->spread_tenths, 20);
  EXPECT_EQ(fold.rated(202511)->mean_thousandths, 8500);
  EXPECT_EQ(fold.rated(2025)->mean_thousandths, 8500);
  EXPECT_EQ(fold.own(person(2), 202510), 60);
  EXPECT_EQ(fold.own(person(2), 2025), 90);
  EXPECT_EQ(fold.own(person(1), 202511), std::nullopt);
}

TEST(Recaps, forget_in_their_own_time_what_was_cleared) {
  Fold fold;
  fold.add(1).rate("2025-10-05T12:00:00Z", 1, person(1), 80).rate("2025-11-05T12:00:00Z", 1, person(2), 60);
  fold.happens("2025-11-06T12:00:00Z", anime(1).uuid, RatingCleared{person(2), title(1)});
  EXPECT_EQ(fold.rated(202511), nullptr);  // what stands was given in October
  EXPECT_EQ(fold.rated(2025)->score_tenths.size(), 1U);
  fold.happens("2026-02-06T12:00:00Z", anime(1).uuid, RatingCleared{person(1), title(1)});
  EXPECT_NE(fold.rated(2025), nullptr);
  EXPECT_EQ(fold.rated(2026), nullptr);
  EXPECT_EQ(fold.own(person(1), 202510), 80);
}

TEST(Recaps, never_go_back_to_a_month_when_the_zone_changes) {
  Fold fold;
  const auto zone = [&](std::string_view name) {
    fold.happens("2025-10-31T12:00:00Z", space().uuid, WatchSpaceTimeZoneChanged{std::string(name)});
  };
  fold.add(1);
  zone("Pacific/Kiritimati");
  fold.rate("2025-10-31T12:01:00Z", 1, person(1), 90);  // November there
  zone("UTC");
  fold.rate("2025-10-31T12:02:00Z", 1, person(2), 70);
  EXPECT_EQ(fold.rated(202510), nullptr);
  EXPECT_EQ(fold.rated(202511)->spread_tenths, 20);
  fold.clear("2025-10-31T12:03:00Z", 1, person(1)).clear("2025-10-31T12:04:00Z", 1, person(2));
  EXPECT_EQ(fold.rated(202511), nullptr);
  EXPECT_EQ(fold.rated(2025), nullptr);
  EXPECT_EQ(fold.own(person(1), 202511), std::nullopt);
  EXPECT_EQ(fold.model.taste.peek({space(), person(1), person(2), 202511})->rated, 0);
}

TEST(Recaps, do_not_know_when_imported_scores_were_given) {
  Fold fold;
  fold.add(1);
  fold.origin = OriginKind::import;
  fold.rate("2025-10-05T12:00:00Z", 1, person(1), 80);
  fold.origin = OriginKind::app;
  EXPECT_EQ(fold.rated(202510), nullptr);
  fold.rate("2025-11-05T12:00:00Z", 1, person(2), 60);
  EXPECT_EQ(fold.rated(202511)->score_tenths.size(), 2U);
  EXPECT_EQ(fold.own(person(1), 202511), std::nullopt);
  EXPECT_EQ(fold.model.taste.peek({space(), person(1), person(2), 202511})->gap_tenths, 20);
}

TEST(Recaps, take_a_score_that_an_undo_brings_back_as_given_when_it_was) {
  Fold imported;
  imported.add(1);
  imported.origin = OriginKind::import;
  imported.rate("2025-10-05T12:00:00Z", 1, person(1), 90);
  imported.origin = OriginKind::app;
  imported.undo().clear("2025-10-06T12:00:00Z", 1, person(1)).undo().rate("2025-10-07T12:00:00Z", 1, person(1), 90);
  imported.clear("2025-10-08T12:00:00Z", 1, person(1)).undo().rate("2025-10-09T12:00:00Z", 1, person(1), 90);
  imported.rate("2025-10-10T12:00:00Z", 1, person(1), 60);
  EXPECT_EQ(imported.own(person(1), 202510), 60);
  imported.undo().rate("2025-10-11T12:00:00Z", 1, person(1), 90);
  EXPECT_EQ(imported.rated(202510), nullptr);
  EXPECT_EQ(imported.own(person(1), 2025), std::nullopt);

  Fold given;
  given.add(1).rate("2025-10-05T12:00:00Z", 1, person(1), 80).clear("2025-11-05T12:00:00Z", 1, person(1));
  given.undo().rate("2025-11-06T12:00:00Z", 1, person(1), 80);
  EXPECT_EQ(given.own(person(1), 202510), 80);
  EXPECT_EQ(given.own(person(1), 202511), std::nullopt);
  EXPECT_EQ(given.own(person(1), 2025), 80);
}

TEST(Recaps, remember_so_many_former_scores_of_one_person) {
  Fold fold;
  fold.add(1);
  for (std::size_t i = 0; i < 2 * former_scores_max; ++i) fold.rate("2025-10-05T12:00:00Z", 1, person(1), 80);
  EXPECT_EQ(fold.model.anime.peek(anime(1))->former_scores.at(person(1)).size(), former_scores_max);
  fold.undoes = 4;
  fold.rate("2025-10-06T12:00:00Z", 1, person(1), 80);
  EXPECT_EQ(fold.own(person(1), 202510), std::nullopt) << "when it was given is known no more";
}

TEST(Recaps, know_how_close_two_were_at_the_end_of_each_month) {
  Fold fold;
  fold.add(1).rate("2025-10-05T12:00:00Z", 1, person(1), 80).rate("2025-10-06T12:00:00Z", 1, person(2), 60);
  fold.rate("2025-12-06T12:00:00Z", 1, person(2), 75);
  EXPECT_EQ(fold.model.taste.peek({space(), person(1), person(2), 202510})->gap_tenths, 20);
  EXPECT_EQ(fold.model.taste.peek({space(), person(1), person(2), 202512})->gap_tenths, -15);
  EXPECT_EQ(fold.model.taste.peek({space(), person(1), person(2), 202512})->rated, 0);
  fold.happens("2026-01-06T12:00:00Z", anime(1).uuid, AnimeRemoved{title(1), {}});
  EXPECT_EQ(fold.model.taste.peek({space(), person(1), person(2), 202601})->rated, -1);
}

TEST(Recaps, keep_links_until_they_are_revoked) {
  Fold fold;
  const Uuid share = uuid_of(9, 1);
  fold.happens("2026-01-06T12:00:00Z", share,
               RecapShared{.watch_space = space(), .period = "2025", .token_claim = ClaimKey(uuid_of(9, 2))});
  ASSERT_NE(fold.model.shares.peek(RecapShareId(share)), nullptr);
  EXPECT_EQ(fold.model.shares.peek(RecapShareId(share))->shared_by, person(1));
  fold.happens("2026-01-07T12:00:00Z", share, RecapShareRevoked{});
  EXPECT_EQ(fold.model.shares.peek(RecapShareId(share)), nullptr);
}

}  // namespace
}  // namespace bloomwatch::test
