// Boxes for what is personal, and the keyed hashes that stand for it in claims.
#include "events/personal.h"

#include <algorithm>

#include "runtime/ascii.h"

namespace bloomwatch {
namespace {

constexpr char box_version = 1;
constexpr std::size_t header_bytes = 1 + 16;

std::string header_of(UserId account) {
  std::string header(1, box_version);
  header += as_text(account.uuid.bytes);
  return header;
}

ClaimKey personal_claim(const MasterKeys& keys, std::string_view kind, std::string_view value) {
  return ClaimKey(Uuid{keyed_hash(keys.claims, {kind, value})});
}

}  // namespace

std::optional<UserId> Personal::account() const {
  // 17 bytes are the first 24 characters (18 bytes) of the base64 text.
  if (box.size() < 24) return std::nullopt;
  const auto start = parse_base64_url(std::string_view(box).substr(0, 24));
  if (!start || start->front() != box_version) return std::nullopt;
  UserId account;
  std::copy_n(start->begin() + 1, 16, account.uuid.bytes.begin());
  return account;
}

std::optional<DataKey> DataKey::unwrap(UserId account, std::string_view wrapped, const MasterKeys& keys) {
  const auto bytes = bloomwatch::open(keys.wrapping, wrapped, as_text(account.uuid.bytes));
  if (!bytes || bytes->size() != SecretKey::size) return std::nullopt;
  return DataKey(account, SecretKey(std::span<const std::uint8_t, SecretKey::size>(reinterpret_cast<const std::uint8_t*>(bytes->data()),
                                                                                   SecretKey::size)));
}

std::string DataKey::wrap(const MasterKeys& keys) const {
  return bloomwatch::seal(keys.wrapping, as_text(key_.bytes()), as_text(account_.uuid.bytes));
}

Personal DataKey::seal(std::string_view text) const {
  const std::string header = header_of(account_);
  return {base64_url(header + seal_deterministic(key_, text, header))};
}

std::optional<std::string> DataKey::open(const Personal& personal) const {
  const auto bytes = parse_base64_url(personal.box);
  const std::string header = header_of(account_);
  if (!bytes || !bytes->starts_with(header)) return std::nullopt;
  return bloomwatch::open(key_, std::string_view(*bytes).substr(header_bytes), header);
}

// ASCII only: beyond it case is the mail server's business (RFC 5321 §2.4), and addresses here are ASCII.
ClaimKey email_claim(const MasterKeys& keys, std::string_view email) { return personal_claim(keys, "email", ascii::lower_case(email)); }
ClaimKey handle_claim(const MasterKeys& keys, std::string_view handle) { return personal_claim(keys, "handle", handle); }
ClaimKey invitation_claim(const MasterKeys& keys, std::string_view token) { return personal_claim(keys, "invitation", token); }

}  // namespace bloomwatch
