// What tests of accounts have in common: two registered people and the commands that they send.
#pragma once

#include "command-service/accounts/login_session.h"
#include "command-service/accounts/refusals.h"
#include "tests/decider.h"

namespace bloomwatch::testing {

using accounts::Refusal;

inline ClaimKey email_key(std::string_view email) { return id_of<ClaimKey>("email " + std::string(email)); }
inline ClaimKey handle_key(std::string_view handle) { return id_of<ClaimKey>("handle " + std::string(handle)); }

inline const auto first_password = id_of<PasswordId>("first password");
inline const auto second_password = id_of<PasswordId>("second password");

inline UserRegistered registered(const Actor& who, std::string_view name) {
  return {.profile = who.profile,
          .email = who.seal(std::string(name) + "@example.org"),
          .email_claim = email_key(name),
          .handle = who.seal(name),
          .handle_claim = handle_key(name),
          .display_name = who.seal(name),
          .password = first_password};
}
inline const Past mira_registered = stream<User>(mira.account, registered(mira, "mira"));

/// A log-in of Mira's, by default the one that she acts in.
inline Past logged_in(SessionId session = mira.session, PasswordId password = first_password) {
  return stream<LoginSession>(session, LoginSessionStarted{.profile = mira.profile, .password = password}).under(mira.account.uuid);
}

}  // namespace bloomwatch::testing
