// The operator makes somebody a moderator or an admin, or a user again.
#pragma once

#include "command-service/accounts/refusals.h"
#include "command-service/accounts/user.h"
#include "command-service/decision.h"
#include "command-service/values.h"

namespace bloomwatch {

/// Refused: no_such_account if nobody has the handle now.
struct ChangeAccountRole {
  Handle handle;
  AccountRole role = AccountRole::user;
  Minted<ClaimKey> handle_claim = {};

  Decision<AccountRoleChanged> decide(const Actor&, Claimed<&ChangeAccountRole::handle_claim, User> user) const {
    // A handle that was given up is still held by who had it.
    if (!user.held || !user->exists() || user->handle_claim != *handle_claim) return refuse(accounts::Refusal::no_such_account);
    if (user->role == role) return nothing;
    return AccountRoleChanged{.role = role};
  }
};
BOOST_DESCRIBE_STRUCT(ChangeAccountRole, (), (handle, role, handle_claim))

}  // namespace bloomwatch
