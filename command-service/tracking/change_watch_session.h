// A member edits the notes of an evening: like mood and pitch they are the space's, whoever wrote them.
#pragma once

#include "command-service/decision.h"
#include "command-service/tracking/access.h"
#include "command-service/tracking/sealing.h"
#include "command-service/values.h"

namespace bloomwatch {

/// Refused, in this order: no_such_space, no_such_anime, no_such_watch_session. The answer's id is the watch session's.
struct ChangeWatchSession {
  WatchSpaceId watch_space = {};
  AnimeId anime = {};
  WatchSessionId session = {};
  ClearablePatch<Notes> notes = {};

  Uuid answer_id() const { return session.uuid; }
  Decision<WatchSessionNotesChanged> decide(const Actor& by, const Anime& watched, const WatchSpace& space) const {
    if (const auto refused = tracking::refuse_unseen(by, space, watched, watch_space)) return *refused;
    const auto found = watched.sessions.find(session);
    if (found == watched.sessions.end()) return refuse(tracking::Refusal::no_such_watch_session);
    if (!notes) return nothing;
    const auto text = tracking::sealed(by, notes.value);
    if (mark_of(text) == found->second.notes) return nothing;
    return WatchSessionNotesChanged{.session = session, .notes = text};
  }
};
BOOST_DESCRIBE_STRUCT(ChangeWatchSession, (), (watch_space, anime, session, notes))

}  // namespace bloomwatch
