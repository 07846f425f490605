// A link to a recap's card as the next decision about it needs to know it: whose it is, and whether it still leads somewhere.
#pragma once

#include <optional>

#include "events/envelope.h"
#include "events/recaps.h"

namespace bloomwatch {

/// What the past of one link means for the next decision. Stream recap-share-<id>; partition key: the account of who shared.
struct RecapShare {
  using Key = RecapShareId;
  using Partition = UserId;
  using Events = RecapShareEvents;
  static constexpr std::string_view category = "recap-share";

  std::optional<ProfileId> shared_by;  ///< none: there is no such link
  bool revoked = false;

  void evolve(const RecapShared&, const Meta& meta) { shared_by = meta.by.profile; }
  void evolve(const RecapShareRevoked&) { revoked = true; }
};

}  // namespace bloomwatch
