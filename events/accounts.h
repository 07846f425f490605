// The events of accounts: who signs up, signs in, and what they say of themselves. Streams user-<account> and login-session-<session>.
// Partition key: the account. No event holds a secret: passwords are named by the id of their row, tokens not at all.
#pragma once

#include <boost/describe.hpp>
#include <boost/mp11/list.hpp>
#include <chrono>
#include <string_view>
#include <vector>

#include "events/personal.h"

namespace bloomwatch {

/// Somebody signed up. Makes the password row `password` valid, and takes both claims.
struct UserRegistered {
  ProfileId profile;  ///< their first; has the account's UUID
  Personal email;
  ClaimKey email_claim;
  Personal handle;
  ClaimKey handle_claim;
  Personal display_name;
  PasswordId password;
};
BOOST_DESCRIBE_STRUCT(UserRegistered, (), (profile, email, email_claim, handle, handle_claim, display_name, password))

/// Ends every log-in session of the account but the one named, for token checks, refresh and pages.
struct PasswordChanged {
  static constexpr bool always_fits = true;
  PasswordId password;
  SessionId continuing_session;
};
BOOST_DESCRIBE_STRUCT(PasswordChanged, (), (password, continuing_session))

struct DisplayNameChanged {
  ProfileId profile;
  Personal display_name;
};
BOOST_DESCRIBE_STRUCT(DisplayNameChanged, (), (profile, display_name))

/// Takes `handle_claim` and retires `former_handle_claim`: nobody else gets a handle for a year after its owner gave it up.
struct HandleChanged {
  ProfileId profile;
  Personal handle;
  ClaimKey handle_claim;
  ClaimKey former_handle_claim;
};
BOOST_DESCRIBE_STRUCT(HandleChanged, (), (profile, handle, handle_claim, former_handle_claim))

struct AvatarChanged {
  ProfileId profile;
  std::optional<Personal> avatar_url = {};  ///< none: removed
};
BOOST_DESCRIBE_STRUCT(AvatarChanged, (), (profile, avatar_url))

struct TimeZoneChanged {
  ProfileId profile;
  std::string time_zone;  ///< IANA name
};
BOOST_DESCRIBE_STRUCT(TimeZoneChanged, (), (profile, time_zone))

struct LanguageChanged {
  ProfileId profile;
  std::string language;  ///< BCP 47 tag
};
BOOST_DESCRIBE_STRUCT(LanguageChanged, (), (profile, language))

/// Who sees a profile. Enumerators of events are only ever added, so what was written always decodes.
enum class Privacy { public_, friends, private_ };
BOOST_DESCRIBE_ENUM(Privacy, public_, friends, private_)

/// What holds of a person who never said otherwise.
inline constexpr std::string_view initial_time_zone = "UTC";
inline constexpr std::string_view initial_language = "en";
inline constexpr Privacy initial_privacy = Privacy::friends;

struct PrivacyChanged {
  ProfileId profile;
  Privacy privacy = Privacy::friends;
};
BOOST_DESCRIBE_STRUCT(PrivacyChanged, (), (profile, privacy))

/// What an account may do beyond its own things.
enum class AccountRole { user, moderator, admin };
BOOST_DESCRIBE_ENUM(AccountRole, user, moderator, admin)

/// All that somebody of that role may act as, the least first: a moderator is a user too.
inline std::vector<AccountRole> roles_of(AccountRole role) {
  std::vector<AccountRole> roles;
  for (const AccountRole each : {AccountRole::user, AccountRole::moderator, AccountRole::admin})
    if (each <= role) roles.push_back(each);
  return roles;
}

/// By an operator (`bloomwatch role`). Everybody is a user at first.
struct AccountRoleChanged {
  static constexpr bool always_fits = true;
  AccountRole role = AccountRole::user;
};
BOOST_DESCRIBE_STRUCT(AccountRoleChanged, (), (role))

using UserEvents = boost::mp11::mp_list<UserRegistered, PasswordChanged, DisplayNameChanged, HandleChanged, AvatarChanged, TimeZoneChanged,
                                        LanguageChanged, PrivacyChanged, AccountRoleChanged>;

/// A log-in session that is not refreshed for so long is over, so that a forgotten device opens nothing for ever (RFC 9700 §4.14.2).
inline constexpr std::chrono::days login_session_idle_max{90};

/// A log-in. `password` is the one it was proved with: once the account has another, only the session that changed it goes on.
struct LoginSessionStarted {
  ProfileId profile;
  PasswordId password;
  std::optional<Personal> device = {};  ///< the User-Agent, as sent
};
BOOST_DESCRIBE_STRUCT(LoginSessionStarted, (), (profile, password, device))

/// The refresh token of `generation - 1` was used and replaced (RFC 9700 §4.14.2: rotation).
struct LoginSessionRefreshed {
  std::int32_t generation = 0;  ///< 1, 2, 3 …; the first refresh token is of generation 0
};
BOOST_DESCRIBE_STRUCT(LoginSessionRefreshed, (), (generation))

enum class LoginSessionEnd { logged_out, ended_by_owner, refresh_token_reused };
BOOST_DESCRIBE_ENUM(LoginSessionEnd, logged_out, ended_by_owner, refresh_token_reused)

struct LoginSessionEnded {
  static constexpr bool always_fits = true;
  LoginSessionEnd reason = LoginSessionEnd::logged_out;
};
BOOST_DESCRIBE_STRUCT(LoginSessionEnded, (), (reason))

using LoginSessionEvents = boost::mp11::mp_list<LoginSessionStarted, LoginSessionRefreshed, LoginSessionEnded>;

}  // namespace bloomwatch
