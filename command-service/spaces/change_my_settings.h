// A member says whether sessions that others record move them at once, or only when they confirm.
#pragma once

#include "command-service/decision.h"
#include "command-service/spaces/access.h"
#include "runtime/json.h"

namespace bloomwatch {

/// Refused: no_such_space.
struct ChangeMySettings {
  WatchSpaceId watch_space = {};
  Patch<SessionConsent> session_consent = {};

  Decision<SessionConsentChanged> decide(const Actor& by, const WatchSpace& space) const {
    if (const auto refused = spaces::refuse_strangers(by, space)) return *refused;
    if (!session_consent || *session_consent == space.members.at(by.profile).consent) return nothing;
    return SessionConsentChanged{.profile = by.profile, .consent = *session_consent};
  }
};
BOOST_DESCRIBE_STRUCT(ChangeMySettings, (), (watch_space, session_consent))

}  // namespace bloomwatch
