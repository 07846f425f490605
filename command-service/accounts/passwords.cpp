// Argon2id by runtime/crypto.h.
#include "command-service/accounts/passwords.h"

#include "runtime/crypto.h"

namespace bloomwatch::accounts {

Passwords::Passwords() : nobodys_hash_(hash_password(as_text(SecretKey::random().bytes()))) {}

bool Passwords::matches(const std::optional<std::string>& hash, std::string_view password) const {
  const bool right = verify_password(hash ? *hash : nobodys_hash_, password);
  return right && hash.has_value();
}

}  // namespace bloomwatch::accounts
