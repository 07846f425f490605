// The network address is asked first: who floods from one address takes nothing from the e-mail's owner.
#include "command-service/accounts/login_limit.h"

#include <functional>

namespace bloomwatch::accounts {

std::optional<std::chrono::seconds> LoginLimit::take(std::string_view email, std::string_view peer, Clock::time_point now) {
  const std::hash<std::string_view> hash;
  if (const auto wait = by_peer_.take(hash(peer), now)) return wait;
  return by_email_.take(hash(email), now);
}

}  // namespace bloomwatch::accounts
