// A member gives an anime a score, notes, both, or takes them back. Neither says anything of the other.
#pragma once

#include "command-service/decision.h"
#include "command-service/spaces/watch_space.h"
#include "command-service/tracking/anime.h"
#include "command-service/values.h"

namespace bloomwatch {

/// Refused, in this order: no_such_space, no_such_anime.
struct RateAnime {
  WatchSpaceId watch_space = {};
  AnimeId anime = {};
  ClearablePatch<Score> score = {};
  ClearablePatch<Notes> notes = {};

  using Changes = Decision<AnimeRated, RatingCleared, RatingNotesChanged>;
  Changes decide(const Actor& by, const Anime& rated, const WatchSpace& space) const;
};
BOOST_DESCRIBE_STRUCT(RateAnime, (), (watch_space, anime, score, notes))

}  // namespace bloomwatch
