// Who was asked says that they were there, and moves with the others.
#pragma once

#include "command-service/decision.h"
#include "command-service/tracking/access.h"
#include "command-service/tracking/progress.h"

namespace bloomwatch {

/// Refused, in this order: no_such_space, no_such_anime, no_such_watch_session, not_invited (not listed). Quiet to who is present already.
/// Who declined may still confirm. The answer's id is the watch session's.
struct ConfirmAttendance {
  WatchSpaceId watch_space = {};
  AnimeId anime = {};
  WatchSessionId session = {};

  Uuid answer_id() const { return session.uuid; }
  using Confirmed = Decision<AttendanceConfirmed, ParticipantProgressChanged, ParticipantStatusChanged>;
  Confirmed decide(const Actor& by, const Anime& watched, const WatchSpace& space) const {
    using tracking::Refusal;
    if (const auto refused = tracking::refuse_unseen(by, space, watched, watch_space)) return *refused;
    const auto found = watched.sessions.find(session);
    if (found == watched.sessions.end()) return refuse(Refusal::no_such_watch_session);
    const auto attendance = found->second.attendance_of(by.profile);
    if (!attendance) return refuse(Refusal::not_invited);
    if (attendance == Attendance::present) return nothing;
    Confirmed decision(AttendanceConfirmed{.session = session, .profile = by.profile, .title = watched.title});
    if (found->second.advance_progress) tracking::advance_participant(decision, watched, by.profile, session, found->second.end_episode);
    return decision;
  }
};
BOOST_DESCRIBE_STRUCT(ConfirmAttendance, (), (watch_space, anime, session))

}  // namespace bloomwatch
