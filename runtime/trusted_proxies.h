// Whom a request came from when a reverse proxy passed it on: limits by network address are for clients, not for the proxy before them.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace bloomwatch {

/// The proxies whose X-Forwarded-For is believed. A value; safe from all threads.
class TrustedProxies {
 public:
  /// None: everybody speaks for themselves.
  TrustedProxies() = default;
  /// Addresses and networks by commas, `127.0.0.1, 10.0.0.0/8, fd00::/8`. Throws std::runtime_error that names what is neither.
  explicit TrustedProxies(std::string_view list);

  /// The client's address. It is `peer`, who is connected, unless that is trusted: then the last in `forwarded_for` (the header's lines as
  /// one list) that is not trusted, since what stands before it is only what a client says. What is no address ends the search.
  std::string client(const std::string& peer, const std::optional<std::string>& forwarded_for) const;
  /// Whether there is any.
  explicit operator bool() const { return networks_ != nullptr; }

 private:
  struct Networks;
  std::shared_ptr<const Networks> networks_;
};

/// What limits by network address take for one client: an IPv4 address, or of IPv6 the network of 64 bits that a subscriber has at least
/// (RFC 6177 §1). What is no address is taken as it is.
std::string client_network(const std::string& address);

}  // namespace bloomwatch
