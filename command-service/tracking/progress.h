// What follows from progress: the same rules for a space and for each of its members, whoever or whatever moves it.
#pragma once

#include <algorithm>

#include "command-service/decision.h"
#include "command-service/tracking/anime.h"

namespace bloomwatch::tracking {

/// The status after progress has moved from `from` to `to`: the last episode of a known count finishes it, whatever it was; a step forward
/// takes it off the backlog; else it stays.
inline TrackingStatus status_after(TrackingStatus status, std::int32_t from, std::int32_t to, std::optional<std::int32_t> episode_count) {
  if (episode_count && to == *episode_count) return TrackingStatus::finished;
  if (to > from && status == TrackingStatus::backlog) return TrackingStatus::watching;
  return status;
}

/// How far a watch session that ended with `end_episode` takes somebody: never backwards. A session that moved nobody on still finishes
/// what ended with it.
struct Advance {
  std::int32_t episodes;
  TrackingStatus status;
};
inline Advance advance(TrackingStatus status, std::int32_t episodes, std::int32_t end_episode, std::optional<std::int32_t> episode_count) {
  const std::int32_t reached = std::max(episodes, end_episode);
  if (end_episode < episodes) return {reached, status};
  return {reached, status_after(status, episodes, reached, episode_count)};
}

/// Adds what a watch session moves for one member.
template <class D>
void advance_participant(D& decision, const Anime& anime, ProfileId profile, WatchSessionId session, std::int32_t end_episode) {
  const Anime::Participant& now = anime.participant(profile);
  const Advance to = advance(now.status, now.episodes, end_episode, anime.episode_count);
  if (to.episodes != now.episodes)
    decision.add(ParticipantProgressChanged{.profile = profile, .title = anime.title, .episodes = to.episodes, .session = session});
  if (to.status != now.status)
    decision.add(ParticipantStatusChanged{.profile = profile, .title = anime.title, .status = to.status, .session = session});
}

/// Adds what a watch session moves for the space.
template <class D>
void advance_space(D& decision, const Anime& anime, WatchSessionId session, std::int32_t end_episode) {
  const Advance to = advance(anime.shared_status, anime.shared_episodes, end_episode, anime.episode_count);
  if (to.episodes != anime.shared_episodes) decision.add(SharedProgressChanged{.episodes = to.episodes, .session = session});
  if (to.status != anime.shared_status) decision.add(SharedStatusChanged{.status = to.status, .session = session});
}

}  // namespace bloomwatch::tracking
