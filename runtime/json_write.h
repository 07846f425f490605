// Values as JSON text.
#pragma once

#include <boost/mp11.hpp>
#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>

#include "runtime/json_types.h"
#include "runtime/time.h"
#include "runtime/uuid.h"

namespace bloomwatch::json {
namespace detail {

void append_date(std::string& out, std::chrono::year_month_day date);
void append_string(std::string& out, std::string_view text);
void append_number(std::string& out, double value);
void append_number(std::string& out, std::int64_t value);
void append_number(std::string& out, std::uint64_t value);
void append_uuid(std::string& out, const Uuid& uuid);
void append_enum(std::string& out, std::string_view name);  // null if it is empty

template <bool sparse, class T>
void write_value(std::string& out, const T& value);

/// Whether a member is left out of sparse JSON.
template <class T>
bool is_absent(const T& value) {
  if constexpr (is_optional<T>)
    return !value.has_value();
  else if constexpr (is_patch<T>)
    return !value.value.has_value();
  else if constexpr (is_clearable<T>)
    return !value.present;
  else
    return false;
}

template <bool sparse, class M>
void write_member(std::string& out, bool& first, std::string_view key, const M& member) {
  if constexpr (sparse) {
    if (is_absent(member)) return;
  }
  out += first ? key.substr(1) : key;
  first = false;
  write_value<sparse>(out, member);
}

template <bool sparse, class T>
void write_struct(std::string& out, const T& value) {
  bool first = true;
  out += '{';
  boost::mp11::mp_for_each<MembersOf<T>>([&]<class D>(D) { write_member<sparse>(out, first, member_key<D>.view(), value.*D::pointer); });
  out += '}';
}

template <bool sparse, class T>
void write_map(std::string& out, const T& map) {
  out += '{';
  bool first = true;
  for (const auto& [key, value] : map) {
    if (!first) out += ',';
    first = false;
    write_value<sparse>(out, key);
    out += ':';
    write_value<sparse>(out, value);
  }
  out += '}';
}

template <bool sparse, class T>
void write_sequence(std::string& out, const T& items) {
  out += '[';
  bool first = true;
  for (const auto& item : items) {
    if (!first) out += ',';
    first = false;
    write_value<sparse>(out, item);
  }
  out += ']';
}

template <bool sparse, class T>
void write_value(std::string& out, const T& value) {
  if constexpr (is_optional<T>) {
    if (value)
      write_value<sparse>(out, *value);
    else
      out += "null";
  } else if constexpr (is_patch<T> || is_clearable<T>) {
    write_value<sparse>(out, value.value);
  } else if constexpr (is_minted<T>) {
    write_value<sparse>(out, value.value);
  } else if constexpr (ValueType<T>) {
    write_value<sparse>(out, static_cast<const typename T::Wire&>(value.wire()));
  } else if constexpr (std::is_same_v<T, bool>) {
    out += value ? "true" : "false";
  } else if constexpr (std::is_floating_point_v<T>) {
    append_number(out, static_cast<double>(value));
  } else if constexpr (DescribedEnum<T>) {
    append_enum(out, enum_name(value));
  } else if constexpr (std::is_integral_v<T> && std::is_signed_v<T>) {
    append_number(out, static_cast<std::int64_t>(value));
  } else if constexpr (std::is_integral_v<T>) {
    append_number(out, static_cast<std::uint64_t>(value));
  } else if constexpr (std::is_convertible_v<const T&, std::string_view>) {
    append_string(out, value);
  } else if constexpr (std::is_same_v<T, Uuid>) {
    append_uuid(out, value);
  } else if constexpr (is_id<T>) {
    append_uuid(out, value.uuid);
  } else if constexpr (std::is_same_v<T, Time>) {
    out += '"';
    out += to_rfc3339(value);
    out += '"';
  } else if constexpr (std::is_same_v<T, std::chrono::year_month_day>) {
    append_date(out, value);
  } else if constexpr (std::is_same_v<T, Raw>) {
    out += value.text;
  } else if constexpr (is_vector<T> || is_array<T> || is_set<T>) {
    write_sequence<sparse>(out, value);
  } else if constexpr (is_map<T>) {
    write_map<sparse>(out, value);
  } else {
    static_assert(DescribedStruct<T>, "describe this type (BOOST_DESCRIBE_STRUCT), or make it a value type");
    write_struct<sparse>(out, value);
  }
}

}  // namespace detail

/// Appends `value` as JSON; absent optionals are `null`. A double that is no number is `null`.
template <class T>
void write(std::string& out, const T& value) {
  detail::write_value<false>(out, value);
}

/// Appends `value` as JSON and leaves absent optionals out: how events are kept.
template <class T>
void write_sparse(std::string& out, const T& value) {
  detail::write_value<true>(out, value);
}

/// `value` as JSON text.
template <class T>
std::string to_string(const T& value) {
  std::string out;
  write(out, value);
  return out;
}

}  // namespace bloomwatch::json
