// An account as the next decision about it needs to know it.
// Texts stay sealed: what is compared is the box.
#pragma once

#include <boost/describe.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "events/accounts.h"
#include "events/envelope.h"

namespace bloomwatch {

/// What the past of one account means for the next decision. Stream user-<id>.
struct User {
  using Key = UserId;
  using Partition = UserId;
  using Events = UserEvents;
  static constexpr std::string_view category = "user";
  static constexpr std::int32_t snapshot_shape = 1;
  static constexpr Version length_max = 10'000;  ///< who logs in or refreshes reads all of it

  std::optional<ProfileId> profile;  ///< their first; none: no such account
  ClaimKey email_claim;
  ClaimKey handle_claim;
  Personal display_name;
  std::optional<Personal> avatar_url;
  std::string time_zone = std::string(initial_time_zone);
  std::string language = std::string(initial_language);
  Privacy privacy = initial_privacy;
  AccountRole role = AccountRole::user;
  PasswordId password;
  std::optional<SessionId> continuing_session;  ///< the one that goes on though it was proved with an earlier password
  std::optional<Time> handle_changed_at;        ///< none: never since registration

  bool exists() const { return profile.has_value(); }
  /// Given up when the handle changes.
  std::vector<ClaimKey> claims() const {
    if (!exists()) return {};
    return {handle_claim};
  }

  void evolve(const UserRegistered& e) {
    profile = e.profile;
    email_claim = e.email_claim;
    handle_claim = e.handle_claim;
    display_name = e.display_name;
    password = e.password;
  }
  void evolve(const PasswordChanged& e) {
    password = e.password;
    continuing_session = e.continuing_session;
  }
  void evolve(const DisplayNameChanged& e) { display_name = e.display_name; }
  void evolve(const HandleChanged& e, const Meta& meta) {
    handle_claim = e.handle_claim;
    handle_changed_at = meta.recorded_at;
  }
  void evolve(const AvatarChanged& e) { avatar_url = e.avatar_url; }
  void evolve(const TimeZoneChanged& e) { time_zone = e.time_zone; }
  void evolve(const LanguageChanged& e) { language = e.language; }
  void evolve(const PrivacyChanged& e) { privacy = e.privacy; }
  void evolve(const AccountRoleChanged& e) { role = e.role; }
};
BOOST_DESCRIBE_STRUCT(User, (),
                      (profile, email_claim, handle_claim, display_name, avatar_url, time_zone, language, privacy, role, password,
                       continuing_session, handle_changed_at))

}  // namespace bloomwatch
