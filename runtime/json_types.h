// What JSON is made from and into: described structs (Boost.Describe), described enums, and value types that check themselves; and how
// their members are called on the wire. All of it is known when the program is compiled.
#pragma once

#include <array>
#include <boost/describe.hpp>
#include <boost/mp11.hpp>
#include <concepts>
#include <expected>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <type_traits>
#include <unordered_map>
#include <utility>
#include <vector>

#include "runtime/ascii.h"

namespace bloomwatch {

/// A field of a PATCH that can be changed but never cleared: left out means unchanged, `null` is refused.
template <class T>
struct Patch {
  std::optional<T> value = {};

  explicit operator bool() const { return value.has_value(); }
  const T& operator*() const { return *value; }
  const T* operator->() const { return &*value; }
  bool operator==(const Patch&) const = default;
};

/// A field of a PATCH that can be cleared: left out (not `present`) means unchanged, `null` (present, no value) clears, a value sets.
template <class T>
struct ClearablePatch {
  bool present = false;
  std::optional<T> value = {};

  explicit operator bool() const { return present; }
  bool operator==(const ClearablePatch&) const = default;
};

/// A member that the edge fills (a fresh id, a hash, a time), never the client: it is never read, and unknown to a body that names it.
template <class T>
struct Minted {
  T value = {};

