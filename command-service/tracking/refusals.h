// Why a tracking command is refused. The name is the stable type of the problem that a client sees.
// Strangers to the space get no_such_space of spaces/refusals.h, before anything here.
#pragma once

#include <boost/describe.hpp>
#include <string_view>

namespace bloomwatch {
struct Problem;
}

namespace bloomwatch::tracking {

enum class Refusal {
  no_such_anime,
  media_not_named,
  already_tracked,
  progress_exceeds_episode_count,
  no_such_watch_session,
  session_ends_before_it_starts,
  session_exceeds_episode_count,
  session_date_impossible,
  session_without_participants,
  participant_not_a_member,
  not_invited,
  attendance_settled,
};
BOOST_DESCRIBE_ENUM(Refusal, no_such_anime, media_not_named, already_tracked, progress_exceeds_episode_count, no_such_watch_session,
                    session_ends_before_it_starts, session_exceeds_episode_count, session_date_impossible, session_without_participants,
                    participant_not_a_member, not_invited, attendance_settled)

/// What a client is shown; null if the name is no refusal of this context.
const Problem* problem_of(std::string_view refusal);

}  // namespace bloomwatch::tracking
