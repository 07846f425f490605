// UUIDs: text form, version 7 and version 5.
#include "runtime/uuid.h"

#include <sodium.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <boost/uuid/detail/sha1.hpp>
#include <cstring>

#include "runtime/ascii.h"

namespace bloomwatch {
namespace {

constexpr std::string_view hex_digits = "0123456789abcdef";

/// Of version 7, between its milliseconds and its random bits.
constexpr int counter_bits = 12;

constexpr std::size_t text_size = 36;
/// Where the two digits of each byte are; dashes are between.
constexpr std::array<std::uint8_t, 16> digits_at = {0, 2, 4, 6, 9, 11, 14, 16, 19, 21, 24, 26, 28, 30, 32, 34};
constexpr std::array<std::uint8_t, 4> dashes_at = {8, 13, 18, 23};

/// What each character is worth as a digit, 255 where it is none. By table and without branches: an event names nine ids, and Kafka brings
/// them as text.
constexpr auto hex_values = [] {
  std::array<std::uint8_t, 256> values;
  for (std::size_t c = 0; c < values.size(); ++c) values[c] = static_cast<std::uint8_t>(ascii::hex_value(static_cast<char>(c)));
  return values;
}();

void set_version(Uuid& uuid, std::uint8_t version) {
  uuid.bytes[6] = static_cast<std::uint8_t>((uuid.bytes[6] & 0x0f) | (version << 4));
  uuid.bytes[8] = static_cast<std::uint8_t>((uuid.bytes[8] & 0x3f) | 0x80);
}

/// Random bits for ids, which are unique and not secret: each thread draws them by the page, because each draw is a call into the kernel.
std::uint64_t draw() {
  thread_local std::array<std::uint64_t, 500> page;
  thread_local std::size_t used = page.size();
  if (used == page.size()) {
    randombytes_buf(page.data(), sizeof page);
    used = 0;
  }
  return page[used++];
}

}  // namespace

std::string Uuid::to_string() const {
  std::string text;
  append_to(text);
  return text;
}

void Uuid::append_to(std::string& text) const {
  const std::size_t start = text.size();
  text.append(text_size, '-');
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    text[start + digits_at[i]] = hex_digits[bytes[i] >> 4];
    text[start + digits_at[i] + 1] = hex_digits[bytes[i] & 15];
  }
}

std::optional<Uuid> Uuid::parse(std::string_view text) {
  if (text.size() != text_size) return std::nullopt;
  Uuid uuid;
  std::uint8_t seen = 0;  // has a high bit once something was no digit
  for (std::size_t i = 0; i < uuid.bytes.size(); ++i) {
    const std::uint8_t high = hex_values[static_cast<std::uint8_t>(text[digits_at[i]])];
    const std::uint8_t low = hex_values[static_cast<std::uint8_t>(text[digits_at[i] + 1U])];
    seen |= high | low;
    uuid.bytes[i] = static_cast<std::uint8_t>(high << 4 | low);
  }
  for (const std::uint8_t dash : dashes_at)
    if (text[dash] != '-') return std::nullopt;
  if (seen > 15) return std::nullopt;
  return uuid;
}

Uuid Uuid::v7(Time now) {
  static std::atomic<std::uint64_t> latest = 0;  // milliseconds and counter; a full counter runs on into the milliseconds
  const std::uint64_t earliest = static_cast<std::uint64_t>(now.time_since_epoch().count()) << counter_bits;
  std::uint64_t before = latest.load(std::memory_order_relaxed);
  std::uint64_t stamp = 0;
  do stamp = std::max(earliest, before + 1);
  while (!latest.compare_exchange_weak(before, stamp, std::memory_order_relaxed));
  return v7(stamp, draw());
}

Uuid Uuid::v7(std::uint64_t stamp, std::uint64_t random) {
  const std::uint64_t time_and_rest = stamp >> counter_bits << 16 | (stamp & ((1U << counter_bits) - 1));
  Uuid uuid;
  for (std::size_t i = 0; i < 8; ++i) {
    uuid.bytes[i] = static_cast<std::uint8_t>(time_and_rest >> (56 - 8 * i));
    uuid.bytes[8 + i] = static_cast<std::uint8_t>(random >> (56 - 8 * i));
  }
  set_version(uuid, 7);
  return uuid;
}

std::optional<Time> Uuid::time() const {
  if (bytes[6] >> 4 != 7) return std::nullopt;
  std::int64_t milliseconds = 0;
  for (std::size_t i = 0; i < 6; ++i) milliseconds = milliseconds << 8 | bytes[i];
  return Time(std::chrono::milliseconds(milliseconds));
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
