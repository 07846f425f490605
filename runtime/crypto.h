// Keys and the few cryptographic acts that BloomWatch needs, all libsodium's: keyed hashes, authenticated encryption, Argon2id.
// Keys are wiped when they go. Nothing here logs or prints a secret.
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "runtime/uuid.h"

namespace bloomwatch {

/// 256 bits of key material; wiped on destruction.
class SecretKey {
 public:
  static constexpr std::size_t size = 32;
  SecretKey() = default;
  explicit SecretKey(std::span<const std::uint8_t, size> bytes);
  SecretKey(const SecretKey&) = default;
  SecretKey& operator=(const SecretKey&) = default;
  ~SecretKey();

  static SecretKey random();
  /// A key for another purpose, not computable back: libsodium's KDF (BLAKE2b) with a purpose number that never changes its meaning.
  SecretKey derive(std::uint64_t purpose) const;
  std::span<const std::uint8_t, size> bytes() const { return bytes_; }

 private:
  std::array<std::uint8_t, size> bytes_ = {};
};

/// Every key that follows from the master key, each for one purpose.
struct MasterKeys {
  SecretKey wrapping;       ///< wraps the accounts' data keys (secrets.keys) and boxes of secrets that must be readable
  SecretKey claims;         ///< makes personal claims unguessable (an e-mail, a handle, an invitation's token)
  SecretKey access_tokens;  ///< authenticates access and refresh tokens
  SecretKey one_time;       ///< makes one-time secrets from command ids, so that a repeat shows the same
  SecretKey idempotency;    ///< keys the hashes of idempotency keys and bodies
  SecretKey fingerprint;    ///< no secret: tells one master key from another

  /// Reads the master key file (32 bytes, mode 0600), or makes it if it does not exist yet. Throws std::runtime_error, naming the file,
  /// when it is unreadable, of a wrong size or open to others.
  static MasterKeys load_or_create(const std::filesystem::path& file);
  static MasterKeys derive_from(const SecretKey& master);
};

/// BLAKE2b-128 of the parts, keyed; the parts' lengths are hashed with them, so no two lists of parts collide by concatenation.
std::array<std::uint8_t, 16> keyed_hash(const SecretKey& key, std::initializer_list<std::string_view> parts);
/// The same with 256 bits.
std::array<std::uint8_t, 32> keyed_hash_256(const SecretKey& key, std::initializer_list<std::string_view> parts);

/// XChaCha20-Poly1305 with a random nonce in front; `context` is authenticated and not stored.
std::string seal(const SecretKey& key, std::string_view plain, std::string_view context);
/// The same with the nonce a keyed hash of context and text (a synthetic IV): the same text under the same key gives the same box.
std::string seal_deterministic(const SecretKey& key, std::string_view plain, std::string_view context);
/// Opens either kind; nothing if the key or the context is another or the box was changed.
std::optional<std::string> open(const SecretKey& key, std::string_view box, std::string_view context);

/// Argon2id in its encoded form. Costs `password_hash_bytes` of memory and tens of milliseconds: run it on a bounded pool.
std::string hash_password(std::string_view password);
/// True if `password` is the one hashed. Takes as long as hash_password.
bool verify_password(std::string_view hash, std::string_view password);
/// libsodium's interactive limits: 64 MiB, 2 passes.
inline constexpr std::size_t password_hash_bytes = std::size_t{64} << 20;

/// base64 without padding, URL-safe alphabet (RFC 4648 §5).
std::string base64_url(std::string_view bytes);
std::optional<std::string> parse_base64_url(std::string_view text);

/// Compares without telling by its time where two secrets differ.
bool equal_secrets(std::string_view a, std::string_view b);

inline std::string_view as_text(std::span<const std::uint8_t> bytes) { return {reinterpret_cast<const char*>(bytes.data()), bytes.size()}; }

}  // namespace bloomwatch
