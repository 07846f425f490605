// The decisions about sharing. The link's id is fresh, so its stream is empty.
#include "command-service/recaps/share_recap.h"

#include "command-service/recaps/refusals.h"
#include "command-service/spaces/access.h"

namespace bloomwatch {

using recaps::Refusal;

Decision<RecapShared> ShareMyRecap::decide(const Actor& by, const RecapShare&, By<User> user) const {
  if (!period.has_begun(user->time_zone, by.now)) return refuse(Refusal::period_not_begun);
  Decision<RecapShared> decision(RecapShared{.profile = by.profile, .period = period.wire(), .token_claim = *token_claim});
  decision.take(*token_claim);
  return decision;
}

Decision<RecapShared> ShareSpaceRecap::decide(const Actor& by, const RecapShare&, const WatchSpace& space) const {
  if (const auto refused = spaces::refuse_strangers(by, space)) return *refused;
  if (!period.has_begun(space.time_zone, by.now)) return refuse(Refusal::period_not_begun);
  Decision<RecapShared> decision(RecapShared{.watch_space = watch_space, .period = period.wire(), .token_claim = *token_claim});
  decision.take(*token_claim);
  return decision;
}

}  // namespace bloomwatch
