// Who may: the first question of every decision about a space and what is in it.
// Strangers are told what they would be told if there were no such space.
#pragma once

#include <optional>

#include "command-service/decision.h"
#include "command-service/spaces/refusals.h"
#include "command-service/spaces/watch_space.h"

namespace bloomwatch::spaces {

/// no_such_space to whoever is no member.
inline std::optional<Refused> refuse_strangers(const Actor& by, const WatchSpace& space) {
  if (!space.has(by.profile)) return refuse(Refusal::no_such_space);
  return std::nullopt;
}

/// The same, and owners_only to members who are no owners.
inline std::optional<Refused> refuse_all_but_owners(const Actor& by, const WatchSpace& space) {
  if (auto refused = refuse_strangers(by, space)) return refused;
  if (!space.is_owner(by.profile)) return refuse(Refusal::owners_only);
  return std::nullopt;
}

}  // namespace bloomwatch::spaces
