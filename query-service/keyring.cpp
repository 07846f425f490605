// Keys of a page: unwrapped once, looked up by the account that a box names.
#include "query-service/keyring.h"

namespace bloomwatch {

std::shared_ptr<const DataKey> KeyCache::unwrap(UserId account, std::string_view wrapped) {
  const std::lock_guard lock(mutex_);
  if (const auto found = young_.find(wrapped); found != young_.end()) return found->second->account() == account ? found->second : nullptr;
  std::shared_ptr<const DataKey> key;
  if (const auto found = old_.find(wrapped); found != old_.end()) {
    key = found->second;
  } else if (const auto unwrapped = DataKey::unwrap(account, wrapped, keys_)) {
    key = std::make_shared<const DataKey>(*unwrapped);
  } else {
    return nullptr;
  }
  if (young_.size() >= entries_max / 2) {
    old_ = std::move(young_);
    young_.clear();
  }
  young_.emplace(wrapped, key);
  return key->account() == account ? key : nullptr;
}

void Keyring::take(const PageRows& rows) {
  for (const pg::Row row : rows.of(row_kind::key))
    if (const auto wrapped = row.get<std::optional<std::string_view>>(PageRows::bytes_column))
      add(row.get<UserId>(PageRows::id_column), *wrapped);
}

void Keyring::add(UserId account, std::string_view wrapped) {
  if (key_of(account) != nullptr) return;
  if (auto key = cache_.unwrap(account, wrapped)) keys_.emplace_back(account, std::move(key));
}

const DataKey* Keyring::key_of(UserId account) const {
  for (const auto& [owner, key] : keys_)
    if (owner == account) return key.get();
  return nullptr;
}

std::optional<std::string> Keyring::open(std::string_view box) const {
  const Personal personal{std::string(box)};
  const auto account = personal.account();
  const DataKey* key = account ? key_of(*account) : nullptr;
  if (key == nullptr) missed_ = true;
  return key == nullptr ? std::nullopt : key->open(personal);
}

}  // namespace bloomwatch
