// The events of tracking: what a space watches, how far it is, what each member thinks, who was there. Stream anime-<id>; partition key:
// the space. One fact an event. Every event about one member names the profile and the title, so that models across spaces can be folded
// later.
#pragma once

#include <boost/describe.hpp>
#include <boost/mp11/list.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "events/partial_date.h"
#include "events/personal.h"
#include "runtime/time.h"

namespace bloomwatch {

enum class TrackingStatus { backlog, watching, finished, paused, dropped };
BOOST_DESCRIBE_ENUM(TrackingStatus, backlog, watching, finished, paused, dropped)

/// How an outside source names a title: `anilist` 154587, `imdb` tt0213338. Numbers are kept in their decimal form.
struct MediaReference {
  std::string source;
  std::string id;

  bool operator==(const MediaReference&) const = default;
};
BOOST_DESCRIBE_STRUCT(MediaReference, (), (source, id))

/// What was known of a title when it was added; unknown is absent.
struct TitleSnapshot {
  std::optional<std::string> romaji = {};
  std::optional<std::string> english = {};
  std::optional<std::string> native = {};
  std::optional<std::int32_t> episode_count = {};    ///< ≥ 1
  std::optional<std::int32_t> episode_minutes = {};  ///< ≥ 1
  std::optional<std::string> cover_image_url = {};
  std::optional<std::string> format = {};  ///< as the source says: TV, MOVIE …
  std::optional<std::string> season = {};  ///< winter, spring, summer, fall
  std::optional<std::int32_t> season_year = {};
};
BOOST_DESCRIBE_STRUCT(TitleSnapshot, (),
                      (romaji, english, native, episode_count, episode_minutes, cover_image_url, format, season, season_year))

/// A title came to a space, once (`title_claim`). The space starts with `shared_status` and no episode.
struct AnimeAdded {
  WatchSpaceId watch_space;
  TitleId title;
  ClaimKey title_claim;
  MediaReference media;
  TitleSnapshot snapshot;
  std::string snapshot_source;  ///< where the snapshot came from: `client`, `mal-export` …
  TrackingStatus shared_status = TrackingStatus::backlog;
};
BOOST_DESCRIBE_STRUCT(AnimeAdded, (), (watch_space, title, title_claim, media, snapshot, snapshot_source, shared_status))

/// `session`: the watch session that moved it, if one did.
struct SharedStatusChanged {
  TrackingStatus status = TrackingStatus::backlog;
  std::optional<WatchSessionId> session = {};
};
BOOST_DESCRIBE_STRUCT(SharedStatusChanged, (), (status, session))

struct SharedProgressChanged {
  std::int32_t episodes = 0;
  std::optional<WatchSessionId> session = {};
};
BOOST_DESCRIBE_STRUCT(SharedProgressChanged, (), (episodes, session))

/// Under the key of who wrote it; absent: cleared. So for vibe, pitch and every notes.
struct MoodChanged {
  std::optional<Personal> mood = {};
};
BOOST_DESCRIBE_STRUCT(MoodChanged, (), (mood))

struct VibeChanged {
  std::optional<Personal> vibe = {};
};
BOOST_DESCRIBE_STRUCT(VibeChanged, (), (vibe))

struct PitchChanged {
  std::optional<Personal> pitch = {};
};
BOOST_DESCRIBE_STRUCT(PitchChanged, (), (pitch))

struct ParticipantStatusChanged {
  ProfileId profile;
  TitleId title;
  TrackingStatus status = TrackingStatus::backlog;
  std::optional<WatchSessionId> session = {};
};
BOOST_DESCRIBE_STRUCT(ParticipantStatusChanged, (), (profile, title, status, session))

struct ParticipantProgressChanged {
  ProfileId profile;
  TitleId title;
  std::int32_t episodes = 0;
  std::optional<WatchSessionId> session = {};
};
BOOST_DESCRIBE_STRUCT(ParticipantProgressChanged, (), (profile, title, episodes, session))

struct StartDateChanged {
  ProfileId profile;
  TitleId title;
  std::optional<PartialDate> started_on = {};
};
BOOST_DESCRIBE_STRUCT(StartDateChanged, (), (profile, title, started_on))

struct FinishDateChanged {
  ProfileId profile;
  TitleId title;
  std::optional<PartialDate> finished_on = {};
};
BOOST_DESCRIBE_STRUCT(FinishDateChanged, (), (profile, title, finished_on))

struct TimesRewatchedChanged {
  ProfileId profile;
  TitleId title;
  std::int32_t times = 0;
};
BOOST_DESCRIBE_STRUCT(TimesRewatchedChanged, (), (profile, title, times))

/// A score as its source had it, before it became tenths: value `4.5`, scale `5`.
struct OriginalScore {
  std::string value;
  std::string scale;

