// An owner takes back a change of a space's name, theme or roles: all that one command did. See undo_tracking.h.
#pragma once

#include <memory>
#include <vector>

#include "command-service/decision.h"
#include "command-service/spaces/watch_space.h"
#include "command-service/undo/refusals.h"

namespace bloomwatch {

/// How to take back one change of a space. Without steps and refusal it only asks whether somebody is a member.
struct SpacePlan {
  using Event = std::variant<WatchSpaceRenamed, WatchSpaceThemeChanged, MemberRoleChanged, OwnershipTransferred>;
  struct Step {
    EventId undoes;
    Event event;
  };

  std::vector<Step> steps;                    ///< one for each event of the change, the last one's first
  WatchSpace after;                           ///< what the change left
  std::optional<undo::Refusal> refusal = {};  ///< what the log alone says already
};

/// Refused, in this order: no_such_space, what the plan says (no_such_change, cannot_be_undone), owners_only, already_undone,
/// changed_since, last_owner.
struct UndoSpace {
  WatchSpaceId watch_space = {};
  std::shared_ptr<const SpacePlan> plan = {};

  using Undone = boost::mp11::mp_rename<SpacePlan::Event, Decision>;
  Undone decide(const Actor& by, const WatchSpace& now) const;
};
BOOST_DESCRIBE_STRUCT(UndoSpace, (), (watch_space))

namespace undo {

/// Whether what the step takes back is as the change left it.
bool stands(const SpacePlan::Event& step, const WatchSpace& now, const WatchSpace& after);

}  // namespace undo
}  // namespace bloomwatch
