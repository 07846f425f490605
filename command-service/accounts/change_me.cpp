// The decision about changes to one's own account.
#include "command-service/accounts/change_me.h"

#include "command-service/accounts/handles.h"
#include "command-service/accounts/refusals.h"

namespace bloomwatch {

using accounts::Refusal;

std::optional<Refused> ChangeMe::refuse_handle(const Actor& by, const User& user, const Claims& claims) const {
  if (accounts::is_reserved(handle->text())) return refuse(Refusal::handle_reserved);
  if (!accounts::is_free(claims.holder(*handle_claim), by.account, by.now)) return refuse(Refusal::handle_taken);
  if (user.handle_changed_at && by.now < *user.handle_changed_at + accounts::handle_change_pause)
    return refuse(Refusal::handle_changed_recently);
  return std::nullopt;
}

ChangeMe::Changes ChangeMe::decide(const Actor& by, By<User> user, const Claims& claims) const {
  if (!user->exists()) return refuse(Refusal::login_session_ended);
  const ProfileId profile = *user->profile;
  Changes changes;
  if (handle && *handle_claim != user->handle_claim) {
    if (const auto refused = refuse_handle(by, user.state, claims)) return *refused;
    changes.add(HandleChanged{
        .profile = profile, .handle = by.seal(handle->text()), .handle_claim = *handle_claim, .former_handle_claim = user->handle_claim});
    changes.take(*handle_claim).retire(user->handle_claim);
  }
  if (display_name) {
    const Personal sealed = by.seal(display_name->text());
    if (sealed != user->display_name) changes.add(DisplayNameChanged{.profile = profile, .display_name = sealed});
  }
  if (avatar_url) {
    std::optional<Personal> sealed;
    if (avatar_url.value) sealed = by.seal(avatar_url.value->text());
    if (sealed != user->avatar_url) changes.add(AvatarChanged{.profile = profile, .avatar_url = sealed});
  }
  if (time_zone && time_zone->text() != user->time_zone) changes.add(TimeZoneChanged{.profile = profile, .time_zone = time_zone->text()});
  if (language && language->text() != user->language) changes.add(LanguageChanged{.profile = profile, .language = language->text()});
  if (privacy && *privacy != user->privacy) changes.add(PrivacyChanged{.profile = profile, .privacy = *privacy});
  return changes;
}

}  // namespace bloomwatch
