// From a row's description to SQL and back: column names, arrays of a column's values in binary, a row of a result.
// A column's type follows from the member's: ids are uuid, enums their wire words as text, Personal its box as text, a ProfileSet the bytes
// of its ids, what is optional may be null, and vectors, maps and structs are jsonb.
#pragma once

#include <algorithm>
#include <boost/mp11.hpp>
#include <concepts>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "projector/rows.h"
#include "runtime/json.h"
#include "runtime/postgres.h"

namespace bloomwatch::projection {

/// The ids one after another, as Postgres orders them, too.
inline pg::Bytes bytes_of(const ProfileSet& set) {
  static_assert(sizeof(ProfileId) == sizeof(Uuid::bytes));
  return {reinterpret_cast<const std::uint8_t*>(set.profiles.data()), set.profiles.size() * sizeof(ProfileId)};
}
inline ProfileSet profile_set_of(pg::Bytes bytes) {
  if (bytes.size() % sizeof(ProfileId) != 0) throw std::runtime_error("a row holds bytes that are no ids");
  ProfileSet set{std::vector<ProfileId>(bytes.size() / sizeof(ProfileId))};
  std::ranges::copy(bytes, reinterpret_cast<std::uint8_t*>(set.profiles.data()));
  return set;
}

namespace detail {

template <class T>
inline constexpr bool is_plain_column =
    std::same_as<T, bool> || std::same_as<T, std::int16_t> || std::same_as<T, std::int32_t> || std::same_as<T, std::int64_t> ||
    std::same_as<T, double> || std::same_as<T, Time> || std::same_as<T, Uuid> || is_id<T>;

/// A member of type T as pg::Params takes it. Views refer to `value`.
template <class T>
auto to_sql(const T& value) {
  if constexpr (json::detail::is_optional<T>) {
    using Value = decltype(to_sql(*value));
    return value ? std::optional<Value>(to_sql(*value)) : std::optional<Value>();
  } else if constexpr (std::same_as<T, ProfileSet>) {
    return bytes_of(value);
  } else if constexpr (is_plain_column<T>) {
    return value;
  } else if constexpr (std::same_as<T, std::string>) {
    return std::string_view(value);
  } else if constexpr (json::DescribedEnum<T>) {
    return json::name_of(value);
  } else {
    static_assert(json::ValueType<T>);
    return std::string_view(value.wire());
  }
}

template <class T>
struct IsJson {
  static constexpr bool value = !is_plain_column<T> && !std::same_as<T, std::string> && !std::same_as<T, ProfileSet> &&
                                !json::DescribedEnum<T> && !json::ValueType<T>;
};
template <class T>
struct IsJson<std::optional<T>> : IsJson<T> {};

template <class T>
T from_sql(const pg::Row& row, int column) {
  if constexpr (json::detail::is_optional<T>) {
    if (row.null(column)) return std::nullopt;
    return from_sql<typename T::value_type>(row, column);
  } else if constexpr (is_plain_column<T> || std::same_as<T, std::string>) {
    return row.get<T>(column);
  } else if constexpr (std::same_as<T, ProfileSet>) {
    return profile_set_of(row.get<pg::Bytes>(column));
  } else if constexpr (json::DescribedEnum<T>) {
    const auto value = json::enum_of<T>(row.get<std::string_view>(column));
    if (!value) throw std::runtime_error("a row holds a word that its column does not know");
    return *value;
  } else if constexpr (json::ValueType<T>) {
    auto value = T::from(row.get<std::string>(column));
    if (!value) throw std::runtime_error("a row holds a value that its column does not allow: " + value.error());
    return std::move(*value);
  } else {
    auto value = json::read<T>(row.get<std::string_view>(column));
    if (!value) throw std::runtime_error("a row holds JSON that its column does not know");
    return std::move(*value);
  }
}

/// Adds one column of all rows as an array. `row_of` gives the row of an element.
template <class T, class Elements, class RowOf, class Member>
void add_column(pg::Params& params, const Elements& elements, RowOf row_of, Member member) {
  if constexpr (!IsJson<T>::value) {
    params.add_array(elements, [&](const auto& element) { return to_sql(row_of(element).*member); });
  } else {
    std::vector<std::optional<std::string>> texts;
    texts.reserve(elements.size());
    for (const auto& element : elements) {
      const T& value = row_of(element).*member;
      std::optional<std::string>& text = texts.emplace_back();
      if constexpr (json::detail::is_optional<T>) {
        if (value) json::write(text.emplace(), *value);
      } else {
        json::write(text.emplace(), value);
      }
    }
    params.add_array(texts, [](const std::optional<std::string>& text) {
      return text ? std::optional<pg::Jsonb>(pg::Jsonb{*text}) : std::optional<pg::Jsonb>();
    });
  }
}

}  // namespace detail

/// The names of a row's columns, `partition` not among them; the first key_size<Row> are the key.
template <class Row>
std::vector<std::string> column_names() {
  std::vector<std::string> names;
  boost::mp11::mp_for_each<MembersOf<Row>>([&](auto D) { names.emplace_back(D.name); });
  return names;
}

/// One array per column, in order. `row_of` gives the row of an element.
template <class Row, class Elements, class RowOf>
void add_columns(pg::Params& params, const Elements& elements, RowOf row_of) {
  boost::mp11::mp_for_each<MembersOf<Row>>([&](auto D) {
    using T = std::remove_cvref_t<decltype(std::declval<Row>().*D.pointer)>;
    detail::add_column<T>(params, elements, row_of, D.pointer);
  });
}

/// One array per part of the key. `key_of_element` gives the key of an element.
template <class Row, class Elements, class KeyOf>
void add_key_columns(pg::Params& params, const Elements& elements, KeyOf key_of_element) {
  [&]<std::size_t... I>(std::index_sequence<I...>) {
    (params.add_array(
         elements,
         [&](const auto& element) { return detail::to_sql(KeyParts<typename Row::Key>::template get<I>(key_of_element(element))); }),
     ...);
  }(std::make_index_sequence<key_size<Row>>{});
}

/// The row of a result whose first columns are column_names<Row>().
template <class Row>
Row row_of_result(const pg::Row& result) {
  Row row;
  int column = 0;
  boost::mp11::mp_for_each<MembersOf<Row>>([&](auto D) {
    using T = std::remove_cvref_t<decltype(row.*D.pointer)>;
    row.*D.pointer = detail::from_sql<T>(result, column++);
  });
  return row;
}

/// The statements of one table. `columns` and the first `key_columns` of them as above; `table` with its schema.
struct TableNames {
  std::string table;
  std::vector<std::string> columns;
  std::size_t key_columns;
};
std::string load_sql(const TableNames& names);
std::string upsert_sql(const TableNames& names);
std::string add_sql(const TableNames& names);
std::string remove_sql(const TableNames& names);
/// All rows of some partitions, `$1::smallint[]`.
std::string scan_sql(const TableNames& names);

}  // namespace bloomwatch::projection
