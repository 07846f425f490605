// Who was asked says that they were not there.
#pragma once

#include "command-service/decision.h"
#include "command-service/tracking/access.h"

namespace bloomwatch {

/// Refused, in this order: no_such_space, no_such_anime, no_such_watch_session, not_invited (not listed), attendance_settled (present:
/// their progress has moved with it). Quiet to who has declined. The answer's id is the watch session's.
struct DeclineAttendance {
  WatchSpaceId watch_space = {};
  AnimeId anime = {};
  WatchSessionId session = {};

  Uuid answer_id() const { return session.uuid; }
  Decision<AttendanceDeclined> decide(const Actor& by, const Anime& watched, const WatchSpace& space) const {
    using tracking::Refusal;
    if (const auto refused = tracking::refuse_unseen(by, space, watched, watch_space)) return *refused;
    const auto found = watched.sessions.find(session);
    if (found == watched.sessions.end()) return refuse(Refusal::no_such_watch_session);
    const auto attendance = found->second.attendance_of(by.profile);
    if (!attendance) return refuse(Refusal::not_invited);
    if (attendance == Attendance::present) return refuse(Refusal::attendance_settled);
    if (attendance == Attendance::declined) return nothing;
    return AttendanceDeclined{.session = session, .profile = by.profile, .title = watched.title};
  }
};
BOOST_DESCRIBE_STRUCT(DeclineAttendance, (), (watch_space, anime, session))

}  // namespace bloomwatch
