// Tokens of whoever runs an instance: made from its master key, so by those who may read that, and good for what no person may do, an admin
// neither. They name nobody; what is done with one is done by the system.
#pragma once

#include <string>

#include "runtime/crypto.h"
#include "runtime/http.h"
#include "runtime/time.h"

namespace bloomwatch {

/// base64url of expiry and a keyed hash of it, under a key of its own: no access token is one, and the other way round.
class OperatorTokens {
 public:
  explicit OperatorTokens(const MasterKeys& keys);

  std::string mint(Time expires_at) const;
  /// Whether the request carries a good one as its bearer token.
  bool admits(const http::Request& request, Time now) const;

 private:
  std::string mac_of(std::string_view payload) const;

  SecretKey key_;
};

}  // namespace bloomwatch
