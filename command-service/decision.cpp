// The few parts of decisions that are not templates.
#include "command-service/decision.h"

#include <algorithm>

#include "runtime/invariant.h"

namespace bloomwatch {

Personal Actor::seal(std::string_view text) const {
  if (!key) throw MissingDataKey();
  return key->seal(text);
}

std::optional<ClaimHolder> Claims::holder(ClaimKey key) const {
  const auto found = std::ranges::find(held_, key, &Lookup::value_type::first);
  invariant(found != held_.end(), "a decider asks only for claims that its command names");
  return found->second;
}

}  // namespace bloomwatch
