// Networks and addresses by Boost.Asio.
#include "runtime/trusted_proxies.h"

#include <algorithm>
#include <boost/algorithm/string/split.hpp>
#include <boost/algorithm/string/trim.hpp>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/ip/network_v4.hpp>
#include <boost/asio/ip/network_v6.hpp>
#include <ranges>
#include <stdexcept>
#include <variant>
#include <vector>

namespace bloomwatch {
namespace {

namespace ip = boost::asio::ip;
using Network = std::variant<ip::network_v4, ip::network_v6>;

std::vector<std::string> elements(std::string_view list) {
  std::vector<std::string> parts;
  boost::split(parts, list, [](char c) { return c == ','; });
  for (std::string& part : parts) boost::trim(part);
  std::erase(parts, "");
  return parts;
}

/// Nothing if it is none. An IPv4 address within IPv6, as a socket for both says it, is the IPv4 address.
std::optional<ip::address> address_of(const std::string& text) {
  boost::system::error_code error;
  ip::address address = ip::make_address(text, error);
  if (error) return std::nullopt;
  if (address.is_v6() && address.to_v6().is_v4_mapped()) return ip::make_address_v4(ip::v4_mapped, address.to_v6());
  return address;
}

Network network_of(const ip::address& address) {
  if (address.is_v4()) return ip::network_v4(address.to_v4(), 32);
  return ip::network_v6(address.to_v6(), 128);
}

std::optional<Network> network_of(const std::string& text) {
  if (const auto address = address_of(text)) return network_of(*address);
  boost::system::error_code error;
  if (const auto network = ip::make_network_v4(text, error); !error) return network.canonical();
  if (const auto network = ip::make_network_v6(text, error); !error) return network.canonical();
  return std::nullopt;
}

}  // namespace

struct TrustedProxies::Networks {
  std::vector<Network> all;

  bool hold(const ip::address& address) const {
    return std::ranges::any_of(all, [one = network_of(address)](const Network& network) {
      return std::visit(
          [&]<class N>(const N& trusted) {
            const N* asked = std::get_if<N>(&one);
            return asked != nullptr && (*asked == trusted || asked->is_subnet_of(trusted));
          },
          network);
    });
  }
};

TrustedProxies::TrustedProxies(std::string_view list) {
  Networks networks;
  for (const std::string& element : elements(list)) {
    const auto network = network_of(element);
    if (!network) throw std::runtime_error("--trusted-proxies: '" + element + "' is neither an address nor a network");
    networks.all.push_back(*network);
  }
  if (!networks.all.empty()) networks_ = std::make_shared<const Networks>(std::move(networks));
}

std::string TrustedProxies::client(const std::string& peer, const std::optional<std::string>& forwarded_for) const {
  auto address = networks_ ? address_of(peer) : std::nullopt;
  if (!address || !forwarded_for || !networks_->hold(*address)) return peer;
  for (const std::string& before : elements(*forwarded_for) | std::views::reverse) {
    const auto next = address_of(before);
    if (!next) break;
    address = next;
    if (!networks_->hold(*address)) break;
  }
  return address->to_string();
}

std::string client_network(const std::string& address) {
  const auto known = address_of(address);
  if (!known) return address;
  return known->is_v4() ? known->to_string() : ip::network_v6(known->to_v6(), 64).canonical().to_string();
}

}  // namespace bloomwatch
