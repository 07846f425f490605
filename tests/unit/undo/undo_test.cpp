// Every kind of change that can be undone, and what is refused.
#include <gmock/gmock.h>

#include "command-service/spaces/change_member_role.h"
#include "command-service/spaces/change_my_settings.h"
#include "command-service/spaces/change_watch_space.h"
#include "command-service/spaces/create_watch_space.h"
#include "command-service/spaces/leave_watch_space.h"
#include "command-service/spaces/transfer_ownership.h"
#include "command-service/tracking/add_anime.h"
#include "command-service/tracking/change_anime.h"
#include "command-service/tracking/change_participant_progress.h"
#include "command-service/tracking/change_watch_session.h"
#include "command-service/tracking/confirm_attendance.h"
#include "command-service/tracking/decline_attendance.h"
#include "command-service/tracking/import_anime.h"
#include "command-service/tracking/rate_anime.h"
#include "command-service/tracking/record_watch_session.h"
#include "tests/unit/undo/story.h"

namespace bloomwatch::testing {
namespace {

using ::testing::ElementsAre;
using UndoRefusal = undo::Refusal;

class Undo : public ::testing::Test {
 protected:
  Position added(std::optional<Mood> mood = {}) {
    AddAnime command{.watch_space = space_id,
                     .anilist_media_id = value<AniListMediaId>(154587),
                     .episode_count = value<EpisodeCount>(28),
                     .mood = std::move(mood),
                     .anime = {anime_id}};
    return story.happens(command, mira);
  }
  Position rated(const Actor& who, double score) {
    return story.happens(RateAnime{.watch_space = space_id, .anime = anime_id, .score = {true, value<Score>(score)}}, who);
  }
  Position progress(std::int32_t episodes) {
    return story.happens(
        ChangeAnime{.watch_space = space_id, .anime = anime_id, .shared_episodes_watched = {value<EpisodesWatched>(episodes)}}, mira);
  }
  Position evening(std::int32_t end) {
    return story.happens(RecordWatchSession{.watch_space = space_id,
                                            .anime = anime_id,
                                            .session_date = noon,
                                            .start_episode = value<EpisodeNumber>(1),
                                            .end_episode = value<EpisodeNumber>(end),
                                            .notes = value<Notes>("Rain."),
                                            .session = {session}},
                         mira);
  }
  void ask_ken_first() { story.happens(ChangeMySettings{.watch_space = space_id, .session_consent = {SessionConsent::ask}}, ken); }
  /// What the last decision refused.
  std::string_view refusal() const { return story.outcome.refusal; }

  template <class... Events>
  void expect_said(const Events&... events) const {
    EXPECT_EQ(refusal(), "");
    EXPECT_THAT(story.said(), ElementsAre(shown(events)...));
  }

