// A member says what others may do with them: whether sessions that others record move them at once or only when they confirm, and whether
// the space's recap cards, which people outside can see, may show them.
#pragma once

#include "command-service/decision.h"
#include "command-service/spaces/access.h"
#include "runtime/json.h"

namespace bloomwatch {

/// Refused: no_such_space.
struct ChangeMySettings {
  WatchSpaceId watch_space = {};
  Patch<SessionConsent> session_consent = {};
  Patch<bool> recap_consent = {};

  Decision<SessionConsentChanged, RecapConsentChanged> decide(const Actor& by, const WatchSpace& space) const {
    if (const auto refused = spaces::refuse_strangers(by, space)) return *refused;
    const WatchSpace::Member& member = space.members.at(by.profile);
    Decision<SessionConsentChanged, RecapConsentChanged> decision;
    if (session_consent && *session_consent != member.consent)
      decision.add(SessionConsentChanged{.profile = by.profile, .consent = *session_consent});
    if (recap_consent && *recap_consent != member.recap_consent)
      decision.add(RecapConsentChanged{.profile = by.profile, .consent = *recap_consent});
    return decision;
  }
};
BOOST_DESCRIBE_STRUCT(ChangeMySettings, (), (watch_space, session_consent, recap_consent))

}  // namespace bloomwatch
