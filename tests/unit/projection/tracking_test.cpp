// The fold of tracking: what is shared, what is one's own, and the evenings.
#include "projector/tracking/tracking.h"

#include <gmock/gmock.h>

#include "tests/unit/projection/folding.h"

namespace bloomwatch::test {
namespace {

using TrackingFold = Folding<Tracking>;

TEST(Tracking, prefers_romaji_then_english_then_native_then_the_reference_in_words) {
  const MediaReference media{"mal", "52991"};
  TitleSnapshot snapshot;
  EXPECT_EQ(preferred_title_of(snapshot, media), "MyAnimeList 52991");
  snapshot.native = "葬送のフリーレン";
  EXPECT_EQ(preferred_title_of(snapshot, media), "葬送のフリーレン");
  snapshot.english = "Frieren";
  EXPECT_EQ(preferred_title_of(snapshot, media), "Frieren");
  snapshot.romaji = "Sousou no Frieren";
  EXPECT_EQ(preferred_title_of(snapshot, media), "Sousou no Frieren");
}

TEST(Tracking, sorts_by_titles_of_bounded_length_that_end_between_characters) {
  EXPECT_EQ(sort_title_of("Sousou no FRIEREN"), "sousou no frieren");
  std::string japanese;
  for (int i = 0; i < 40; ++i) japanese += "葬";
  EXPECT_EQ(sort_title_of(japanese).size(), 63U);
  EXPECT_EQ(sort_title_of(std::string(64, 'A')), std::string(64, 'a'));
}

TEST(Tracking, keeps_what_is_shared_in_one_row) {
  TrackingFold fold;
  fold.added(1, TrackingStatus::watching).in_anime(1, SharedProgressChanged{.episodes = 4});
  fold.in_anime(1, MoodChanged{Personal{"box"}}).in_anime(1, SharedStatusChanged{.status = TrackingStatus::paused});
  const AnimeRow& row = *fold.model.anime.peek(anime(1));
  EXPECT_EQ(row.watch_space, space());
  EXPECT_EQ(row.preferred_title, "AniList 154587");
  EXPECT_EQ(row.shared_episodes, 4);
  EXPECT_EQ(row.shared_status, TrackingStatus::paused);
  EXPECT_EQ(row.mood, Personal{"box"});
  EXPECT_EQ(row.version, 4);
  EXPECT_EQ(row.added_by, person(1));
  EXPECT_EQ(row.updated_at, minute(4));
}

TEST(Tracking, keeps_rating_and_notes_apart_and_writes_no_other_row_for_them) {
  TrackingFold fold;
  fold.added(1).rated(1, person(2), 85).in_anime(1, RatingNotesChanged{person(2), title(1), Personal{"note"}});
  fold.in_anime(1, RatingCleared{person(2), title(1)});
  const EntryRow& entry = *fold.model.entries.peek({anime(1), person(2)});
  EXPECT_EQ(entry.score_tenths, std::nullopt);
  EXPECT_EQ(entry.notes, Personal{"note"});
  EXPECT_EQ(entry.version, 4);
  EXPECT_EQ(fold.model.anime.peek(anime(1))->version, 1);
}

TEST(Tracking, keeps_ones_own_progress_dates_and_rewatches) {
  TrackingFold fold;
  fold.added(1).in_anime(1, ParticipantProgressChanged{person(2), title(1), 12, std::nullopt});
  fold.in_anime(1, ParticipantStatusChanged{person(2), title(1), TrackingStatus::finished, std::nullopt});
  fold.in_anime(1, StartDateChanged{person(2), title(1), PartialDate{2024, 3, std::nullopt}});
  fold.in_anime(1, FinishDateChanged{person(2), title(1), PartialDate{2024, 4, 1}});
  fold.in_anime(1, StartDateChanged{person(2), title(1), std::nullopt}).in_anime(1, TimesRewatchedChanged{person(2), title(1), 2});
  const EntryRow& entry = *fold.model.entries.peek({anime(1), person(2)});
  EXPECT_EQ(entry.episodes, 12);
  EXPECT_EQ(entry.status, TrackingStatus::finished);
  EXPECT_EQ(entry.started_on, std::nullopt);
  EXPECT_EQ(entry.finished_on, (PartialDate{2024, 4, 1}));
  EXPECT_EQ(entry.times_rewatched, 2);
}

TEST(Tracking, notes_who_was_there) {
  TrackingFold fold;
  WatchSessionRecorded event;
  event.session = evening(1);
  event.title = title(1);
  event.time_zone = "UTC";
  event.participants = {{person(1), Attendance::present}, {person(2), Attendance::invited}, {person(3), Attendance::invited}};
  fold.added(1).in_anime(1, event).in_anime(1, AttendanceConfirmed{evening(1), person(2), title(1)});
  fold.in_anime(1, AttendanceDeclined{evening(1), person(3), title(1)});
  fold.in_anime(1, WatchSessionNotesChanged{evening(1), Personal{"note"}});
  const SessionRow& row = *fold.model.sessions.peek(evening(1));
  EXPECT_THAT(row.participants, testing::ElementsAre(Attendee{person(1), Attendance::present}, Attendee{person(2), Attendance::present},
                                                     Attendee{person(3), Attendance::declined}));
  EXPECT_EQ(row.notes, Personal{"note"});
  EXPECT_EQ(row.version, 5);
  EXPECT_EQ(fold.model.anime.peek(anime(1))->session_count, 1);
  EXPECT_EQ(fold.model.anime.peek(anime(1))->version, 5);
}

TEST(Tracking, cannot_fold_what_happens_to_an_anime_that_was_never_added) {
  TrackingFold fold;
  EXPECT_THROW(fold.rated(1, person(1), 50), projection::MissingRow);
  EXPECT_THROW(fold.in_anime(1, PitchChanged{}), projection::MissingRow);
}

WatchSessionRecorded recorded(std::uint8_t number, std::vector<Attendee> attendees) {
  WatchSessionRecorded event;
  event.session = evening(number);
  event.title = title(1);
  event.participants = std::move(attendees);
  return event;
}

TEST(Tracking, opens_an_answer_again) {
  TrackingFold fold;
  fold.added(1).in_anime(1, recorded(1, {{person(2), Attendance::invited}}));
  fold.in_anime(1, AttendanceConfirmed{evening(1), person(2), title(1)}).in_anime(1, AttendanceReopened{evening(1), person(2), title(1)});
  EXPECT_EQ(fold.model.sessions.peek(evening(1))->participants.front().attendance, Attendance::invited);
}

TEST(Tracking, keeps_a_session_that_was_taken_back_where_no_page_finds_it) {
  TrackingFold fold;
  fold.added(1).in_anime(1, recorded(1, {{person(2), Attendance::present}})).in_anime(1, WatchSessionRemoved{evening(1), title(1)});
  EXPECT_EQ(fold.model.sessions.peek(evening(1))->anime, std::nullopt);
  EXPECT_EQ(fold.model.sessions.peek(evening(1))->watch_space, std::nullopt);
  EXPECT_EQ(fold.model.anime.peek(anime(1))->session_count, 0);
  fold.in_anime(1, WatchSessionRestored{evening(1), title(1)});
  EXPECT_EQ(fold.model.sessions.peek(evening(1))->anime, anime(1));
  EXPECT_EQ(fold.model.sessions.peek(evening(1))->watch_space, space());
  EXPECT_EQ(fold.model.anime.peek(anime(1))->session_count, 1);
}

TEST(Tracking, keeps_a_removed_anime_where_no_page_finds_it_and_brings_it_back_whole) {
  TrackingFold fold;
  fold.added(1).in_anime(1, MoodChanged{Personal{"box"}}).in_anime(1, AnimeRemoved{title(1), {}});
  EXPECT_EQ(fold.model.anime.peek(anime(1))->watch_space, std::nullopt);
  fold.in_anime(1, AnimeRestored{title(1), {}});
  EXPECT_EQ(fold.model.anime.peek(anime(1))->watch_space, space());
  EXPECT_EQ(fold.model.anime.peek(anime(1))->mood, Personal{"box"});
}

}  // namespace
}  // namespace bloomwatch::test