  const WatchSessionId session = id_of<WatchSessionId>("an evening");
  Story story;
};

TEST_F(Undo, takes_back_every_event_of_a_change_the_last_first_and_says_which) {
  added();
  const Position change = progress(3);
  story.undo(change + 1, ken);
  expect_said(shared_is(TrackingStatus::backlog), shared_at(0));
  EXPECT_THAT(story.undoes(), ElementsAre(change + 1, change));
}

TEST_F(Undo, gives_back_the_former_value_and_not_the_first) {
  added();
  progress(3);
  story.undo(progress(5), mira);
  expect_said(shared_at(3));
}

TEST_F(Undo, of_an_added_anime_removes_it_and_frees_its_title) {
  const Position change = added(value<Mood>("calm"));
  story.undo(change, ken);
  expect_said(MoodChanged{}, AnimeRemoved{frieren, frieren_claim});
  EXPECT_THAT(story.outcome.claims, ElementsAre(ClaimChange{frieren_claim, std::nullopt}));
  EXPECT_EQ(progress(1), 0);
  EXPECT_EQ(refusal(), refuse(Refusal::no_such_anime).name);
}

TEST_F(Undo, of_that_undo_brings_the_anime_back_and_takes_its_title) {
  const Position undone = story.undo(added(value<Mood>("calm")), mira);
  const Position again = story.undo(undone, mira);
  expect_said(AnimeRestored{frieren, frieren_claim}, MoodChanged{mira.seal("calm")});
  EXPECT_THAT(story.outcome.claims, ElementsAre(ClaimChange{frieren_claim, ClaimHolder{"anime", anime_id.uuid}}));
  story.undo(again, mira);
  expect_said(MoodChanged{}, AnimeRemoved{frieren, frieren_claim});
  story.undo(undone, mira);
  EXPECT_EQ(refusal(), "") << "the undo of the undo is undone, so the undo stands again";
}

TEST_F(Undo, leaves_an_added_anime_of_which_something_was_said_since) {
  const Position change = added();
  const Position opinion = rated(ken, 8);
  story.undo(change, mira);
  EXPECT_EQ(refusal(), refuse(UndoRefusal::changed_since).name);
  EXPECT_EQ(story.in_the_way(change), opinion);
  story.undo(opinion, ken);
  story.undo(change, mira);
  expect_said(AnimeRemoved{frieren, frieren_claim});
}

TEST_F(Undo, does_not_bring_back_a_title_that_was_added_anew) {
  const Position removed = story.undo(added(), mira);
  AddAnime anew{.watch_space = space_id, .anilist_media_id = value<AniListMediaId>(154587), .anime = {id_of<AnimeId>("another")}};
  story.happens(anew, ken);
  story.undo(removed, mira);
  EXPECT_EQ(refusal(), refuse(UndoRefusal::changed_since).name);
}

TEST_F(Undo, does_not_bring_back_a_title_that_was_added_anew_by_another_of_its_references) {
  AddAnime by_mal{.watch_space = space_id, .media = value<Media>({.source = MediaSource::mal, .id = {"52991"}}), .anime = {anime_id}};
  const Position removed = story.undo(story.happens(by_mal, mira), mira);
  story.describe(frieren, {{"anilist", "154587"}, {"mal", "52991"}});
  AddAnime anew{.watch_space = space_id, .anilist_media_id = value<AniListMediaId>(154587), .anime = {id_of<AnimeId>("another")}};
  const Position added_anew = story.happens(anew, ken);
  story.undo(removed, mira);
  EXPECT_EQ(refusal(), refuse(UndoRefusal::changed_since).name);
  story.undo(added_anew, ken);
  story.undo(removed, mira);
  EXPECT_EQ(refusal(), "");
}

TEST_F(Undo, of_texts_gives_back_the_boxes_as_they_were_sealed) {
  added(value<Mood>("calm"));
  const Position change = story.happens(
      ChangeAnime{.watch_space = space_id, .anime = anime_id, .mood = {true, value<Mood>("wild")}, .vibe = {true, value<Vibe>("neon")}},
      ken);
  story.undo(change, mira);
  expect_said(VibeChanged{}, MoodChanged{mira.seal("calm")});
}

TEST_F(Undo, of_a_rating_gives_back_the_former_one_as_its_source_had_it) {
  ImportAnime row{.watch_space = space_id,
                  .media = {"anilist", "154587"},
                  .snapshot_source = "mal-export",
                  .score_tenths = 45,
                  .original_score = OriginalScore{"4.5", "10"},
                  .anime = {anime_id}};
  story.happens(row, mira);
  story.undo(rated(mira, 9), mira);
  expect_said(AnimeRated{mira.profile, frieren, 45, OriginalScore{"4.5", "10"}});
}

TEST_F(Undo, of_a_first_rating_and_its_notes_clears_them) {
  added();
  const Position change = story.happens(
      RateAnime{.watch_space = space_id, .anime = anime_id, .score = {true, value<Score>(8)}, .notes = {true, value<Notes>("Good.")}}, ken);
  story.undo(change, ken);
  expect_said(RatingNotesChanged{ken.profile, frieren, std::nullopt}, RatingCleared{ken.profile, frieren});
}

TEST_F(Undo, of_ones_own_progress_dates_and_rewatches) {
  added();
  const Position change = story.happens(ChangeParticipantProgress{.watch_space = space_id,
                                                                  .anime = anime_id,
                                                                  .episodes_watched = {value<EpisodesWatched>(28)},
                                                                  .started_on = {true, value<PossibleDate>(PartialDate{2024, 5, {}})},
                                                                  .times_rewatched = {value<RewatchCount>(2)}},
                                        ken);
  story.undo(change, ken);
  expect_said(TimesRewatchedChanged{ken.profile, frieren, 0}, StartDateChanged{ken.profile, frieren, std::nullopt},
              is(ken, TrackingStatus::backlog), at(ken, 0));
}

TEST_F(Undo, of_what_a_member_said_of_themselves_is_theirs) {
  added();
  story.undo(rated(ken, 8), mira);
  EXPECT_EQ(refusal(), refuse(UndoRefusal::change_of_another).name);
}

TEST_F(Undo, of_an_evening_takes_back_what_it_moved_for_everybody) {
  added();
  const Position change = evening(2);
  story.undo(change, ken);
  EXPECT_EQ(refusal(), "");
  EXPECT_EQ(story.said().back(), shown(WatchSessionRemoved{session, frieren}));
  EXPECT_THAT(story.said(), ::testing::Contains(shown(at(ken, 0, session))));
  EXPECT_THAT(story.said(), ::testing::Contains(shown(shared_is(TrackingStatus::backlog, session))));
  const Position undone = static_cast<Position>(story.log.size());
  story.undo(undone, mira);
  EXPECT_EQ(story.said().front(), shown(WatchSessionRestored{session, frieren}));
  EXPECT_THAT(story.said(), ::testing::Contains(shown(WatchSessionNotesChanged{session, mira.seal("Rain.")})));
  EXPECT_THAT(story.said(), ::testing::Contains(shown(at(ken, 2, session))));
}

TEST_F(Undo, leaves_an_evening_that_somebody_went_on_from) {
  added();
  const Position change = evening(2);
  const Position later = story.happens(
      ChangeParticipantProgress{.watch_space = space_id, .anime = anime_id, .episodes_watched = {value<EpisodesWatched>(7)}}, ken);
  story.undo(change, mira);
  EXPECT_EQ(refusal(), refuse(UndoRefusal::changed_since).name);
  EXPECT_EQ(story.in_the_way(change), later);
}

TEST_F(Undo, of_a_confirmation_opens_it_again_and_moves_them_back) {
  added();
  ask_ken_first();
  const Position recorded = evening(2);
  const Position change = story.happens(ConfirmAttendance{space_id, anime_id, session}, ken);
  story.undo(change, mira);
  EXPECT_EQ(refusal(), refuse(UndoRefusal::change_of_another).name);
  story.undo(recorded, mira);
  EXPECT_EQ(refusal(), refuse(UndoRefusal::changed_since).name);
  EXPECT_EQ(story.in_the_way(recorded), change);
  story.undo(change, ken);
  expect_said(is(ken, TrackingStatus::backlog, session), at(ken, 0, session), AttendanceReopened{session, ken.profile, frieren});
  story.undo(static_cast<Position>(story.log.size()), ken);
  expect_said(AttendanceConfirmed{session, ken.profile, frieren}, at(ken, 2, session), is(ken, TrackingStatus::watching, session));
}

TEST_F(Undo, of_a_confirmation_after_a_refusal_is_a_refusal_again) {
  added();
  ask_ken_first();
  evening(2);
  const Position declined = story.happens(DeclineAttendance{space_id, anime_id, session}, ken);
  story.undo(story.happens(ConfirmAttendance{space_id, anime_id, session}, ken), ken);
  EXPECT_EQ(story.said().back(), shown(AttendanceDeclined{session, ken.profile, frieren}));
  story.undo(declined, ken);
  expect_said(AttendanceReopened{session, ken.profile, frieren});
}

TEST_F(Undo, of_notes_of_an_evening) {
  added();
  evening(2);
  const Position change = story.happens(
      ChangeWatchSession{.watch_space = space_id, .anime = anime_id, .session = session, .notes = {true, value<Notes>("Snow.")}}, ken);
  story.undo(change, mira);
  expect_said(WatchSessionNotesChanged{session, mira.seal("Rain.")});
}

TEST_F(Undo, of_an_import_row_takes_back_all_that_it_said) {
  ImportAnime row{.watch_space = space_id,
                  .media = {"anilist", "154587"},
                  .snapshot_source = "mal-export",
                  .status = TrackingStatus::finished,
                  .episodes_watched = 28,
                  .score_tenths = 90,
                  .shared = true,
                  .anime = {anime_id}};
  const Position change = story.happens(row, mira);
  story.undo(change, ken);
  EXPECT_EQ(refusal(), refuse(UndoRefusal::change_of_another).name);
  story.undo(change, mira);
  EXPECT_EQ(refusal(), "");
  EXPECT_EQ(story.said().back(), shown(AnimeRemoved{frieren, frieren_claim}));
  EXPECT_EQ(story.undoes().back(), change);
}

TEST_F(Undo, happens_once) {
  added();
  const Position change = progress(3);
  const Position undone = story.undo(change, mira);
  story.undo(change, mira);
  EXPECT_EQ(refusal(), refuse(UndoRefusal::already_undone).name);
  EXPECT_EQ(story.undone_at(change), undone + 1);
  progress(3);
  story.undo(change, mira);
  EXPECT_EQ(refusal(), refuse(UndoRefusal::already_undone).name) << "that somebody said the same again is another change";
}

TEST_F(Undo, of_an_undo_says_again_what_was_said) {
  added();
  const Position change = progress(3);
  const Position undone = story.undo(change, mira);
  story.undo(undone, ken);
  expect_said(shared_at(3), shared_is(TrackingStatus::watching));
  EXPECT_EQ(story.undone_at(change), std::nullopt);
  story.undo(change, ken);
  expect_said(shared_is(TrackingStatus::backlog), shared_at(0));
}

TEST_F(Undo, is_refused_where_a_later_change_stands_in_the_way_and_names_it) {
  added();
  const Position change = progress(3);
  const Position later = progress(5);
  const Position undone = story.undo(change, mira);
  EXPECT_EQ(undone, 0);
  EXPECT_EQ(refusal(), refuse(UndoRefusal::changed_since).name);
  EXPECT_EQ(story.in_the_way(change), later);
}

TEST_F(Undo, of_a_name_and_a_theme) {
  const Position change = story.happens(
      ChangeWatchSpace{.watch_space = space_id, .name = {value<SpaceName>("Us")}, .theme = {true, value<Theme>("dark")}}, mira);
  story.undo(change, ken);
  EXPECT_EQ(refusal(), refuse(spaces::Refusal::owners_only).name);
  story.undo(change, mira);
  expect_said(WatchSpaceThemeChanged{}, WatchSpaceRenamed{"Mira & Ken"});
}

TEST_F(Undo, of_a_role) {
  const Position change = story.happens(ChangeMemberRole{space_id, ken.profile, SpaceRole::owner}, mira);
  story.undo(change, mira);
  expect_said(MemberRoleChanged{ken.profile, SpaceRole::member});
}

TEST_F(Undo, of_a_role_never_takes_the_last_owner) {
  const Position change = story.happens(ChangeMemberRole{space_id, ken.profile, SpaceRole::owner}, mira);
  story.happens(ChangeMemberRole{space_id, mira.profile, SpaceRole::member}, ken);
  story.undo(change, ken);
  EXPECT_EQ(refusal(), refuse(spaces::Refusal::last_owner).name);
}

TEST_F(Undo, of_a_transfer_hands_the_space_back) {
  const Position change = story.happens(TransferOwnership{space_id, ken.profile}, mira);
  story.undo(change, mira);
  EXPECT_EQ(refusal(), refuse(spaces::Refusal::owners_only).name);
  story.undo(change, ken);
  expect_said(OwnershipTransferred{.from = ken.profile, .to = mira.profile});
}

TEST_F(Undo, of_a_transfer_to_another_owner_leaves_both_owners) {
  story.happens(ChangeMemberRole{space_id, ken.profile, SpaceRole::owner}, mira);
  const Position change = story.happens(TransferOwnership{space_id, ken.profile}, mira);
  story.undo(change, ken);
  expect_said(MemberRoleChanged{mira.profile, SpaceRole::owner});
}

TEST_F(Undo, of_a_role_of_somebody_who_has_gone_names_their_going) {
  const Position change = story.happens(ChangeMemberRole{space_id, ken.profile, SpaceRole::owner}, mira);
  const Position left = story.happens(LeaveWatchSpace{space_id}, ken);
  story.undo(change, mira);
  EXPECT_EQ(refusal(), refuse(UndoRefusal::changed_since).name);
  EXPECT_EQ(story.in_the_way(change), left);
}

TEST_F(Undo, of_anything_else_is_refused) {
  const Position zone = story.happens(
      ChangeWatchSpace{.watch_space = space_id, .name = {value<SpaceName>("Us")}, .time_zone = {value<TimeZoneName>("Asia/Tokyo")}}, mira);
  ask_ken_first();
  const Position consent = static_cast<Position>(story.log.size());
  for (const Position position : {Position{1}, Position{3}, zone, consent}) {
    story.undo(position, mira);
    EXPECT_EQ(refusal(), refuse(UndoRefusal::cannot_be_undone).name) << position;
  }
}

TEST_F(Undo, of_what_never_happened_is_not_found) {
  story.undo(99, mira);
  EXPECT_EQ(refusal(), refuse(UndoRefusal::no_such_change).name);
}

TEST_F(Undo, tells_strangers_nothing) {
  const Position change = added();
  const Position renamed = story.happens(ChangeWatchSpace{.watch_space = space_id, .name = {value<SpaceName>("Us")}}, mira);
  for (const Position position : {change, renamed, Position{1}, Position{99}}) {
    story.undo(position, stranger);
    EXPECT_EQ(refusal(), refuse(no_such_space).name);
  }
}

}  // namespace
}  // namespace bloomwatch::testing
