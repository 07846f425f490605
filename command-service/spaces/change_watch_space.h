// An owner renames a space, moves it to another time zone, or gives it another theme.
#pragma once

#include "command-service/decision.h"
#include "command-service/spaces/access.h"
#include "command-service/values.h"

namespace bloomwatch {

/// Refused, in this order: no_such_space, owners_only.
struct ChangeWatchSpace {
  WatchSpaceId watch_space = {};
  Patch<SpaceName> name = {};
  Patch<TimeZoneName> time_zone = {};
  ClearablePatch<Theme> theme = {};

  using Changes = Decision<WatchSpaceRenamed, WatchSpaceTimeZoneChanged, WatchSpaceThemeChanged>;
  Changes decide(const Actor& by, const WatchSpace& space) const {
    if (const auto refused = spaces::refuse_all_but_owners(by, space)) return *refused;
    Changes changes;
    if (name && name->text() != space.name) changes.add(WatchSpaceRenamed{name->text()});
    if (time_zone && time_zone->text() != space.time_zone) changes.add(WatchSpaceTimeZoneChanged{time_zone->text()});
    if (theme) {
      std::optional<std::string> wanted;
      if (theme.value) wanted = theme.value->text();
      if (wanted != space.theme) changes.add(WatchSpaceThemeChanged{wanted});
    }
    return changes;
  }
};
BOOST_DESCRIBE_STRUCT(ChangeWatchSpace, (), (watch_space, name, time_zone, theme))

}  // namespace bloomwatch
