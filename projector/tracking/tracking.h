// The read model `tracking`: the anime of a space, each participant's own side of them, and the evenings spent with them.
// Partition key of all its events: the space. Tables: migrations/0013_read_tracking.sql, 0031_titles_in_spaces.sql.
#pragma once

#include <boost/describe.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "events/envelope.h"
#include "events/tracking.h"
#include "projector/rows.h"

namespace bloomwatch {

/// What is shared about one anime. The anime's own version is the greatest of this row's and its entries' (a rating writes the entry only).
struct AnimeRow {
  using Key = AnimeId;
  AnimeId anime;
  std::optional<WatchSpaceId> watch_space = {};  ///< none: removed, and no page of a space finds it
  TitleId title;
  std::string media_source;
  std::string media_id;
  std::optional<std::string> romaji = {};
  std::optional<std::string> english = {};
  std::optional<std::string> native = {};
  std::optional<std::int32_t> episode_count = {};
  std::optional<std::int32_t> episode_minutes = {};
  std::optional<std::string> cover_image_url = {};
  std::optional<std::string> format = {};
  std::optional<std::string> season = {};
  std::optional<std::int32_t> season_year = {};
  std::string preferred_title;  ///< romaji, else english, else native, else the reference in words
  std::string sort_title;       ///< see sort_title_of()
  TrackingStatus shared_status = TrackingStatus::backlog;
  std::int32_t shared_episodes = 0;
  std::int32_t session_count = 0;
  std::optional<Personal> mood = {};
  std::optional<Personal> vibe = {};
  std::optional<Personal> pitch = {};
  ProfileId added_by;
  Time added_at = {};
  Time updated_at = {};  ///< of the last event that changed this row: what is shared, or a session
  Version version = 0;   ///< of the anime's stream at that event

  bool operator==(const AnimeRow&) const = default;
};
BOOST_DESCRIBE_STRUCT(AnimeRow, (),
                      (anime, watch_space, title, media_source, media_id, romaji, english, native, episode_count, episode_minutes,
                       cover_image_url, format, season, season_year, preferred_title, sort_title, shared_status, shared_episodes,
                       session_count, mood, vibe, pitch, added_by, added_at, updated_at, version))

/// One participant's own side of one anime. Who has done nothing has no row, which reads as one of defaults.
struct EntryRow {
  using Key = std::tuple<AnimeId, ProfileId>;
  AnimeId anime;
  ProfileId profile;
  TrackingStatus status = TrackingStatus::backlog;
  std::int32_t episodes = 0;
  std::optional<PartialDate> started_on = {};
  std::optional<PartialDate> finished_on = {};
  std::int32_t times_rewatched = 0;
  std::optional<std::int16_t> score_tenths = {};
  std::optional<Personal> notes = {};
  Time updated_at = {};
  Version version = 0;  ///< of the anime's stream at the last change of this row

  bool operator==(const EntryRow&) const = default;
};
BOOST_DESCRIBE_STRUCT(EntryRow, (),
                      (anime, profile, status, episodes, started_on, finished_on, times_rewatched, score_tenths, notes, updated_at,
                       version))

/// One evening. Of one that was taken back everything stays but where it belongs, so that no page finds it.
struct SessionRow {
  using Key = WatchSessionId;
  WatchSessionId session;
  std::optional<AnimeId> anime = {};
  std::optional<WatchSpaceId> watch_space = {};
  Time session_date = {};
  SessionPrecision precision = SessionPrecision::exact;
  std::string time_zone;
  std::int32_t start_episode = 0;
  std::int32_t end_episode = 0;
  std::optional<Personal> notes = {};
  std::vector<Attendee> participants;
  ProfileId created_by;
  Time created_at = {};
  Time updated_at = {};
  Version version = 0;  ///< of the anime's stream at the last change of this row

  bool operator==(const SessionRow&) const = default;
};
BOOST_DESCRIBE_STRUCT(SessionRow, (),
                      (session, anime, watch_space, session_date, precision, time_zone, start_episode, end_episode, notes, participants,
                       created_by, created_at, updated_at, version))

/// Which anime of a space is a title, by the id that it was added with.
struct TrackedTitleRow {
  using Key = std::tuple<WatchSpaceId, TitleId, AnimeId>;
  WatchSpaceId watch_space;
  TitleId title;
  AnimeId anime;

  bool operator==(const TrackedTitleRow&) const = default;
};
BOOST_DESCRIBE_STRUCT(TrackedTitleRow, (), (watch_space, title, anime))

/// What an anime is called where one name is wanted: romaji, english, native, or `AniList 154587`.
std::string preferred_title_of(const TitleSnapshot& snapshot, const MediaReference& media);
/// By which it is sorted: A–Z as a–z, at most 64 bytes (whole characters of UTF-8), compared bytewise.
std::string sort_title_of(std::string_view preferred_title);

struct Tracking {
  static constexpr std::string_view name = "tracking";
  static constexpr int version = 2;  ///< raise it when a fold changes

  projection::Rows<AnimeRow> anime;
  projection::Rows<EntryRow> entries;
  projection::Rows<SessionRow> sessions;
  projection::Puts<TrackedTitleRow> titles;

  void apply(const AnimeAdded& e, const Meta& meta);
  void apply(const SharedStatusChanged& e, const Meta& meta);
  void apply(const SharedProgressChanged& e, const Meta& meta);
  void apply(const MoodChanged& e, const Meta& meta);
  void apply(const VibeChanged& e, const Meta& meta);
  void apply(const PitchChanged& e, const Meta& meta);
  void apply(const ParticipantStatusChanged& e, const Meta& meta);
  void apply(const ParticipantProgressChanged& e, const Meta& meta);
  void apply(const StartDateChanged& e, const Meta& meta);
  void apply(const FinishDateChanged& e, const Meta& meta);
  void apply(const TimesRewatchedChanged& e, const Meta& meta);
  void apply(const AnimeRated& e, const Meta& meta);
  void apply(const RatingCleared& e, const Meta& meta);
  void apply(const RatingNotesChanged& e, const Meta& meta);
  void apply(const WatchSessionRecorded& e, const Meta& meta);
  void apply(const WatchSessionNotesChanged& e, const Meta& meta);
  void apply(const AttendanceConfirmed& e, const Meta& meta);
  void apply(const AttendanceDeclined& e, const Meta& meta);
  void apply(const AttendanceReopened& e, const Meta& meta);
  void apply(const WatchSessionRemoved& e, const Meta& meta);
  void apply(const WatchSessionRestored& e, const Meta& meta);
  void apply(const AnimeRemoved& e, const Meta& meta);
  void apply(const AnimeRestored& e, const Meta& meta);
};
BOOST_DESCRIBE_STRUCT(Tracking, (), (anime, entries, sessions, titles))

}  // namespace bloomwatch
