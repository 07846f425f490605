// A member changes what the space says of an anime: any subset of the fields, one event for each that differs.
#pragma once

#include "command-service/decision.h"
#include "command-service/spaces/watch_space.h"
#include "command-service/tracking/anime.h"
#include "command-service/values.h"

namespace bloomwatch {

/// Refused, in this order: no_such_space, no_such_anime, progress_exceeds_episode_count. Progress that is changed without a status may
/// change that too, see status_after().
struct ChangeAnime {
  WatchSpaceId watch_space = {};
  AnimeId anime = {};
  Patch<TrackingStatus> shared_status = {};
  Patch<EpisodesWatched> shared_episodes_watched = {};
  ClearablePatch<Mood> mood = {};
  ClearablePatch<Vibe> vibe = {};
  ClearablePatch<Pitch> pitch = {};

  using Changes = Decision<SharedProgressChanged, SharedStatusChanged, MoodChanged, VibeChanged, PitchChanged>;
  Changes decide(const Actor& by, const Anime& changed, const WatchSpace& space) const;

 private:
  void decide_progress(Changes& changes, const Anime& changed) const;
  void decide_texts(Changes& changes, const Actor& by, const Anime& changed) const;
};
BOOST_DESCRIBE_STRUCT(ChangeAnime, (), (watch_space, anime, shared_status, shared_episodes_watched, mood, vibe, pitch))

}  // namespace bloomwatch
