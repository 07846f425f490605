// UUIDs: text form, version 7 and version 5.
#include "runtime/uuid.h"

#include <sodium.h>

#include <array>
#include <boost/uuid/detail/sha1.hpp>
#include <cstring>

namespace bloomwatch {
namespace {

constexpr std::string_view hex_digits = "0123456789abcdef";

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

bool dash_before(std::size_t byte) { return byte == 4 || byte == 6 || byte == 8 || byte == 10; }

void set_version(Uuid& uuid, std::uint8_t version) {
  uuid.bytes[6] = static_cast<std::uint8_t>((uuid.bytes[6] & 0x0f) | (version << 4));
  uuid.bytes[8] = static_cast<std::uint8_t>((uuid.bytes[8] & 0x3f) | 0x80);
}

/// Random bytes for ids, which are unique and not secret: each thread draws them by the page, because each draw is a call into the kernel.
void take_random(std::uint8_t* to, std::size_t size) {
  constexpr std::size_t page_bytes = 4'000;
  thread_local std::array<std::uint8_t, page_bytes> page;
  thread_local std::size_t used = page_bytes;
  if (used + size > page.size()) {
    randombytes_buf(page.data(), page.size());
    used = 0;
  }
  std::memcpy(to, page.data() + used, size);
  used += size;
}

}  // namespace

std::string Uuid::to_string() const {
  std::string text;
  text.reserve(36);
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    if (dash_before(i)) text += '-';
    text += hex_digits[bytes[i] >> 4];
    text += hex_digits[bytes[i] & 15];
  }
  return text;
}

std::optional<Uuid> Uuid::parse(std::string_view text) {
  if (text.size() != 36) return std::nullopt;
  Uuid uuid;
  std::size_t at = 0;
  for (std::size_t i = 0; i < uuid.bytes.size(); ++i) {
    if (dash_before(i) && text[at++] != '-') return std::nullopt;
    const int high = hex_value(text[at]);
    const int low = hex_value(text[at + 1]);
    if (high < 0 || low < 0) return std::nullopt;
    uuid.bytes[i] = static_cast<std::uint8_t>(high << 4 | low);
    at += 2;
  }
  return uuid;
}

Uuid Uuid::v7(Time now) {
  Uuid uuid;
  take_random(uuid.bytes.data() + 6, 10);
  const auto millis = static_cast<std::uint64_t>(now.time_since_epoch().count());
  for (std::size_t i = 0; i < 6; ++i) uuid.bytes[i] = static_cast<std::uint8_t>(millis >> (40 - 8 * i));
  set_version(uuid, 7);
  return uuid;
}

Uuid Uuid::v5(const Uuid& name_space, std::string_view name) {
  boost::uuids::detail::sha1 sha;
  sha.process_bytes(name_space.bytes.data(), name_space.bytes.size());
  sha.process_bytes(name.data(), name.size());
  unsigned int digest[5];
  sha.get_digest(digest);
  Uuid uuid;
  for (std::size_t i = 0; i < 16; ++i) uuid.bytes[i] = static_cast<std::uint8_t>(digest[i / 4] >> (24 - 8 * (i % 4)));
  set_version(uuid, 5);
  return uuid;
}

}  // namespace bloomwatch
