// The decision about changes to what is shared.
#include "command-service/tracking/change_anime.h"

#include "command-service/tracking/access.h"
#include "command-service/tracking/progress.h"
#include "command-service/tracking/sealing.h"

namespace bloomwatch {

using tracking::Refusal;

void ChangeAnime::decide_progress(Changes& changes, const Anime& changed) const {
  TrackingStatus status = changed.shared_status;
  if (shared_episodes_watched && shared_episodes_watched->value() != changed.shared_episodes) {
    const std::int32_t to = shared_episodes_watched->value();
    changes.add(SharedProgressChanged{.episodes = to});
    status = tracking::status_after(status, changed.shared_episodes, to, changed.episode_count);
  }
  if (shared_status) status = *shared_status;
  if (status != changed.shared_status) changes.add(SharedStatusChanged{.status = status});
}

void ChangeAnime::decide_texts(Changes& changes, const Actor& by, const Anime& changed) const {
  if (mood) {
    const auto text = tracking::sealed(by, mood.value);
    if (mark_of(text) != changed.mood) changes.add(MoodChanged{.mood = text});
  }
  if (vibe) {
    const auto text = tracking::sealed(by, vibe.value);
    if (mark_of(text) != changed.vibe) changes.add(VibeChanged{.vibe = text});
  }
  if (pitch) {
    const auto text = tracking::sealed(by, pitch.value);
    if (mark_of(text) != changed.pitch) changes.add(PitchChanged{.pitch = text});
  }
}

ChangeAnime::Changes ChangeAnime::decide(const Actor& by, const Anime& changed, const WatchSpace& space) const {
  if (const auto refused = tracking::refuse_unseen(by, space, changed, watch_space)) return *refused;
  if (shared_episodes_watched && changed.exceeds_count(shared_episodes_watched->value()))
    return refuse(Refusal::progress_exceeds_episode_count);
  Changes changes;
  decide_progress(changes, changed);
  decide_texts(changes, by, changed);
  return changes;
}

}  // namespace bloomwatch
