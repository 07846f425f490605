// Somebody changes what they say of themselves: any subset of the fields, one event for each that differs.
#pragma once

#include "command-service/accounts/user.h"
#include "command-service/decision.h"
#include "command-service/values.h"

namespace bloomwatch {

/// Refused, in this order: login_session_ended (no such account); for a handle that differs: handle_reserved, handle_taken,
/// handle_changed_recently. A refused handle refuses the whole command.
struct ChangeMe {
  Patch<DisplayName> display_name = {};
  Patch<Handle> handle = {};
  ClearablePatch<Url> avatar_url = {};
  Patch<TimeZoneName> time_zone = {};
  Patch<LanguageTag> language = {};
  Patch<Privacy> privacy = {};
  Minted<ClaimKey> handle_claim = {};  ///< of the handle, where there is one

  using Changes = Decision<DisplayNameChanged, HandleChanged, AvatarChanged, TimeZoneChanged, LanguageChanged, PrivacyChanged>;
  Changes decide(const Actor& by, By<User> user, const Claims& claims) const;

 private:
  std::optional<Refused> refuse_handle(const Actor& by, const User& user, const Claims& claims) const;
};
BOOST_DESCRIBE_STRUCT(ChangeMe, (), (display_name, handle, avatar_url, time_zone, language, privacy, handle_claim))

}  // namespace bloomwatch
