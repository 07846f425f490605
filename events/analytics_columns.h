// What an event's view in schema `analytics` shows, derived from the described struct: a column a member, nested structs flattened.
// Personal members show the account that they are about, never the text or its box. What has no scalar form stays jsonb.
// An event with upcasters says in SQL, too, how its older data become the present shape: `upcast_sql(E)` beside its `upcast`.
#pragma once

#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "events/codec.h"
#include "runtime/json.h"

namespace bloomwatch {

/// A column of a view over log.events (as `e`) and the event's data in its present shape (as `d.data`).
struct AnalyticsColumn {
  std::string name;        ///< snake_case, not quoted
  std::string type;        ///< as Postgres calls it
  std::string expression;  ///< of that type
};

/// `AnimeRated` → `anime_rated`.
std::string analytics_view_name(std::string_view type);

namespace analytics {

/// Whether a personal text is anywhere in `T`.
template <class T>
constexpr bool holds_personal() {
  if constexpr (std::is_same_v<T, Personal>) {
    return true;
  } else if constexpr (json::detail::is_optional<T> || json::detail::is_vector<T> || json::detail::is_array<T> || json::detail::is_set<T>) {
    return holds_personal<typename T::value_type>();
  } else if constexpr (json::detail::is_map<T>) {
    return holds_personal<typename T::mapped_type>();
  } else if constexpr (json::DescribedStruct<T>) {
    return []<class... Members>(boost::mp11::mp_list<Members...>) {
      return (holds_personal<std::remove_cvref_t<decltype(std::declval<T&>().*Members::pointer)>>() || ...);
    }(boost::mp11::mp_rename<json::detail::MembersOf<T>, boost::mp11::mp_list>{});
  } else {
    return false;
  }
}

/// The SQL type of a scalar; empty if `T` is none.
template <class T>
constexpr std::string_view scalar_type() {
  if constexpr (std::is_same_v<T, bool>) {
    return "boolean";
  } else if constexpr (std::is_integral_v<T>) {
    return sizeof(T) <= 2 ? "smallint" : sizeof(T) == 4 ? "integer" : "bigint";
  } else if constexpr (std::is_floating_point_v<T>) {
    return "double precision";
  } else if constexpr (std::is_same_v<T, std::string> || json::DescribedEnum<T>) {
    return "text";
  } else if constexpr (std::is_same_v<T, Uuid> || is_id<T>) {
    return "uuid";
  } else if constexpr (std::is_same_v<T, Time>) {
    return "timestamptz";
  } else if constexpr (std::is_same_v<T, std::chrono::year_month_day>) {
    return "date";
  } else {
    return {};
  }
}

/// Adds the columns of a value of type `T` that is the member `key` of the JSON object `object`.
template <class T>
void add_columns(std::vector<AnalyticsColumn>& columns, const std::string& name, const std::string& object, const std::string& key) {
  if constexpr (json::detail::is_optional<T>) {
    add_columns<typename T::value_type>(columns, name, object, key);
  } else if constexpr (std::is_same_v<T, Personal>) {
    columns.push_back({name + "_account", "uuid", "analytics.account_of(" + object + "->>'" + key + "')"});
  } else if constexpr (json::ValueType<T>) {
    add_columns<typename T::Wire>(columns, name, object, key);
  } else if constexpr (json::DescribedStruct<T>) {
    boost::mp11::mp_for_each<json::detail::MembersOf<T>>([&]<class D>(D) {
      add_columns<std::remove_cvref_t<decltype(std::declval<T&>().*D::pointer)>>(columns, name + "_" + D::name, object + "->'" + key + "'",
                                                                                 std::string(json::detail::member_name<D>.view()));
    });
  } else if constexpr (constexpr std::string_view type = scalar_type<T>(); !type.empty()) {
    const std::string text = object + "->>'" + key + "'";
    columns.push_back({name, std::string(type), type == "text" ? text : "(" + text + ")::" + std::string(type)});
  } else {
    static_assert(!holds_personal<T>(), "a list of personal texts cannot be shown: give the view another shape first");
    columns.push_back({name, "jsonb", object + "->'" + key + "'"});
  }
}

/// The columns of an event's members, in their order.
template <class E>
std::vector<AnalyticsColumn> member_columns() {
  std::vector<AnalyticsColumn> columns;
  boost::mp11::mp_for_each<json::detail::MembersOf<E>>([&]<class D>(D) {
    add_columns<std::remove_cvref_t<decltype(std::declval<E&>().*D::pointer)>>(columns, D::name, "d.data",
                                                                               std::string(json::detail::member_name<D>.view()));
  });
  return columns;
}

/// An expression over `e.data` and `e.schema_version`: the data in the present shape, as jsonb.
template <class E>
std::string present_data() {
  if constexpr (requires { upcast_sql(E{}); }) {
    return std::string(upcast_sql(E{}));
  } else {
    static_assert(schema_version_of<E>() == 1, "an event with older shapes needs an upcast_sql(E) beside its upcast()");
    return "e.data";
  }
}

}  // namespace analytics

/// The columns that every view begins with: the envelope. What the command's actor is called here (`by_account`, `by_profile`) leaves
/// `profile` to the events: the person whom they are about.
const std::vector<AnalyticsColumn>& analytics_envelope();

/// `CREATE OR REPLACE VIEW analytics.<name> …` of one event type. `columns` follow the envelope.
std::string create_view_statement(std::string_view type, const std::vector<AnalyticsColumn>& columns, const std::string& present_data);

template <class E>
std::string create_view_statement() {
  return create_view_statement(type_name<E>(), analytics::member_columns<E>(), analytics::present_data<E>());
}

}  // namespace bloomwatch
