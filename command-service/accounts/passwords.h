// Passwords and their hashes. Costs tens of milliseconds and 64 MiB each: only ever on the flows' pool.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace bloomwatch::accounts {

/// Checks passwords, taking the same time whether or not there is one to check against, so that nobody learns who has an account.
class Passwords {
 public:
  /// Hashes once, for those who have no account.
  Passwords();

  /// False also where there is no hash.
  bool matches(const std::optional<std::string>& hash, std::string_view password) const;

 private:
  std::string nobodys_hash_;
};

}  // namespace bloomwatch::accounts
