// The decision about taking back a change of a space.
#include "command-service/undo/undo_space.h"

#include <algorithm>

#include "command-service/spaces/access.h"

namespace bloomwatch {
namespace undo {
namespace {

struct StandsInSpace {
  const WatchSpace& now;
  const WatchSpace& after;

  /// Somebody who has gone has no role that could be changed back.
  bool same_role(ProfileId profile) const {
    const auto here = now.members.find(profile), there = after.members.find(profile);
    return here != now.members.end() && there != after.members.end() && here->second.role == there->second.role;
  }

  bool operator()(const WatchSpaceRenamed&) const { return now.name == after.name; }
  bool operator()(const WatchSpaceThemeChanged&) const { return now.theme == after.theme; }
  bool operator()(const MemberRoleChanged& e) const { return same_role(e.profile); }
  bool operator()(const OwnershipTransferred& e) const { return same_role(e.from) && same_role(e.to); }
};

bool has_an_owner(const WatchSpace& space) {
  return std::ranges::any_of(space.members, [](const auto& entry) { return entry.second.role == SpaceRole::owner; });
}

}  // namespace

bool stands(const SpacePlan::Event& step, const WatchSpace& now, const WatchSpace& after) {
  return std::visit(StandsInSpace{now, after}, step);
}

}  // namespace undo

UndoSpace::Undone UndoSpace::decide(const Actor& by, const WatchSpace& now) const {
  using undo::Refusal;
  if (const auto refused = spaces::refuse_strangers(by, now)) return *refused;
  const bool known = plan->refusal && plan->refusal != Refusal::already_undone;
  if (known) return refuse(*plan->refusal);
  if (plan->steps.empty()) return nothing;
  if (const auto refused = spaces::refuse_all_but_owners(by, now)) return *refused;
  if (plan->refusal) return refuse(*plan->refusal);
  Undone undone;
  WatchSpace then = now;
  for (const auto& [undoes, event] : plan->steps) {
    if (!undo::stands(event, now, plan->after)) return refuse(Refusal::changed_since);
    std::visit([&](const auto& typed) { undone.add_undoing(undoes, typed), then.evolve(typed); }, event);
  }
  if (!undo::has_an_owner(then)) return refuse(spaces::Refusal::last_owner);
  return undone;
}

}  // namespace bloomwatch
