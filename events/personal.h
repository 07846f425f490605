// What is about a person: encrypted in the log and in every read model under that person's key, opened only where a page is rendered.
// Destroying the key forgets the person everywhere at once.
#pragma once

#include <expected>
#include <optional>
#include <string>
#include <string_view>

#include "events/ids.h"
#include "runtime/crypto.h"

namespace bloomwatch {

/// A text about a person as the log has it: base64url of version (1 byte), account (16), nonce (24), ciphertext and tag.
/// Equal boxes hold equal texts of the same person, and the other way round, so deciders compare without opening.
struct Personal {
  std::string box;

  using Wire = std::string;
  static std::expected<Personal, std::string> from(Wire wire) { return Personal{std::move(wire)}; }
  const Wire& wire() const { return box; }
  bool operator==(const Personal&) const = default;

  /// Whose key opens it; nothing if the box is none.
  std::optional<UserId> account() const;
};

/// The data key of one account. Made by registration only; kept wrapped in secrets.keys.
class DataKey {
 public:
  DataKey(UserId account, const SecretKey& key) : account_(account), key_(key) {}

  static DataKey make(UserId account) { return {account, SecretKey::random()}; }
  /// From its wrapped form; nothing if it was wrapped under another master key or for another account.
  static std::optional<DataKey> unwrap(UserId account, std::string_view wrapped, const MasterKeys& keys);
  std::string wrap(const MasterKeys& keys) const;

  Personal seal(std::string_view text) const;
  /// Nothing if the box is another person's, or no box.
  std::optional<std::string> open(const Personal& personal) const;
  UserId account() const { return account_; }

 private:
  UserId account_;
  SecretKey key_;
};

/// The claim on an e-mail address: of its lower-cased form, so that it is unique whatever its case.
ClaimKey email_claim(const MasterKeys& keys, std::string_view email);
ClaimKey handle_claim(const MasterKeys& keys, std::string_view handle);
ClaimKey invitation_claim(const MasterKeys& keys, std::string_view token);

}  // namespace bloomwatch