  bool operator==(const OriginalScore&) const = default;
};
BOOST_DESCRIBE_STRUCT(OriginalScore, (), (value, scale))

/// A member rated an anime for themselves. Tenths of the ten-scale: 85 is 8.5, never 0. `original` keeps what an import said.
struct AnimeRated {
  ProfileId profile;
  TitleId title;
  std::int16_t score_tenths = 0;
  std::optional<OriginalScore> original = {};
};
BOOST_DESCRIBE_STRUCT(AnimeRated, (), (profile, title, score_tenths, original))

struct RatingCleared {
  ProfileId profile;
  TitleId title;
};
BOOST_DESCRIBE_STRUCT(RatingCleared, (), (profile, title))

struct RatingNotesChanged {
  ProfileId profile;
  TitleId title;
  std::optional<Personal> notes = {};
};
BOOST_DESCRIBE_STRUCT(RatingNotesChanged, (), (profile, title, notes))

/// How well the time of a watch session is known: to the moment, or only the date in its zone.
enum class SessionPrecision { exact, day };
BOOST_DESCRIBE_ENUM(SessionPrecision, exact, day)

enum class Attendance { present, invited, declined };
BOOST_DESCRIBE_ENUM(Attendance, present, invited, declined)

struct Attendee {
  ProfileId profile;
  Attendance attendance = Attendance::present;

  bool operator==(const Attendee&) const = default;
};
BOOST_DESCRIBE_STRUCT(Attendee, (), (profile, attendance))

/// One evening: who was there (or is asked whether they were), when, and which episodes. What it moved follows as events of its own.
struct WatchSessionRecorded {
  WatchSessionId session;
  TitleId title;
  Time session_date = {};
  SessionPrecision precision = SessionPrecision::exact;
  std::string time_zone;
  std::int32_t start_episode = 0;
  std::int32_t end_episode = 0;
  std::vector<Attendee> participants;
  bool advance_progress = true;
};
BOOST_DESCRIBE_STRUCT(WatchSessionRecorded, (),
                      (session, title, session_date, precision, time_zone, start_episode, end_episode, participants, advance_progress))

struct WatchSessionNotesChanged {
  WatchSessionId session;
  std::optional<Personal> notes = {};
};
BOOST_DESCRIBE_STRUCT(WatchSessionNotesChanged, (), (session, notes))

/// Who was listed as invited says that they were there.
struct AttendanceConfirmed {
  WatchSessionId session;
  ProfileId profile;
  TitleId title;
};
BOOST_DESCRIBE_STRUCT(AttendanceConfirmed, (), (session, profile, title))

struct AttendanceDeclined {
  WatchSessionId session;
  ProfileId profile;
  TitleId title;
};
BOOST_DESCRIBE_STRUCT(AttendanceDeclined, (), (session, profile, title))

/// An attendance is open again, as it was before the member answered: what undoes AttendanceConfirmed and AttendanceDeclined.
struct AttendanceReopened {
  WatchSessionId session;
  ProfileId profile;
  TitleId title;
};
BOOST_DESCRIBE_STRUCT(AttendanceReopened, (), (session, profile, title))

/// A recorded session was taken back. What it had moved is moved back by events of its own.
struct WatchSessionRemoved {
  WatchSessionId session;
  TitleId title;
};
BOOST_DESCRIBE_STRUCT(WatchSessionRemoved, (), (session, title))

/// A session that was taken back counts again, as it was.
struct WatchSessionRestored {
  WatchSessionId session;
  TitleId title;
};
BOOST_DESCRIBE_STRUCT(WatchSessionRestored, (), (session, title))

/// A title left its space, with all that was said of it there. Releases `title_claim`.
struct AnimeRemoved {
  static constexpr bool always_fits = true;
  TitleId title;
  ClaimKey title_claim;
};
BOOST_DESCRIBE_STRUCT(AnimeRemoved, (), (title, title_claim))

/// A title that had left its space is back with all that had been said of it. Takes `title_claim`.
struct AnimeRestored {
  TitleId title;
  ClaimKey title_claim;
};
BOOST_DESCRIBE_STRUCT(AnimeRestored, (), (title, title_claim))

using AnimeEvents =
    boost::mp11::mp_list<AnimeAdded, SharedStatusChanged, SharedProgressChanged, MoodChanged, VibeChanged, PitchChanged,
                         ParticipantStatusChanged, ParticipantProgressChanged, StartDateChanged, FinishDateChanged, TimesRewatchedChanged,
                         AnimeRated, RatingCleared, RatingNotesChanged, WatchSessionRecorded, WatchSessionNotesChanged, AttendanceConfirmed,
                         AttendanceDeclined, AttendanceReopened, WatchSessionRemoved, WatchSessionRestored, AnimeRemoved, AnimeRestored>;

}  // namespace bloomwatch
