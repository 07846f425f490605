// Who may see an anime: members of its space, and only through that space.
#pragma once

#include "command-service/spaces/access.h"
#include "command-service/tracking/anime.h"
#include "command-service/tracking/refusals.h"

namespace bloomwatch::tracking {

/// no_such_space to strangers, then no_such_anime where it is not tracked in the space that the command names.
inline std::optional<Refused> refuse_unseen(const Actor& by, const WatchSpace& space, const Anime& anime, WatchSpaceId watch_space) {
  if (auto refused = spaces::refuse_strangers(by, space)) return refused;
  if (anime.watch_space != watch_space) return refuse(Refusal::no_such_anime);
  return std::nullopt;
}

}  // namespace bloomwatch::tracking
