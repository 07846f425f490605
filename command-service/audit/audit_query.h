// An admin's look into an audit, as the next decision about it needs to know it: that it was asked.
#pragma once

#include <string_view>

#include "events/audit.h"

namespace bloomwatch {

/// Stream audit-query-<id>.
struct AuditQuery {
  using Key = AuditQueryId;
  using Partition = UserId;  ///< of the admin
  using Events = AuditQueryEvents;
  static constexpr std::string_view category = "audit-query";

  void evolve(const AuditQueried&) {}
};

}  // namespace bloomwatch
