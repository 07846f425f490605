// The decision about an evening.
#include "command-service/tracking/record_watch_session.h"

#include <algorithm>

#include "command-service/tracking/access.h"
#include "command-service/tracking/progress.h"
#include "command-service/tracking/sealing.h"
#include "runtime/zones.h"

namespace bloomwatch {

using tracking::Refusal;

namespace {

constexpr Date first_session_date = std::chrono::local_days(std::chrono::year(1900) / 1 / 1);

}  // namespace

std::optional<Refused> RecordWatchSession::refuse_impossible(const Actor& by, const Anime& watched, const WatchSpace& space) const {
  if (end_episode.value() < start_episode.value()) return refuse(Refusal::session_ends_before_it_starts);
  if (watched.exceeds_count(end_episode.value())) return refuse(Refusal::session_exceeds_episode_count);
  if (date_in(zone(space), session_date) < first_session_date || is_too_far_ahead(by, space))
    return refuse(Refusal::session_date_impossible);
  if (!participants) return std::nullopt;
  if (participants->empty()) return refuse(Refusal::session_without_participants);
  if (!std::ranges::all_of(*participants, [&](ProfileId profile) { return space.has(profile); }))
    return refuse(Refusal::participant_not_a_member);
  return std::nullopt;
}

/// Of a day its hour says nothing.
bool RecordWatchSession::is_too_far_ahead(const Actor& by, const WatchSpace& space) const {
  const Time latest = by.now + session_ahead_max;
  if (precision == SessionPrecision::day) return date_in(zone(space), session_date) > date_in(zone(space), latest);
  return session_date > latest;
}

const std::string& RecordWatchSession::zone(const WatchSpace& space) const { return time_zone ? time_zone->text() : space.time_zone; }

std::vector<Attendee> RecordWatchSession::attendees(const Actor& by, const WatchSpace& space) const {
  std::vector<Attendee> listed;
  for (const auto& [profile, member] : space.members) {
    if (participants && !participants->contains(profile)) continue;
    const bool asked = profile != by.profile && member.consent == SessionConsent::ask;
    listed.push_back({.profile = profile, .attendance = asked ? Attendance::invited : Attendance::present});
  }
  return listed;
}

RecordWatchSession::Recorded RecordWatchSession::decide(const Actor& by, const Anime& watched, const WatchSpace& space) const {
  if (const auto refused = tracking::refuse_unseen(by, space, watched, watch_space)) return *refused;
  if (watched.sessions.contains(*session)) return nothing;
  if (const auto refused = refuse_impossible(by, watched, space)) return *refused;
  const std::vector<Attendee> listed = attendees(by, space);
  const bool advances = advance_progress.value_or(true);
  Recorded decision(WatchSessionRecorded{.session = *session,
                                         .title = watched.title,
                                         .session_date = session_date,
                                         .precision = precision.value_or(SessionPrecision::exact),
                                         .time_zone = zone(space),
                                         .start_episode = start_episode.value(),
                                         .end_episode = end_episode.value(),
                                         .participants = listed,
                                         .advance_progress = advances});
  if (notes) decision.add(WatchSessionNotesChanged{.session = *session, .notes = tracking::sealed(by, notes)});
  if (!advances) return decision;
  tracking::advance_space(decision, watched, *session, end_episode.value());
  for (const Attendee& attendee : listed)
    if (attendee.attendance == Attendance::present)
      tracking::advance_participant(decision, watched, attendee.profile, *session, end_episode.value());
  return decision;
}

}  // namespace bloomwatch
