// Somebody signs up. The edge hashes the password, writes its row and makes the data key before the command goes on.
#pragma once

#include "command-service/accounts/user.h"
#include "command-service/decision.h"
#include "command-service/values.h"

namespace bloomwatch {

/// Refused, in this order: handle_reserved, email_taken, handle_taken. Sealed under the new account's key, which the actor carries.
struct RegisterUser {
  EmailAddress email = {};
  Handle handle = {};
  std::optional<DisplayName> display_name = {};  ///< none: the handle
  NewPassword password = {};                     ///< taken out by the edge
  Minted<UserId> user = {};
  Minted<ClaimKey> email_claim = {};
  Minted<ClaimKey> handle_claim = {};
  Minted<PasswordId> password_id = {};

  static constexpr bool creates = true;
  Decision<UserRegistered> decide(const Actor& by, const User& account, const Claims& claims) const;
};
BOOST_DESCRIBE_STRUCT(RegisterUser, (), (email, handle, display_name, password, user, email_claim, handle_claim, password_id))

}  // namespace bloomwatch
