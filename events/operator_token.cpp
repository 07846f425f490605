// Operator tokens: eight bytes of expiry and their hash.
#include "events/operator_token.h"

#include <cstdint>

namespace bloomwatch {
namespace {

constexpr std::size_t expiry_bytes = 8;
/// A purpose of SecretKey::derive that means this for ever.
constexpr std::uint64_t operator_purpose = 0x6f70657261746f72;  // "operator"

}  // namespace

OperatorTokens::OperatorTokens(const MasterKeys& keys) : key_(keys.access_tokens.derive(operator_purpose)) {}

std::string OperatorTokens::mac_of(std::string_view payload) const { return std::string(as_text(keyed_hash_256(key_, {payload}))); }

std::string OperatorTokens::mint(Time expires_at) const {
  const auto time = static_cast<std::uint64_t>(expires_at.time_since_epoch().count());
  std::string payload;
  for (int shift = 56; shift >= 0; shift -= 8) payload += static_cast<char>(static_cast<std::uint8_t>(time >> shift));
  return base64_url(payload + mac_of(payload));
}

bool OperatorTokens::admits(const http::Request& request, Time now) const {
  const auto token = request.bearer_token();
  if (!token) return false;
  const auto bytes = parse_base64_url(*token);
  if (!bytes || bytes->size() <= expiry_bytes) return false;
  const std::string_view payload = std::string_view(*bytes).substr(0, expiry_bytes);
  if (!equal_secrets(mac_of(payload), std::string_view(*bytes).substr(expiry_bytes))) return false;
  std::uint64_t time = 0;
  for (const char c : payload) time = time << 8 | static_cast<std::uint8_t>(c);
  return Time(std::chrono::milliseconds(static_cast<std::int64_t>(time))) > now;
}

}  // namespace bloomwatch
