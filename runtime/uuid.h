// UUIDs (RFC 9562): the one shape of every id in BloomWatch, and the strong types made of it.
// An id's type says what it names; the chassis routes commands, events and rows by it (no two ids convert).
// Value types; no ownership.
#pragma once

#include <array>
#include <chrono>
#include <compare>
#include <cstdint>
#include <cstring>
#include <expected>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "runtime/time.h"

namespace bloomwatch {

/// 128 bits in network order; all zero is the nil UUID, which names nothing.
struct Uuid {
  std::array<std::uint8_t, 16> bytes = {};

  auto operator<=>(const Uuid&) const = default;
  bool is_nil() const { return *this == Uuid{}; }

  /// The canonical form, 36 lower-case characters.
  std::string to_string() const;
  /// The same at the end of a text.
  void append_to(std::string& text) const;
  /// The canonical form only (either case); anything else is no UUID.
  static std::optional<Uuid> parse(std::string_view text);

  /// Version 7: milliseconds of `now`, 12 bits that let a process's ids only rise (RFC 9562, 6.2, method 1), 62 random bits of libsodium's.
  static Uuid v7(Time now);
  /// Version 7 of a caller who counts and draws: 48 bits of milliseconds with 12 of its own after them, and 62 bits, the lowest of
  /// `random`.
  static Uuid v7(std::uint64_t stamp, std::uint64_t random);
  /// The time of version 7, to the millisecond; nothing for the others.
  std::optional<Time> time() const;
  /// Version 5: the SHA-1 name-based UUID of `name` within `name_space`.
  static Uuid v5(const Uuid& name_space, std::string_view name);
};

/// A UUID that names one kind of thing. `Tag` is only ever declared.
template <class Tag>
struct Id {
  Uuid uuid;

  constexpr Id() = default;
  constexpr explicit Id(const Uuid& value) : uuid(value) {}
  auto operator<=>(const Id&) const = default;
  std::string to_string() const { return uuid.to_string(); }
};

template <class T>
inline constexpr bool is_id = false;
template <class Tag>
inline constexpr bool is_id<Id<Tag>> = true;

}  // namespace bloomwatch

/// UUIDs are random where it matters (versions 4, 5 and 7 end in random bits), so eight of their bytes hash them.
template <>
struct std::hash<bloomwatch::Uuid> {
  std::size_t operator()(const bloomwatch::Uuid& uuid) const noexcept {
    std::uint64_t low;
    std::memcpy(&low, uuid.bytes.data() + 8, sizeof low);
    return low;
  }
};
template <class Tag>
struct std::hash<bloomwatch::Id<Tag>> {
  std::size_t operator()(const bloomwatch::Id<Tag>& id) const noexcept { return std::hash<bloomwatch::Uuid>{}(id.uuid); }
};