  const T& operator*() const { return value; }
  const T* operator->() const { return &value; }
  bool operator==(const Minted&) const = default;
};

namespace json {

using bloomwatch::ClearablePatch;
using bloomwatch::Minted;
using bloomwatch::Patch;

/// Text that already is JSON, written as it stands. Reading takes any value and keeps it, minified.
struct Raw {
  std::string text = "null";
  bool operator==(const Raw&) const = default;
};

// Readable types: bool, integers (range-checked), double, std::string, Uuid, Id, Time, year_month_day (`2026-11-21`), described enums
// (lower case, `_` is `-`), Raw, std::optional (left out or null), std::vector, std::array, std::set (no repeats), std::map and
// std::unordered_map from ids or strings, described structs, Patch, ClearablePatch, Minted, and value types:

/// A type that checks itself: `using Wire`, `static std::expected<T, std::string> from(Wire)` (the error is the detail), `Wire wire()
/// const`.
template <class T>
concept ValueType = requires(const T& value, typename T::Wire wire) {
  { T::from(std::move(wire)) } -> std::same_as<std::expected<T, std::string>>;
  { value.wire() } -> std::convertible_to<typename T::Wire>;
};

template <class T>
concept DescribedStruct = boost::describe::has_describe_members<T>::value && !std::is_union_v<T> && !ValueType<T>;

template <class T>
concept DescribedEnum = boost::describe::has_describe_enumerators<T>::value;

namespace detail {

template <class T>
inline constexpr bool is_optional = false;
template <class T>
inline constexpr bool is_optional<std::optional<T>> = true;
template <class T>
inline constexpr bool is_patch = false;
template <class T>
inline constexpr bool is_patch<Patch<T>> = true;
template <class T>
inline constexpr bool is_clearable = false;
template <class T>
inline constexpr bool is_clearable<ClearablePatch<T>> = true;
template <class T>
inline constexpr bool is_minted = false;
template <class T>
inline constexpr bool is_minted<Minted<T>> = true;
template <class T>
inline constexpr bool is_vector = false;
template <class T, class A>
inline constexpr bool is_vector<std::vector<T, A>> = true;
template <class T>
inline constexpr bool is_array = false;
template <class T, std::size_t N>
inline constexpr bool is_array<std::array<T, N>> = true;
template <class T>
inline constexpr bool is_set = false;
template <class T, class... R>
inline constexpr bool is_set<std::set<T, R...>> = true;
template <class T>
inline constexpr bool is_map = false;
template <class K, class V, class... R>
inline constexpr bool is_map<std::map<K, V, R...>> = true;
template <class K, class V, class... R>
inline constexpr bool is_map<std::unordered_map<K, V, R...>> = true;

template <class T>
inline constexpr bool may_be_left_out = is_optional<T> || is_patch<T> || is_clearable<T> || is_minted<T>;

template <class>
inline constexpr bool unsupported = false;

/// A short text made at compile time.
template <std::size_t N>
struct Text {
  char data[N + 1] = {};
  std::size_t size = 0;
  constexpr std::string_view view() const { return {data, size}; }
};

template <class D>
constexpr auto make_member_name() {
  constexpr std::string_view snake = D::name;
  Text<snake.size()> text;
  bool raise = false;
  for (const char c : snake) {
    if (c == '_' && text.size > 0) {
      raise = true;
    } else {
      text.data[text.size++] = raise ? ascii::upper(c) : c;
      raise = false;
    }
  }
  return text;
}

/// `,"watchSpace":`, from which writing takes it with or without the comma.
template <class D>
constexpr auto make_member_key() {
  constexpr auto name = make_member_name<D>();
  Text<sizeof name.data + 4> text;
  text.data[text.size++] = ',';
  text.data[text.size++] = '"';
  for (const char c : name.view()) text.data[text.size++] = c;
  text.data[text.size++] = '"';
  text.data[text.size++] = ':';
  return text;
}

template <class D>
constexpr auto make_enumerator_name() {
  constexpr std::string_view name = D::name;
  Text<name.size()> text;
  for (std::size_t i = 0; i < name.size(); ++i) {
    if (name[i] == '_' && i + 1 == name.size()) break;  // `private_` is `private`: a keyword cannot be an enumerator
    text.data[text.size++] = name[i] == '_' ? '-' : ascii::lower(name[i]);
  }
  return text;
}

template <class D>
inline constexpr auto member_name = make_member_name<D>();
template <class D>
inline constexpr auto member_key = make_member_key<D>();
template <class D>
inline constexpr auto enumerator_name = make_enumerator_name<D>();

template <DescribedEnum E, class... D>
constexpr std::array<std::pair<std::string_view, E>, sizeof...(D)> make_enumerators(boost::mp11::mp_list<D...>) {
  return {{{enumerator_name<D>.view(), D::value}...}};
}
/// Each enumerator with its name on the wire.
template <DescribedEnum E>
inline constexpr auto enumerators_of =
    make_enumerators<E>(boost::mp11::mp_rename<boost::describe::describe_enumerators<E>, boost::mp11::mp_list>{});

template <class T>
using MembersOf = boost::describe::describe_members<T, boost::describe::mod_public | boost::describe::mod_inherited>;
template <class T>
inline constexpr std::size_t member_count = boost::mp11::mp_size<MembersOf<T>>::value;
template <class T, std::size_t I>
using MemberAt = boost::mp11::mp_at_c<MembersOf<T>, I>;
template <class T, std::size_t I>
using MemberType = std::remove_cvref_t<decltype(std::declval<T&>().*MemberAt<T, I>::pointer)>;

template <DescribedEnum E>
std::optional<E> enum_from(std::string_view text) {
  for (const auto& [name, value] : enumerators_of<E>)
    if (name == text) return value;
  return std::nullopt;
}

/// The name on the wire; empty if the value is none of the enumerators.
template <DescribedEnum E>
std::string_view enum_name(E wanted) {
  for (const auto& [name, value] : enumerators_of<E>)
    if (value == wanted) return name;
  return {};
}

}  // namespace detail

/// What the member of a described struct is called on the wire: `season_year` is `seasonYear`.
std::string name_of_member(std::string_view member);

/// An enumerator's name on the wire: lower case, `_` is `-`.
template <DescribedEnum E>
std::string_view name_of(E value) {
  return detail::enum_name(value);
}

/// The enumerator of that name on the wire.
template <DescribedEnum E>
std::optional<E> enum_of(std::string_view name) {
  return detail::enum_from<E>(name);
}

}  // namespace json
}  // namespace bloomwatch
