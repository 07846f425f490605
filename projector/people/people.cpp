// The fold of `people`. Every event of an account's stream moves the account row's version on; what it says goes where its key is.
#include "projector/people/people.h"

namespace bloomwatch {
namespace {

/// The profile that an event of the account's stream is about, once the account's version is noted.
ProfileRow& changed_profile(People& people, ProfileId profile, const Meta& meta) {
  people.accounts.at(meta.key<UserId>()).version = meta.version;
  return people.profiles.at(profile);
}

}  // namespace

void People::apply(const UserRegistered& e, const Meta& meta) {
  AccountRow& account = accounts[meta.key<UserId>()];
  account.profile = e.profile;
  account.email = e.email;
  account.password = e.password;
  account.created_at = meta.recorded_at;
  account.version = meta.version;
  ProfileRow& profile = profiles[e.profile];
  profile.account = account.account;
  profile.handle = e.handle;
  profile.display_name = e.display_name;
  profile.created_at = meta.recorded_at;
}

void People::apply(const PasswordChanged& e, const Meta& meta) {
  AccountRow& account = accounts.at(meta.key<UserId>());
  account.password = e.password;
  account.continuing_session = e.continuing_session;
  account.version = meta.version;
}

void People::apply(const DisplayNameChanged& e, const Meta& meta) { changed_profile(*this, e.profile, meta).display_name = e.display_name; }

void People::apply(const HandleChanged& e, const Meta& meta) { changed_profile(*this, e.profile, meta).handle = e.handle; }

void People::apply(const AvatarChanged& e, const Meta& meta) { changed_profile(*this, e.profile, meta).avatar_url = e.avatar_url; }

void People::apply(const TimeZoneChanged& e, const Meta& meta) { changed_profile(*this, e.profile, meta).time_zone = e.time_zone; }

void People::apply(const LanguageChanged& e, const Meta& meta) { changed_profile(*this, e.profile, meta).language = e.language; }

void People::apply(const PrivacyChanged& e, const Meta& meta) { changed_profile(*this, e.profile, meta).privacy = e.privacy; }

void People::apply(const AccountRoleChanged& e, const Meta& meta) {
  AccountRow& account = accounts.at(meta.key<UserId>());
  account.role = e.role;
  account.version = meta.version;
}

void People::apply(const LoginSessionStarted& e, const Meta& meta) {
  LoginSessionRow& session = login_sessions[meta.key<SessionId>()];
  session.account = UserId(meta.partition_key.uuid);
  session.profile = e.profile;
  session.password = e.password;
  session.device = e.device;
  session.started_at = meta.recorded_at;
  session.version = meta.version;
}

void People::apply(const LoginSessionRefreshed&, const Meta& meta) {
  LoginSessionRow& session = login_sessions.at(meta.key<SessionId>());
  session.last_refreshed_at = meta.recorded_at;
  session.version = meta.version;
}

void People::apply(const LoginSessionEnded&, const Meta& meta) {
  LoginSessionRow& session = login_sessions.at(meta.key<SessionId>());
  session.ended_at = meta.recorded_at;
  session.version = meta.version;
}

}  // namespace bloomwatch
