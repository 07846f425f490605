// The pair of both is asked before the e-mail: who tries one e-mail from one address leaves attempts to its owner, who is elsewhere.
#include "command-service/accounts/login_limit.h"

#include <functional>
#include <string>

#include "runtime/trusted_proxies.h"

namespace bloomwatch::accounts {

std::optional<std::chrono::seconds> LoginLimit::take(std::string_view email, std::string_view peer, Clock::time_point now) {
  const std::hash<std::string_view> hash;
  const std::string network = client_network(std::string(peer));
  if (const auto wait = by_peer_.take(hash(network), now)) return wait;
  if (const auto wait = by_pair_.take(hash(std::string(email) + '\n' + network), now)) return wait;
  return by_email_.take(hash(email), now);
}

}  // namespace bloomwatch::accounts
