// A person as log-in and refresh answer them: folded from their stream, opened with their key.
// The one place outside query-service that opens personal texts: only the person themselves is shown them.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "events/accounts.h"
#include "events/envelope.h"

namespace bloomwatch::accounts {

/// What the stream user-<account> says of somebody now.
struct Person {
  UserId account;
  std::optional<ProfileId> profile = {};  ///< none: no such account
  PasswordId password = {};
  Time created_at = {};
  Personal email = {};
  Personal handle = {};
  Personal display_name = {};
  std::optional<Personal> avatar_url = {};
  std::string time_zone = std::string(initial_time_zone);
  std::string language = std::string(initial_language);
  Privacy privacy = initial_privacy;
  AccountRole role = AccountRole::user;
};

/// From the events of a load, of which those of other streams are left out. Throws UndecodableEvent.
Person person_from(UserId account, const std::vector<RecordedEvent>& events);

/// `user` as JSON; texts that the key does not open are null.
std::string person_json(const Person& person, const std::optional<DataKey>& key);

}  // namespace bloomwatch::accounts
