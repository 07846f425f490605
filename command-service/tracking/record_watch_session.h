// A member records an evening: what was watched, when, and who was there. It moves the space and everyone present, never backwards.
#pragma once

#include <set>

#include "command-service/decision.h"
#include "command-service/spaces/watch_space.h"
#include "command-service/tracking/anime.h"
#include "command-service/values.h"

namespace bloomwatch {

/// How far in the future an evening may lie: people plan, clocks and zones differ.
inline constexpr std::chrono::days session_ahead_max{1};

/// Refused, in this order: no_such_space, no_such_anime, session_ends_before_it_starts, session_exceeds_episode_count,
/// session_date_impossible (before 1900 in its zone, or more than a day ahead), session_without_participants, participant_not_a_member.
/// Who asks to be asked is listed as invited and moves when they confirm, unless they record it themselves. The space moves at once.
struct RecordWatchSession {
  WatchSpaceId watch_space = {};
  AnimeId anime = {};
  Time session_date = {};
  std::optional<SessionPrecision> precision = {};  ///< none: exact
  std::optional<TimeZoneName> time_zone = {};      ///< none: the space's
  EpisodeNumber start_episode = {};
  EpisodeNumber end_episode = {};
  std::optional<Notes> notes = {};
  std::optional<std::set<ProfileId>> participants = {};  ///< none: all members
  std::optional<bool> advance_progress = {};             ///< none: yes
  Minted<WatchSessionId> session = {};

  static constexpr bool creates = true;
  Uuid answer_id() const { return session->uuid; }
  using Recorded = Decision<WatchSessionRecorded, WatchSessionNotesChanged, SharedProgressChanged, SharedStatusChanged,
                            ParticipantProgressChanged, ParticipantStatusChanged>;
  Recorded decide(const Actor& by, const Anime& watched, const WatchSpace& space) const;

 private:
  std::optional<Refused> refuse_impossible(const Actor& by, const Anime& watched, const WatchSpace& space) const;
  bool is_too_far_ahead(const Actor& by, const WatchSpace& space) const;
  const std::string& zone(const WatchSpace& space) const;
  std::vector<Attendee> attendees(const Actor& by, const WatchSpace& space) const;
};
BOOST_DESCRIBE_STRUCT(RecordWatchSession, (),
                      (watch_space, anime, session_date, precision, time_zone, start_episode, end_episode, notes, participants,
                       advance_progress, session))

}  // namespace bloomwatch
