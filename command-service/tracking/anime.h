// One anime in a space as the next decision needs to know it. Of texts it keeps only a mark, so that an unchanged one is told from another.
// Bounded by the length of the stream: a participant for each profile that ever said something, a session for each recorded.
#pragma once

#include <boost/describe.hpp>
#include <cstdint>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "command-service/heap_bytes.h"
#include "events/envelope.h"
#include "events/tracking.h"

namespace bloomwatch {

/// Tells one sealed text from another in 16 bytes; none: no text. Boxes are deterministic, so equal texts of one person have equal marks.
using Mark = std::optional<Uuid>;
Mark mark_of(const std::optional<Personal>& text);

/// What the past of one anime in a space means for the next decision. Stream anime-<id>.
struct Anime {
  using Key = AnimeId;
  using Partition = WatchSpaceId;
  using Events = AnimeEvents;
  static constexpr std::string_view category = "anime";
  static constexpr std::int32_t snapshot_shape = 1;

  /// What a member says of it. Who has said nothing is as a fresh one.
  struct Participant {
    TrackingStatus status = TrackingStatus::backlog;
    std::int32_t episodes = 0;
    std::int32_t times_rewatched = 0;
    std::optional<PartialDate> started_on = {};
    std::optional<PartialDate> finished_on = {};
    std::optional<std::int16_t> score_tenths = {};
    Mark notes = {};

    bool operator==(const Participant&) const = default;
  };
  struct Session {
    std::int32_t end_episode = 0;
    bool advance_progress = true;
    std::vector<Attendee> participants = {};
    Mark notes = {};

    /// None: not listed.
    std::optional<Attendance> attendance_of(ProfileId profile) const;
    void attend(ProfileId profile, Attendance attendance);
    std::size_t heap_bytes() const { return participants.capacity() * sizeof(Attendee); }
    bool operator==(const Session&) const = default;
  };

  std::optional<WatchSpaceId> watch_space;   ///< none: never added, or removed
  std::optional<WatchSpaceId> removed_from;  ///< where it would be restored to
  TitleId title;
  std::optional<std::int32_t> episode_count;  ///< none: not known
  TrackingStatus shared_status = TrackingStatus::backlog;
  std::int32_t shared_episodes = 0;
  Mark mood;
  Mark vibe;
  Mark pitch;
  std::map<ProfileId, Participant> participants;
  std::map<WatchSessionId, Session> sessions;
  std::map<WatchSessionId, Session> removed_sessions;

  const Participant& participant(ProfileId profile) const;
  std::size_t heap_bytes() const { return nodes_bytes(participants) + nodes_bytes(sessions) + nodes_bytes(removed_sessions); }
  bool exceeds_count(std::int32_t episodes) const { return episode_count && episodes > *episode_count; }

  void evolve(const AnimeAdded& e);
  void evolve(const SharedStatusChanged& e) { shared_status = e.status; }
  void evolve(const SharedProgressChanged& e) { shared_episodes = e.episodes; }
  void evolve(const MoodChanged& e) { mood = mark_of(e.mood); }
  void evolve(const VibeChanged& e) { vibe = mark_of(e.vibe); }
  void evolve(const PitchChanged& e) { pitch = mark_of(e.pitch); }
  void evolve(const ParticipantStatusChanged& e) { participants[e.profile].status = e.status; }
  void evolve(const ParticipantProgressChanged& e) { participants[e.profile].episodes = e.episodes; }
  void evolve(const StartDateChanged& e) { participants[e.profile].started_on = e.started_on; }
  void evolve(const FinishDateChanged& e) { participants[e.profile].finished_on = e.finished_on; }
  void evolve(const TimesRewatchedChanged& e) { participants[e.profile].times_rewatched = e.times; }
  void evolve(const AnimeRated& e) { participants[e.profile].score_tenths = e.score_tenths; }
  void evolve(const RatingCleared& e) { participants[e.profile].score_tenths.reset(); }
  void evolve(const RatingNotesChanged& e) { participants[e.profile].notes = mark_of(e.notes); }
  void evolve(const WatchSessionRecorded& e);
  void evolve(const WatchSessionNotesChanged& e) { sessions[e.session].notes = mark_of(e.notes); }
  void evolve(const AttendanceConfirmed& e) { sessions[e.session].attend(e.profile, Attendance::present); }
  void evolve(const AttendanceDeclined& e) { sessions[e.session].attend(e.profile, Attendance::declined); }
  void evolve(const AttendanceReopened& e) { sessions[e.session].attend(e.profile, Attendance::invited); }
  void evolve(const WatchSessionRemoved& e) { removed_sessions.insert(sessions.extract(e.session)); }
  void evolve(const WatchSessionRestored& e) { sessions.insert(removed_sessions.extract(e.session)); }
  void evolve(const AnimeRemoved&) { removed_from = std::exchange(watch_space, std::nullopt); }
  void evolve(const AnimeRestored&) { watch_space = std::exchange(removed_from, std::nullopt); }
};
BOOST_DESCRIBE_STRUCT(Anime::Participant, (), (status, episodes, times_rewatched, started_on, finished_on, score_tenths, notes))
BOOST_DESCRIBE_STRUCT(Anime::Session, (), (end_episode, advance_progress, participants, notes))
BOOST_DESCRIBE_STRUCT(Anime, (),
                      (watch_space, removed_from, title, episode_count, shared_status, shared_episodes, mood, vibe, pitch, participants,
                       sessions, removed_sessions))

}  // namespace bloomwatch
