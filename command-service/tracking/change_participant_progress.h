// A member says how far they are themselves: any subset of the fields, one event for each that differs.
#pragma once

#include "command-service/decision.h"
#include "command-service/spaces/watch_space.h"
#include "command-service/tracking/anime.h"
#include "command-service/values.h"

namespace bloomwatch {

/// Refused, in this order: no_such_space, no_such_anime, progress_exceeds_episode_count. Progress that is changed without a status may
/// change that too, see status_after().
struct ChangeParticipantProgress {
  WatchSpaceId watch_space = {};
  AnimeId anime = {};
  Patch<TrackingStatus> status = {};
  Patch<EpisodesWatched> episodes_watched = {};
  ClearablePatch<PossibleDate> started_on = {};
  ClearablePatch<PossibleDate> finished_on = {};
  Patch<RewatchCount> times_rewatched = {};

  using Changes =
      Decision<ParticipantProgressChanged, ParticipantStatusChanged, StartDateChanged, FinishDateChanged, TimesRewatchedChanged>;
  Changes decide(const Actor& by, const Anime& changed, const WatchSpace& space) const;

 private:
  void decide_progress(Changes& changes, ProfileId profile, const Anime& changed) const;
  void decide_dates(Changes& changes, ProfileId profile, const Anime& changed) const;
};
BOOST_DESCRIBE_STRUCT(ChangeParticipantProgress, (),
                      (watch_space, anime, status, episodes_watched, started_on, finished_on, times_rewatched))

}  // namespace bloomwatch
