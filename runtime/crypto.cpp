// libsodium behind our own few verbs.
#include "runtime/crypto.h"

#include <fcntl.h>
#include <sodium.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstring>
#include <stdexcept>

#include "runtime/invariant.h"

namespace bloomwatch {
namespace {

/// libsodium wants one call before any other; a static of this file makes it before main.
const bool sodium_ready = [] {
  invariant(sodium_init() >= 0, "libsodium must initialise");
  return true;
}();

constexpr std::size_t nonce_bytes = crypto_aead_xchacha20poly1305_ietf_NPUBBYTES;
constexpr std::size_t tag_bytes = crypto_aead_xchacha20poly1305_ietf_ABYTES;
constexpr char kdf_context[crypto_kdf_CONTEXTBYTES + 1] = "bloomwch";
enum Purpose : std::uint64_t { wrapping = 1, claims = 2, access_tokens = 3, one_time = 4, idempotency = 5, nonces = 6, fingerprint = 7 };

const std::uint8_t* bytes_of(std::string_view text) { return reinterpret_cast<const std::uint8_t*>(text.data()); }

template <std::size_t N>
std::array<std::uint8_t, N> hash_parts(const SecretKey& key, std::initializer_list<std::string_view> parts) {
  crypto_generichash_state state;
  crypto_generichash_init(&state, key.bytes().data(), SecretKey::size, N);
  for (const std::string_view part : parts) {
    const std::uint64_t length = part.size();
    crypto_generichash_update(&state, reinterpret_cast<const std::uint8_t*>(&length), sizeof length);
    crypto_generichash_update(&state, bytes_of(part), part.size());
  }
  std::array<std::uint8_t, N> hash;
  crypto_generichash_final(&state, hash.data(), N);
  return hash;
}

std::string encrypt(const SecretKey& key, std::span<const std::uint8_t, nonce_bytes> nonce, std::string_view plain,
                    std::string_view context) {
  std::string box(nonce_bytes + plain.size() + tag_bytes, '\0');
  std::memcpy(box.data(), nonce.data(), nonce_bytes);
  crypto_aead_xchacha20poly1305_ietf_encrypt(reinterpret_cast<std::uint8_t*>(box.data()) + nonce_bytes, nullptr, bytes_of(plain),
                                             plain.size(), bytes_of(context), context.size(), nullptr, nonce.data(), key.bytes().data());
  return box;
}

/// A file descriptor that closes itself.
struct File {
  int descriptor;
  ~File() {
    if (descriptor >= 0) ::close(descriptor);
  }
};

void write_new_key(const std::filesystem::path& file) {
  const SecretKey key = SecretKey::random();
  const std::filesystem::path draft = file.string() + ".new." + std::to_string(::getpid());
  const File out{::open(draft.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600)};
  const bool written = out.descriptor >= 0 && ::write(out.descriptor, key.bytes().data(), SecretKey::size) == ssize_t{SecretKey::size} &&
                       ::fsync(out.descriptor) == 0;
  // link() does not replace: of two processes that start at once, one makes the key and both read it.
  if (written) [[maybe_unused]]
    const int linked = ::link(draft.c_str(), file.c_str());
  ::unlink(draft.c_str());
  if (!written || !std::filesystem::exists(file)) throw std::runtime_error("cannot make the master key file " + file.string());
  const File folder{::open(file.parent_path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
  if (folder.descriptor >= 0) ::fsync(folder.descriptor);
}

}  // namespace

SecretKey::SecretKey(std::span<const std::uint8_t, size> bytes) { std::memcpy(bytes_.data(), bytes.data(), size); }

SecretKey::~SecretKey() { sodium_memzero(bytes_.data(), size); }

SecretKey SecretKey::random() {
  SecretKey key;
  randombytes_buf(key.bytes_.data(), size);
  return key;
}

SecretKey SecretKey::derive(std::uint64_t purpose) const {
  SecretKey key;
  crypto_kdf_derive_from_key(key.bytes_.data(), size, purpose, kdf_context, bytes_.data());
  return key;
}

MasterKeys MasterKeys::derive_from(const SecretKey& master) {
  return {.wrapping = master.derive(Purpose::wrapping),
          .claims = master.derive(Purpose::claims),
          .access_tokens = master.derive(Purpose::access_tokens),
          .one_time = master.derive(Purpose::one_time),
          .idempotency = master.derive(Purpose::idempotency),
          .fingerprint = master.derive(Purpose::fingerprint)};
}

MasterKeys MasterKeys::load_or_create(const std::filesystem::path& file) {
  if (!std::filesystem::exists(file)) {
    if (file.has_parent_path()) std::filesystem::create_directories(file.parent_path());
    write_new_key(file);
  }
  const File in{::open(file.c_str(), O_RDONLY | O_CLOEXEC)};
  struct stat status = {};
  if (in.descriptor < 0 || ::fstat(in.descriptor, &status) != 0)
    throw std::runtime_error("cannot read the master key file " + file.string());
  if ((status.st_mode & 077) != 0) throw std::runtime_error("the master key file " + file.string() + " is open to others: chmod 600 it");
  std::array<std::uint8_t, SecretKey::size> bytes;
  if (status.st_size != ssize_t{SecretKey::size} || ::read(in.descriptor, bytes.data(), bytes.size()) != ssize_t{SecretKey::size})
    throw std::runtime_error("the master key file " + file.string() + " must hold exactly 32 bytes");
  const SecretKey master{std::span<const std::uint8_t, SecretKey::size>(bytes)};
  sodium_memzero(bytes.data(), bytes.size());
  return derive_from(master);
}

std::array<std::uint8_t, 16> keyed_hash(const SecretKey& key, std::initializer_list<std::string_view> parts) {
  return hash_parts<16>(key, parts);
}

std::array<std::uint8_t, 32> keyed_hash_256(const SecretKey& key, std::initializer_list<std::string_view> parts) {
  return hash_parts<32>(key, parts);
}

std::string seal(const SecretKey& key, std::string_view plain, std::string_view context) {
  std::array<std::uint8_t, nonce_bytes> nonce;
  randombytes_buf(nonce.data(), nonce.size());
  return encrypt(key, nonce, plain, context);
}

std::string seal_deterministic(const SecretKey& key, std::string_view plain, std::string_view context) {
  const auto nonce = hash_parts<nonce_bytes>(key.derive(Purpose::nonces), {context, plain});
  return encrypt(key, nonce, plain, context);
}

std::optional<std::string> open(const SecretKey& key, std::string_view box, std::string_view context) {
  if (box.size() < nonce_bytes + tag_bytes) return std::nullopt;
  std::string plain(box.size() - nonce_bytes - tag_bytes, '\0');
  const int failed = crypto_aead_xchacha20poly1305_ietf_decrypt(reinterpret_cast<std::uint8_t*>(plain.data()), nullptr, nullptr,
                                                                bytes_of(box) + nonce_bytes, box.size() - nonce_bytes, bytes_of(context),
                                                                context.size(), bytes_of(box), key.bytes().data());
  if (failed != 0) return std::nullopt;
  return plain;
}

std::string hash_password(std::string_view password) {
  char hash[crypto_pwhash_STRBYTES];
  const int failed = crypto_pwhash_str_alg(hash, password.data(), password.size(), crypto_pwhash_OPSLIMIT_INTERACTIVE, password_hash_bytes,
                                           crypto_pwhash_ALG_ARGON2ID13);
  if (failed != 0) throw std::runtime_error("no memory to hash a password");
  return hash;
}

bool verify_password(std::string_view hash, std::string_view password) {
  char encoded[crypto_pwhash_STRBYTES] = {};
  if (hash.size() >= sizeof encoded) return false;
  std::memcpy(encoded, hash.data(), hash.size());
  return crypto_pwhash_str_verify(encoded, password.data(), password.size()) == 0;
}

std::string base64_url(std::string_view bytes) {
  std::string text(sodium_base64_ENCODED_LEN(bytes.size(), sodium_base64_VARIANT_URLSAFE_NO_PADDING), '\0');
  sodium_bin2base64(text.data(), text.size(), bytes_of(bytes), bytes.size(), sodium_base64_VARIANT_URLSAFE_NO_PADDING);
  text.resize(text.size() - 1);  // the terminating zero that libsodium counts
  return text;
}

std::optional<std::string> parse_base64_url(std::string_view text) {
  std::string bytes(text.size() * 3 / 4 + 1, '\0');
  std::size_t size = 0;
  const int failed = sodium_base642bin(reinterpret_cast<std::uint8_t*>(bytes.data()), bytes.size(), text.data(), text.size(), nullptr,
                                       &size, nullptr, sodium_base64_VARIANT_URLSAFE_NO_PADDING);
  if (failed != 0) return std::nullopt;
  bytes.resize(size);
  return bytes;
}

bool equal_secrets(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  // Sixteen bytes at a time, where sodium_memcmp takes one: a token is compared for each request.
  int differ = 0;
  for (; a.size() >= crypto_verify_16_BYTES; a.remove_prefix(crypto_verify_16_BYTES), b.remove_prefix(crypto_verify_16_BYTES))
    differ |= crypto_verify_16(bytes_of(a), bytes_of(b));
  return (differ | sodium_memcmp(a.data(), b.data(), a.size())) == 0;
}

}  // namespace bloomwatch
