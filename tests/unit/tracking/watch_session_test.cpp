// Evenings: one record moves the space and everyone who was there, never backwards, and nobody who wants to be asked before they say so.
#include "command-service/tracking/change_watch_session.h"
#include "command-service/tracking/confirm_attendance.h"
#include "command-service/tracking/decline_attendance.h"
#include "command-service/tracking/record_watch_session.h"
#include "tests/unit/tracking/tracking.h"

namespace bloomwatch::testing {
namespace {

using enum TrackingStatus;
using enum Attendance;

const auto evening = id_of<WatchSessionId>("evening");
const Time yesterday = noon - std::chrono::hours(16);

RecordWatchSession watch(std::int32_t start, std::int32_t end) {
  return {.watch_space = space_id,
          .anime = anime_id,
          .session_date = yesterday,
          .start_episode = value<EpisodeNumber>(start),
          .end_episode = value<EpisodeNumber>(end),
          .session = {evening}};
}

/// In the order of the members' ids.
std::vector<Attendee> listed(std::vector<Attendee> attendees) {
  std::ranges::sort(attendees, {}, &Attendee::profile);
  return attendees;
}
const std::vector<Attendee> both_present = listed({{mira.profile, present}, {ken.profile, present}});
const std::vector<Attendee> ken_asked = listed({{mira.profile, present}, {ken.profile, invited}});

WatchSessionRecorded recorded(std::int32_t start, std::int32_t end, std::vector<Attendee> participants, bool advance_progress = true) {
  return {.session = evening,
          .title = frieren,
          .session_date = yesterday,
          .time_zone = "Europe/Berlin",
          .start_episode = start,
          .end_episode = end,
          .participants = std::move(participants),
          .advance_progress = advance_progress};
}
const Past ken_asks = stream<WatchSpace>(space_id, SessionConsentChanged{.profile = ken.profile, .consent = SessionConsent::ask});

/// What became of everyone after a session, whatever the order of the members' ids.
std::map<std::string, std::pair<std::int32_t, TrackingStatus>> after(World& world) {
  const Anime& anime = world.state<Anime>(anime_id);
  std::map<std::string, std::pair<std::int32_t, TrackingStatus>> all;
  all["shared"] = {anime.shared_episodes, anime.shared_status};
  all["mira"] = {anime.participant(mira.profile).episodes, anime.participant(mira.profile).status};
  all["ken"] = {anime.participant(ken.profile).episodes, anime.participant(ken.profile).status};
  return all;
}
using All = std::map<std::string, std::pair<std::int32_t, TrackingStatus>>;

TEST(RecordWatchSession, records_who_was_there_and_moves_the_space_and_them) {
  given(space_of(mira), tracked(frieren_added()))
      .when(watch(1, 3), mira)
      .then(recorded(1, 3, {{mira.profile, present}}), shared_at(3, evening), shared_is(watching, evening), at(mira, 3, evening),
            is(mira, watching, evening))
      .answers(evening.uuid)
      .once();
}

TEST(RecordWatchSession, lists_all_members_unless_it_is_told_who) {
  auto world = given(space_of(mira, ken), tracked(frieren_added()));
  EXPECT_THAT(world.when(watch(1, 3), ken).events(), ::testing::Contains(shown(recorded(1, 3, both_present))));
  EXPECT_EQ(after(world), (All{{"shared", {3, watching}}, {"mira", {3, watching}}, {"ken", {3, watching}}}));
  auto just_ken = watch(1, 3);
  just_ken.participants = {{ken.profile}};
  auto other = given(space_of(mira, ken), tracked(frieren_added()));
  EXPECT_THAT(other.when(just_ken, mira).events(), ::testing::Contains(shown(recorded(1, 3, {{ken.profile, present}}))));
  EXPECT_EQ(after(other), (All{{"shared", {3, watching}}, {"mira", {0, backlog}}, {"ken", {3, watching}}}));
}

TEST(RecordWatchSession, keeps_zone_precision_and_notes) {
  auto command = watch(1, 1);
  command.precision = SessionPrecision::day;
  command.time_zone = value<TimeZoneName>("Asia/Tokyo");
  command.notes = value<Notes>("Popcorn.");
  command.advance_progress = false;
  auto event = recorded(1, 1, {{mira.profile, present}}, false);
  event.precision = SessionPrecision::day;
  event.time_zone = "Asia/Tokyo";
  given(space_of(mira), tracked(frieren_added()))
      .when(command, mira)
      .then(event, WatchSessionNotesChanged{.session = evening, .notes = mira.seal("Popcorn.")});
}

TEST(RecordWatchSession, never_moves_anybody_backwards) {
  auto world = given(space_of(mira, ken), tracked(frieren_added(28, watching), shared_at(5), at(mira, 8), is(mira, paused), at(ken, 2)));
  world.when(watch(3, 4), mira);
  EXPECT_EQ(after(world), (All{{"shared", {5, watching}}, {"mira", {8, paused}}, {"ken", {4, watching}}}));
}

TEST(RecordWatchSession, finishes_with_the_last_episode_of_a_known_count) {
  auto world = given(space_of(mira, ken), tracked(frieren_added(4, watching), shared_at(3), at(mira, 3), is(mira, dropped)));
  world.when(watch(4, 4), mira);
  EXPECT_EQ(after(world), (All{{"shared", {4, finished}}, {"mira", {4, finished}}, {"ken", {4, finished}}}));
}

TEST(RecordWatchSession, moves_nobody_when_it_is_told_not_to) {
  auto command = watch(1, 3);
  command.advance_progress = false;
  given(space_of(mira), tracked(frieren_added())).when(command, mira).then(recorded(1, 3, {{mira.profile, present}}, false));
}

TEST(RecordWatchSession, asks_who_wants_to_be_asked) {
  auto world = given(space_of(mira, ken), ken_asks, tracked(frieren_added()));
  EXPECT_THAT(world.when(watch(1, 2), mira).events(), ::testing::Contains(shown(recorded(1, 2, ken_asked))));
  EXPECT_EQ(after(world), (All{{"shared", {2, watching}}, {"mira", {2, watching}}, {"ken", {0, backlog}}}));
}

TEST(RecordWatchSession, asks_nobody_about_what_they_record_themselves) {
  auto world = given(space_of(mira, ken), ken_asks, tracked(frieren_added()));
  EXPECT_THAT(world.when(watch(1, 2), ken).events(), ::testing::Contains(shown(recorded(1, 2, both_present))));
}

TEST(RecordWatchSession, never_exceeds_a_known_episode_count) {
  given(space_of(mira), tracked(frieren_added(28))).when(watch(28, 29), mira).refuses(Refusal::session_exceeds_episode_count);
  EXPECT_EQ(given(space_of(mira), tracked(frieren_added(std::nullopt))).when(watch(28, 29), mira).decided().refusal, "");
}

TEST(RecordWatchSession, does_not_end_before_it_starts) {
  given(space_of(mira), tracked(frieren_added())).when(watch(3, 2), mira).refuses(Refusal::session_ends_before_it_starts);
}

TEST(RecordWatchSession, lies_between_1900_and_tomorrow) {
  auto command = watch(1, 1);
  command.session_date = noon + session_ahead_max;
  EXPECT_EQ(given(space_of(mira), tracked(frieren_added())).when(command, mira).decided().refusal, "");
  command.session_date += std::chrono::milliseconds(1);
  given(space_of(mira), tracked(frieren_added())).when(command, mira).refuses(Refusal::session_date_impossible);
  command.session_date = std::chrono::sys_days(std::chrono::year(1899) / 12 / 31);
  given(space_of(mira), tracked(frieren_added())).when(command, mira).refuses(Refusal::session_date_impossible);
}

TEST(RecordWatchSession, of_a_day_may_be_at_any_hour_of_tomorrow) {
  auto command = watch(1, 1);
  command.precision = SessionPrecision::day;
  command.session_date = noon + session_ahead_max + std::chrono::hours(6);
  EXPECT_EQ(given(space_of(mira), tracked(frieren_added())).when(command, mira).decided().refusal, "");
  command.session_date += std::chrono::hours(24);
  given(space_of(mira), tracked(frieren_added())).when(command, mira).refuses(Refusal::session_date_impossible);
}

TEST(RecordWatchSession, is_of_1900_by_the_calendar_of_its_zone) {
  auto command = watch(1, 1);
  command.session_date = std::chrono::sys_days(std::chrono::year(1900) / 1 / 1);
  EXPECT_EQ(given(space_of(mira), tracked(frieren_added())).when(command, mira).decided().refusal, "");
  command.time_zone = value<TimeZoneName>("Pacific/Pago_Pago");  // where it is 1899
  given(space_of(mira), tracked(frieren_added())).when(command, mira).refuses(Refusal::session_date_impossible);
}

TEST(RecordWatchSession, lists_members_only_and_somebody) {
  auto command = watch(1, 1);
  command.participants = {{mira.profile, stranger.profile}};
  given(space_of(mira), tracked(frieren_added())).when(command, mira).refuses(Refusal::participant_not_a_member);
  command.participants = std::set<ProfileId>();
  given(space_of(mira), tracked(frieren_added())).when(command, mira).refuses(Refusal::session_without_participants);
}

TEST(RecordWatchSession, is_for_members_only) { expect_members_only(watch(1, 1)); }

const Past ken_is_asked = tracked(frieren_added(), recorded(1, 2, ken_asked));
ConfirmAttendance confirm() { return {.watch_space = space_id, .anime = anime_id, .session = evening}; }
DeclineAttendance decline() { return {.watch_space = space_id, .anime = anime_id, .session = evening}; }
const AttendanceConfirmed ken_confirmed{.session = evening, .profile = ken.profile, .title = frieren};
const AttendanceDeclined ken_declined{.session = evening, .profile = ken.profile, .title = frieren};
Past since(const AttendanceDeclined& e) { return stream<Anime>(anime_id, e).under(space_id.uuid); }

TEST(ConfirmAttendance, moves_who_was_asked) {
  given(space_of(mira, ken), ken_is_asked)
      .when(confirm(), ken)
      .then(ken_confirmed, at(ken, 2, evening), is(ken, watching, evening))
      .answers(evening.uuid)
      .once();
}

TEST(ConfirmAttendance, never_moves_backwards) {
  given(space_of(mira, ken), ken_is_asked, stream<Anime>(anime_id, at(ken, 9), is(ken, paused))).when(confirm(), ken).then(ken_confirmed);
}

TEST(ConfirmAttendance, moves_nobody_where_the_session_moves_nobody) {
  given(space_of(mira, ken), tracked(frieren_added(), recorded(1, 2, ken_asked, false))).when(confirm(), ken).then(ken_confirmed);
}

TEST(ConfirmAttendance, may_follow_a_no) {
  given(space_of(mira, ken), ken_is_asked, since(ken_declined))
      .when(confirm(), ken)
      .then(ken_confirmed, at(ken, 2, evening), is(ken, watching, evening));
}

TEST(ConfirmAttendance, says_nothing_to_who_is_present) { given(space_of(mira, ken), ken_is_asked).when(confirm(), mira).says_nothing(); }

TEST(ConfirmAttendance, is_refused_to_who_is_not_listed) {
  given(space_of(mira, ken), tracked(frieren_added(), recorded(1, 2, {{mira.profile, present}})))
      .when(confirm(), ken)
      .refuses(Refusal::not_invited);
}

TEST(ConfirmAttendance, is_for_members_and_sessions_that_exist) {
  expect_members_only(confirm());
  given(space_of(mira), tracked(frieren_added())).when(confirm(), mira).refuses(Refusal::no_such_watch_session);
}

TEST(DeclineAttendance, says_that_one_was_not_there) {
  given(space_of(mira, ken), ken_is_asked).when(decline(), ken).then(ken_declined).answers(evening.uuid).once();
}

TEST(DeclineAttendance, is_refused_to_who_is_present_or_not_listed) {
  given(space_of(mira, ken), ken_is_asked).when(decline(), mira).refuses(Refusal::attendance_settled);
  given(space_of(mira, ken), ken_is_asked, stream<Anime>(anime_id, ken_confirmed))
      .when(decline(), ken)
      .refuses(Refusal::attendance_settled);
  given(space_of(mira, ken), tracked(frieren_added(), recorded(1, 2, {{mira.profile, present}})))
      .when(decline(), ken)
      .refuses(Refusal::not_invited);
}

TEST(DeclineAttendance, is_for_members_and_sessions_that_exist) {
  expect_members_only(decline());
  given(space_of(mira), tracked(frieren_added())).when(decline(), mira).refuses(Refusal::no_such_watch_session);
}

ChangeWatchSession notes(std::optional<Notes> text) {
  return {.watch_space = space_id, .anime = anime_id, .session = evening, .notes = {true, std::move(text)}};
}

TEST(ChangeWatchSession, lets_any_member_edit_and_clear_the_notes) {
  given(space_of(mira, ken), ken_is_asked)
      .when(notes(value<Notes>("Popcorn.")), ken)
      .then(WatchSessionNotesChanged{.session = evening, .notes = ken.seal("Popcorn.")})
      .answers(evening.uuid)
      .once();
  given(space_of(mira, ken), ken_is_asked,
        stream<Anime>(anime_id, WatchSessionNotesChanged{.session = evening, .notes = ken.seal("Popcorn.")}))
      .when(notes(std::nullopt), mira)
      .then(WatchSessionNotesChanged{.session = evening})
      .once();
}

TEST(ChangeWatchSession, says_nothing_when_nothing_changes) {
  given(space_of(mira, ken), ken_is_asked).when(notes(std::nullopt), mira).says_nothing();
  given(space_of(mira, ken), ken_is_asked)
      .when(ChangeWatchSession{.watch_space = space_id, .anime = anime_id, .session = evening}, mira)
      .says_nothing();
}

TEST(ChangeWatchSession, is_for_members_and_sessions_that_exist) {
  expect_members_only(notes(std::nullopt));
  given(space_of(mira), tracked(frieren_added())).when(notes(std::nullopt), mira).refuses(Refusal::no_such_watch_session);
}

}  // namespace
}  // namespace bloomwatch::testing
