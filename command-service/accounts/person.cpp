// The fold and the JSON of one's own account.
#include "command-service/accounts/person.h"

#include <boost/describe.hpp>

#include "events/codec.h"
#include "runtime/json.h"

namespace bloomwatch::accounts {
namespace {

struct PersonOnWire {
  UserId id;
  std::optional<std::string> email;
  std::optional<std::string> handle;
  std::optional<std::string> display_name;
  std::optional<std::string> avatar_url;
  std::string time_zone;
  std::string language;
  Privacy privacy;
  std::vector<AccountRole> roles;
  Time created_at;
};
BOOST_DESCRIBE_STRUCT(PersonOnWire, (), (id, email, handle, display_name, avatar_url, time_zone, language, privacy, roles, created_at))

struct Fold {
  Person& person;
  const Meta& meta;

  void operator()(const UserRegistered& e) const {
    person.profile = e.profile;
    person.password = e.password;
    person.created_at = meta.recorded_at;
    person.email = e.email;
    person.handle = e.handle;
    person.display_name = e.display_name;
  }
  void operator()(const PasswordChanged& e) const { person.password = e.password; }
  void operator()(const DisplayNameChanged& e) const { person.display_name = e.display_name; }
  void operator()(const HandleChanged& e) const { person.handle = e.handle; }
  void operator()(const AvatarChanged& e) const { person.avatar_url = e.avatar_url; }
  void operator()(const TimeZoneChanged& e) const { person.time_zone = e.time_zone; }
  void operator()(const LanguageChanged& e) const { person.language = e.language; }
  void operator()(const PrivacyChanged& e) const { person.privacy = e.privacy; }
  void operator()(const AccountRoleChanged& e) const { person.role = e.role; }
};

}  // namespace

Person person_from(UserId account, const std::vector<RecordedEvent>& events) {
  Person person{.account = account};
  for (const RecordedEvent& event : events)
    if (event.meta.stream.id == account.uuid) decode_one_of<UserEvents>(event, Fold{person, event.meta});
  return person;
}

std::string person_json(const Person& person, const std::optional<DataKey>& key) {
  const auto opened = [&](const Personal& text) { return key ? key->open(text) : std::nullopt; };
  return json::to_string(PersonOnWire{.id = person.account,
                                      .email = opened(person.email),
                                      .handle = opened(person.handle),
                                      .display_name = opened(person.display_name),
                                      .avatar_url = person.avatar_url ? opened(*person.avatar_url) : std::nullopt,
                                      .time_zone = person.time_zone,
                                      .language = person.language,
                                      .privacy = person.privacy,
                                      .roles = roles_of(person.role),
                                      .created_at = person.created_at});
}

}  // namespace bloomwatch::accounts
