// Somebody takes back a change of an anime: all that one command did. What it did and what was so before is read from the log, which never
// changes, and comes with the command (undo/plan.h); whether it still stands is decided here.
#pragma once

#include <boost/mp11.hpp>
#include <memory>
#include <variant>
#include <vector>

#include "command-service/decision.h"
#include "command-service/spaces/watch_space.h"
#include "command-service/tracking/anime.h"
#include "command-service/tracking/tracked_anime.h"
#include "command-service/undo/refusals.h"
#include "command-service/values.h"

namespace bloomwatch {

/// What taking back a change of an anime may say: everything but that something is new.
using AnimeTakenBack = boost::mp11::mp_remove_if_q<
    AnimeEvents, boost::mp11::mp_bind_front<boost::mp11::mp_contains, boost::mp11::mp_list<AnimeAdded, WatchSessionRecorded>>>;

/// How to take back one change of an anime.
struct TrackingPlan {
  using Event = boost::mp11::mp_rename<AnimeTakenBack, std::variant>;
  struct Step {
    EventId undoes;
    Event event;
  };

  std::vector<Step> steps;                      ///< one for each event of the change, the last one's first
  Anime after;                                  ///< what the change left
  std::optional<ProfileId> only = {};           ///< who alone may take it back; none: any member
  std::optional<undo::Refusal> refusal = {};    ///< what the log alone says already
  std::optional<MediaReference> restores = {};  ///< by what the anime that is to come back was added
};

/// Refused, in this order: no_such_space, change_of_another, what the plan says (already_undone), changed_since (what the change left is no
/// longer so, or the title was added anew, under any of its ids). The answer's id is the anime's.
struct UndoTracking {
  WatchSpaceId watch_space = {};
  AnimeId anime = {};
  Minted<ClaimKey> title_claim = {};  ///< of the anime's title
  std::shared_ptr<const TrackingPlan> plan = {};

  std::optional<MediaReference> reference() const { return plan->restores; }

  using Undone = boost::mp11::mp_rename<AnimeTakenBack, Decision>;
  Undone decide(const Actor& by, const Anime& now, const WatchSpace& space, const Claims& claims, TitleHolder tracked) const;
};
BOOST_DESCRIBE_STRUCT(UndoTracking, (), (watch_space, anime, title_claim))

namespace undo {

/// Whether what the step takes back is as the change left it.
bool stands(const TrackingPlan::Event& step, const Anime& now, const Anime& after);

}  // namespace undo
}  // namespace bloomwatch
