// Who is an admin: what the account's own stream says now, in the decision itself, so that whoever was one is none from the event on.
#pragma once

#include <optional>

#include "command-service/accounts/user.h"
#include "command-service/audit/refusals.h"
#include "command-service/decision.h"

namespace bloomwatch::audit {

/// Nothing for an admin.
inline std::optional<Refused> refuse_all_but_admins(const User& user) {
  if (user.exists() && user.role == AccountRole::admin) return std::nullopt;
  return refuse(Refusal::admins_only);
}

/// Writes nothing: tells admins from others where there is nothing to decide yet.
struct ProveAdmin {
  Decision<AccountRoleChanged> decide(const Actor&, By<User> user) const {
    if (const auto refused = refuse_all_but_admins(user.state)) return *refused;
    return nothing;
  }
};
BOOST_DESCRIBE_STRUCT(ProveAdmin, (), ())

}  // namespace bloomwatch::audit
