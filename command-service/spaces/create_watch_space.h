// Somebody makes a watch space, and is its first owner.
#pragma once

#include "command-service/decision.h"
#include "command-service/spaces/watch_space.h"
#include "command-service/values.h"

namespace bloomwatch {

/// Never refused.
struct CreateWatchSpace {
  SpaceName name = {};
  std::optional<TimeZoneName> time_zone = {};  ///< none: UTC
  std::optional<Theme> theme = {};
  Minted<WatchSpaceId> watch_space = {};

  static constexpr bool creates = true;
  Decision<WatchSpaceCreated, MemberJoined> decide(const Actor& by, const WatchSpace& space) const {
    if (space.exists) return nothing;
    WatchSpaceCreated created{.name = name.text(), .time_zone = time_zone ? time_zone->text() : "UTC"};
    if (theme) created.theme = theme->text();
    Decision<WatchSpaceCreated, MemberJoined> decision(std::move(created));
    decision.add(MemberJoined{.profile = by.profile, .role = SpaceRole::owner});
    return decision;
  }
};
BOOST_DESCRIBE_STRUCT(CreateWatchSpace, (), (name, time_zone, theme, watch_space))

}  // namespace bloomwatch
