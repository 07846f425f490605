// The read model `people`: accounts, their profiles, their log-in sessions. Pages open its boxes and join names to ids.
// Partition key of all its events: the account. Tables: migrations/0011_read_people.sql.
#pragma once

#include <boost/describe.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "events/accounts.h"
#include "events/envelope.h"
#include "projector/rows.h"

namespace bloomwatch {

/// An account, as its log-in sessions and `me` need it.
struct AccountRow {
  using Key = UserId;
  UserId account;
  ProfileId profile;  ///< the first one, which tokens name
  Personal email;
  PasswordId password;
  std::optional<SessionId> continuing_session = {};  ///< goes on although it was proved with an earlier password
  AccountRole role = AccountRole::user;
  Time created_at = {};
  Version version = 0;

  bool operator==(const AccountRow&) const = default;
};
BOOST_DESCRIBE_STRUCT(AccountRow, (), (account, profile, email, password, continuing_session, role, created_at, version))

/// A person who watches, as others see them.
struct ProfileRow {
  using Key = ProfileId;
  ProfileId profile;
  UserId account;
  Personal handle;
  Personal display_name;
  std::optional<Personal> avatar_url = {};
  std::string time_zone = std::string(initial_time_zone);
  std::string language = std::string(initial_language);
  Privacy privacy = initial_privacy;
  Time created_at = {};

  bool operator==(const ProfileRow&) const = default;
};
BOOST_DESCRIBE_STRUCT(ProfileRow, (), (profile, account, handle, display_name, avatar_url, time_zone, language, privacy, created_at))

/// A log-in session. It is live if it has not ended and `password` is its account's, or it is the account's continuing session.
struct LoginSessionRow {
  using Key = SessionId;
  SessionId session;
  UserId account;
  ProfileId profile;
  PasswordId password;
  std::optional<Personal> device = {};
  Time started_at = {};
  std::optional<Time> last_refreshed_at = {};
  std::optional<Time> ended_at = {};
  Version version = 0;

  bool operator==(const LoginSessionRow&) const = default;
};
BOOST_DESCRIBE_STRUCT(LoginSessionRow, (), (session, account, profile, password, device, started_at, last_refreshed_at, ended_at, version))

struct People {
  static constexpr std::string_view name = "people";
  static constexpr int version = 1;  ///< raise it when a fold changes

  projection::Rows<AccountRow> accounts;
  projection::Rows<ProfileRow> profiles;
  projection::Rows<LoginSessionRow> login_sessions;

  void apply(const UserRegistered& e, const Meta& meta);
  void apply(const PasswordChanged& e, const Meta& meta);
  void apply(const DisplayNameChanged& e, const Meta& meta);
  void apply(const HandleChanged& e, const Meta& meta);
  void apply(const AvatarChanged& e, const Meta& meta);
  void apply(const TimeZoneChanged& e, const Meta& meta);
  void apply(const LanguageChanged& e, const Meta& meta);
  void apply(const PrivacyChanged& e, const Meta& meta);
  void apply(const AccountRoleChanged& e, const Meta& meta);
  void apply(const LoginSessionStarted& e, const Meta& meta);
  void apply(const LoginSessionRefreshed& e, const Meta& meta);
  void apply(const LoginSessionEnded& e, const Meta& meta);
};
BOOST_DESCRIBE_STRUCT(People, (), (accounts, profiles, login_sessions))

}  // namespace bloomwatch
