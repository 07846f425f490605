// JSON text, and the parameters of a path or a query, as values. Reading lists every wrong field at once (RFC 6901 pointers) and never
// throws.
#pragma once

#include <array>
#include <bitset>
#include <boost/mp11.hpp>
#include <chrono>
#include <concepts>
#include <cstdint>
#include <expected>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include "runtime/ascii.h"
#include "runtime/json_document.h"
#include "runtime/json_errors.h"
#include "runtime/json_types.h"
#include "runtime/time.h"
#include "runtime/uuid.h"

namespace bloomwatch::json {

/// Decoded name and value pairs of a path or a query, in their order.
using Parameters = std::vector<std::pair<std::string, std::string>>;

namespace detail {

std::string integer_detail(std::int64_t min, std::uint64_t max);
std::string one_of_detail(const std::vector<std::string_view>& names);
std::optional<std::chrono::year_month_day> parse_date(std::string_view text);

inline constexpr std::string_view must_be_string = "must be a string";
inline constexpr std::string_view must_be_uuid = "must be a UUID";
inline constexpr std::string_view must_be_time = "must be an RFC 3339 time such as 2026-11-21T12:04:00Z";
inline constexpr std::string_view must_be_date = "must be a date such as 2026-11-21";
inline constexpr std::string_view must_be_bool = "must be true or false";
inline constexpr std::string_view must_not_hold_nul = "must not contain U+0000";

template <DescribedEnum E>
std::string enum_detail() {
  std::vector<std::string_view> names;
  for (const auto& [name, value] : enumerators_of<E>) names.push_back(name);
  return one_of_detail(names);
}

/// Text → value, for strings of a body, parameters and names of maps alike. An error's detail, or the value.
template <class T>
std::expected<T, std::string> from_string(std::string_view text) {
  const auto no = [](std::string_view detail) { return std::unexpected(std::string(detail)); };
  if constexpr (std::is_same_v<T, std::string>) {
    if (text.find('\0') != std::string_view::npos) return no(must_not_hold_nul);
    return std::string(text);
  } else if constexpr (std::is_same_v<T, Uuid>) {
    if (const auto uuid = Uuid::parse(text)) return *uuid;
    return no(must_be_uuid);
  } else if constexpr (is_id<T>) {
    if (const auto uuid = Uuid::parse(text)) return T(*uuid);
    return no(must_be_uuid);
  } else if constexpr (std::is_same_v<T, Time>) {
    if (const auto time = parse_rfc3339(text)) return *time;
    return no(must_be_time);
  } else if constexpr (std::is_same_v<T, std::chrono::year_month_day>) {
    if (const auto date = parse_date(text)) return *date;
    return no(must_be_date);
  } else if constexpr (DescribedEnum<T>) {
    if (const auto found = enum_from<T>(text)) return *found;
    return std::unexpected(enum_detail<T>());
  } else {
    static_assert(unsupported<T>, "this type is not written as a JSON string");
  }
}

template <class T>
inline constexpr bool is_string_on_the_wire = std::is_same_v<T, std::string> || std::is_same_v<T, Uuid> || is_id<T> ||
                                              std::is_same_v<T, Time> || std::is_same_v<T, std::chrono::year_month_day> || DescribedEnum<T>;

/// The integer as T if it fits; else nothing.
template <std::integral T>
std::optional<T> integer_from(const Value& value) {
  if (const auto number = value.integer()) {
    if (std::in_range<T>(*number)) return static_cast<T>(*number);
    return std::nullopt;
  }
  if constexpr (sizeof(T) == 8 && std::is_unsigned_v<T>) {
    if (const auto number = value.unsigned_integer()) return static_cast<T>(*number);
  }
  return std::nullopt;
}

template <std::integral T>
std::string integer_detail_of() {
  return integer_detail(static_cast<std::int64_t>(std::numeric_limits<T>::min()),
                        static_cast<std::uint64_t>(std::numeric_limits<T>::max()));
}

template <class T>
concept WholeNumber = ValueType<T> && std::integral<typename T::Wire> && !std::same_as<typename T::Wire, bool>;

/// What is no number that T could be told of is told T's own bounds where it has some, not those of its number's type.
template <WholeNumber T>
std::string bounds_detail() {
  using Number = typename T::Wire;
  for (const Number extreme : {std::numeric_limits<Number>::max(), std::numeric_limits<Number>::min()})
    if (auto checked = T::from(extreme); !checked) return std::move(checked.error());
  return integer_detail_of<Number>();
}

template <class T>
std::optional<T> read_value(const Value& value, const Path& at, Errors& errors);

template <class T>
std::optional<T> read_text(std::string_view text, const Path& at, In in, Errors& errors);

template <class T>
std::optional<T> read_sequence(const Value& value, const Path& at, Errors& errors) {
  if (value.kind() != Kind::array) return errors.add(at, "must be an array"), std::nullopt;
  using Item = typename T::value_type;
  T items;
  bool whole = true;
  Elements elements = value.elements();
  Value element;
  for (std::size_t i = 0; !errors.full() && elements.next(element); ++i) {
    const Path here{&at, {}, i};
    auto item = read_value<Item>(element, here, errors);
    if (!item) {
      whole = false;
    } else if constexpr (is_set<T>) {
      if (!items.insert(std::move(*item)).second) errors.add(here, "is there twice"), whole = false;
    } else {
      items.push_back(std::move(*item));
    }
  }
  if (!whole || errors.full()) return std::nullopt;
  return items;
}

template <class T>
std::optional<T> read_array(const Value& value, const Path& at, Errors& errors) {
  constexpr std::size_t size = std::tuple_size_v<T>;
  if (value.kind() != Kind::array || value.size() != size)
    return errors.add(at, "must be an array of " + std::to_string(size)), std::nullopt;
  T items;
  bool whole = true;
  Elements elements = value.elements();
  Value element;
  for (std::size_t i = 0; i < size && elements.next(element); ++i) {
    auto item = read_value<typename T::value_type>(element, Path{&at, {}, i}, errors);
    if (item)
      items[i] = std::move(*item);
    else
      whole = false;
  }
  return whole ? std::optional<T>(std::move(items)) : std::nullopt;
}

template <class T>
std::optional<T> read_map(const Value& value, const Path& at, Errors& errors) {
  if (value.kind() != Kind::object) return errors.add(at, "must be an object"), std::nullopt;
  T map;
  bool whole = true;
  Members members = value.members();
  std::string_view name;
  Value member;
  while (!errors.full() && members.next(name, member)) {
    const Path here{&at, name};
    auto key = from_string<typename T::key_type>(name);
    if (!key) errors.add(here, "its name " + key.error());
    auto item = read_value<typename T::mapped_type>(member, here, errors);
    if (!key || !item) {
      whole = false;
    } else if (!map.emplace(std::move(*key), std::move(*item)).second) {
      errors.add(here, "is there twice"), whole = false;
    }
  }
  if (!whole || errors.full()) return std::nullopt;
  return map;
}

// Structs are read by tables, which one reader in json_read.cpp goes by: only what depends on a member's type is a template, once a type.

/// How a member of one type is read. `slot` points to it; false: what is wrong was noted.
struct MemberKind {
  bool (*read)(void* slot, const Value& value, const Path& at, Errors& errors);
  bool (*read_text)(void* slot, std::string_view text, const Path& at, In in, Errors& errors);
  void (*leave_out)(void* slot);        ///< null: the type has no value for a member that is not named
  bool (*has_value)(const void* slot);  ///< null: the type is no optional
  bool is_minted;
  bool may_be_left_out;
  bool is_repeated;  ///< a parameter may name it several times
};

/// One member of a struct: its name on the wire, its kind, and where it is in what is being read.
struct Member {
  std::string_view name;
  const MemberKind* kind;
  void* (*slot_in)(void* parts);
};

/// Reads the members of one struct into `parts`; no more than members_max.
class MembersReader {
 public:
  static constexpr std::size_t members_max = 64;

  MembersReader(std::span<const Member> members, void* parts, const Path& at, Errors& errors)
      : members_(members), parts_(parts), at_(at), errors_(errors) {}

  /// Fills the members that `parameters` name; the body may not name them again.
  void fill(const Parameters& parameters, In in);
  void read(const Value& value);
  /// Whether all is there and nothing is wrong. `one_of`: exactly one of these members must be given.
  bool finish(In in, std::span<const std::string_view> one_of);

 private:
  std::size_t index_of(std::string_view name, std::size_t expected) const;
  void fill_member(std::size_t index, std::string_view text, In in);
  void unknown(std::string_view name);
  void want_one_of(std::span<const std::string_view> one_of, In in);
  void take(std::size_t index, bool is_right);
  void* slot(std::size_t index) const { return members_[index].slot_in(parts_); }

  std::span<const Member> members_;
  void* parts_;
  const Path& at_;
  Errors& errors_;
  std::bitset<members_max> seen_;
  std::bitset<members_max> filled_;
  std::bitset<members_max> wrong_members_;
  bool wrong_ = false;
};

template <class T, class Indices = std::make_index_sequence<member_count<T>>>
struct PartsOf;
template <class T, std::size_t... I>
struct PartsOf<T, std::index_sequence<I...>> {
  using type = std::tuple<std::optional<MemberType<T, I>>...>;
};
/// What the members of a T are read into: the T itself, or, where it has no default, each member apart until all are there.
template <class T>
using Parts = std::conditional_t<std::is_default_constructible_v<T>, std::type_identity<T>, PartsOf<T>>::type;

template <class T, std::size_t I>
void* slot_in(void* parts) {
  if constexpr (std::is_default_constructible_v<T>)
    return &(static_cast<T*>(parts)->*MemberAt<T, I>::pointer);
  else
    return &std::get<I>(*static_cast<Parts<T>*>(parts));
}

/// The member in its slot, which is an M or an std::optional<M>; made if it is not there yet.
template <class M, class Slot>
M& member_in(void* slot) {
  if constexpr (std::is_same_v<M, Slot>) {
    return *static_cast<M*>(slot);
  } else {
    auto& kept = *static_cast<Slot*>(slot);
    return kept ? *kept : kept.emplace();
  }
}

template <class Slot, class M>
bool keep(void* slot, std::optional<M> read) {
  if (!read) return false;
  if constexpr (std::is_same_v<M, Slot>)
    *static_cast<M*>(slot) = std::move(*read);
  else
    *static_cast<Slot*>(slot) = std::move(read);
  return true;
}

template <class M, class Slot>
bool read_slot(void* slot, const Value& value, const Path& at, Errors& errors) {
  return keep<Slot>(slot, read_value<M>(value, at, errors));
}

template <class M, class Slot>
bool read_slot_text(void* slot, std::string_view text, const Path& at, In in, Errors& errors) {
  if constexpr (is_vector<M>) {
    auto item = read_text<typename M::value_type>(text, at, in, errors);
    if (!item) return false;
    member_in<M, Slot>(slot).push_back(std::move(*item));
    return true;
  } else {
    return keep<Slot>(slot, read_text<M>(text, at, in, errors));
  }
}

template <class M, class Slot>
constexpr MemberKind make_member_kind() {
  MemberKind kind = {&read_slot<M, Slot>, &read_slot_text<M, Slot>, nullptr, nullptr, is_minted<M>, may_be_left_out<M>, is_vector<M>};
  if constexpr (may_be_left_out<M> || is_vector<M>) kind.leave_out = [](void* slot) { member_in<M, Slot>(slot); };
  if constexpr (is_optional<M>)
    kind.has_value = [](const void* slot) {
      const auto& kept = *static_cast<const Slot*>(slot);
      if constexpr (std::is_same_v<M, Slot>)
        return kept.has_value();
      else
        return kept && kept->has_value();
    };
  return kind;
}
template <class M, class Slot>
inline constexpr MemberKind member_kind = make_member_kind<M, Slot>();

template <class T, class M>
using SlotOf = std::conditional_t<std::is_default_constructible_v<T>, M, std::optional<M>>;

template <class T, std::size_t... I>
constexpr std::array<Member, sizeof...(I)> make_members(std::index_sequence<I...>) {
  return {{{member_name<MemberAt<T, I>>.view(), &member_kind<MemberType<T, I>, SlotOf<T, MemberType<T, I>>>, &slot_in<T, I>}...}};
}
template <class T>
inline constexpr auto members_of = make_members<T>(std::make_index_sequence<member_count<T>>{});

/// One struct on its way.
template <class T>
class StructReader {
 public:
  static_assert(member_count<T> <= MembersReader::members_max);

  StructReader(const Path& at, Errors& errors) : reader_(members_of<T>, &parts_, at, errors) {}
  StructReader(const StructReader&) = delete;
  StructReader& operator=(const StructReader&) = delete;

  void fill(const Parameters& parameters, In in) { reader_.fill(parameters, in); }
  void read(const Value& value) { reader_.read(value); }
  std::optional<T> finish(In in = In::body) {
    std::span<const std::string_view> one_of;
    if constexpr (requires { T::one_of; }) one_of = T::one_of;
    if (!reader_.finish(in, one_of)) return std::nullopt;
    if constexpr (std::is_default_constructible_v<T>)
      return std::move(parts_);
    else
      return std::apply([](auto&... part) { return T{std::move(*part)...}; }, parts_);
  }

 private:
  Parts<T> parts_ = Parts<T>();
  MembersReader reader_;
};

template <class T>
std::optional<T> read_struct(const Value& value, const Path& at, Errors& errors) {
  StructReader<T> reader(at, errors);
  reader.read(value);
  if (value.kind() != Kind::object) return std::nullopt;
  return reader.finish();
}

/// The checked type made of its wire form.
template <class T>
std::optional<T> check(std::optional<typename T::Wire> wire, const Path& at, In in, Errors& errors) {
  if (!wire) return std::nullopt;
  auto checked = T::from(std::move(*wire));
  if (checked) return std::move(*checked);
  errors.add(at, std::move(checked.error()), in);
  return std::nullopt;
}

template <class T>
std::optional<T> read_number(const Value& value, const Path& at, Errors& errors) {
  if constexpr (std::is_floating_point_v<T>) {
    if (value.kind() == Kind::integer || value.kind() == Kind::number) return static_cast<T>(value.number());
    errors.add(at, "must be a number");
  } else {
    if (value.kind() == Kind::integer || value.kind() == Kind::number)
      if (const auto number = integer_from<T>(value)) return number;
    errors.add(at, integer_detail_of<T>());
  }
  return std::nullopt;
}

template <class T>
std::optional<T> read_string(const Value& value, const Path& at, Errors& errors) {
  if (value.kind() != Kind::string) {
    if constexpr (std::is_same_v<T, std::string>)
      errors.add(at, std::string(must_be_string));
    else if constexpr (DescribedEnum<T>)
      errors.add(at, enum_detail<T>());
    else
      errors.add(at, from_string<T>("").error());
    return std::nullopt;
  }
  auto read = from_string<T>(value.string());
  if (read) return std::move(*read);
  errors.add(at, std::move(read.error()));
  return std::nullopt;
}

template <class T>
std::optional<T> read_raw(const Value& value, const Path& at, Errors& errors) {
  if (!value.names_are_unique()) return errors.add(at, "has an object that names a member twice"), std::nullopt;
  T raw;
  raw.text.clear();
  value.append_to(raw.text);
  return raw;
}

template <class T>
std::optional<T> read_value(const Value& value, const Path& at, Errors& errors) {
  if constexpr (is_optional<T> || is_patch<T> || is_clearable<T>) {
    using Inner = std::remove_cvref_t<decltype([] {
      if constexpr (is_optional<T>)
        return std::type_identity<typename T::value_type>{};
      else
        return std::type_identity<typename decltype(T::value)::value_type>{};
    }())>::type;
    if constexpr (!is_patch<T>) {
      if (value.is_null()) {
        if constexpr (is_clearable<T>)
          return T{true, std::nullopt};
        else
          return std::optional<T>(std::in_place);
      }
    } else if (value.is_null()) {
      errors.add(at, "must not be null");
      return std::nullopt;
    }
    auto inner = read_value<Inner>(value, at, errors);
    if (!inner) return std::nullopt;
    if constexpr (is_clearable<T>)
      return T{true, std::move(inner)};
    else if constexpr (is_patch<T>)
      return T{std::move(inner)};
    else
      return std::optional<T>(std::in_place, std::move(*inner));
  } else if constexpr (WholeNumber<T>) {
    const auto number = integer_from<typename T::Wire>(value);
    if (!number) return errors.add(at, bounds_detail<T>()), std::nullopt;
    return check<T>(number, at, In::body, errors);
  } else if constexpr (ValueType<T>) {
    return check<T>(read_value<typename T::Wire>(value, at, errors), at, In::body, errors);
  } else if constexpr (std::is_same_v<T, bool>) {
    if (value.kind() == Kind::boolean) return value.boolean();
    errors.add(at, std::string(must_be_bool));
    return std::nullopt;
  } else if constexpr (std::is_arithmetic_v<T>) {
    return read_number<T>(value, at, errors);
  } else if constexpr (is_string_on_the_wire<T>) {
    return read_string<T>(value, at, errors);
  } else if constexpr (std::is_same_v<T, Raw>) {
    return read_raw<T>(value, at, errors);
  } else if constexpr (is_vector<T> || is_set<T>) {
    return read_sequence<T>(value, at, errors);
  } else if constexpr (is_array<T>) {
    return read_array<T>(value, at, errors);
  } else if constexpr (is_map<T>) {
    return read_map<T>(value, at, errors);
  } else if constexpr (is_minted<T>) {
    return std::nullopt;
  } else {
    static_assert(DescribedStruct<T>, "describe this type (BOOST_DESCRIBE_STRUCT), or make it a value type");
    return read_struct<T>(value, at, errors);
  }
}

std::optional<std::int64_t> integer_of_text(std::string_view text);
std::optional<double> number_of_text(std::string_view text);

template <class T>
std::optional<T> read_text(std::string_view text, const Path& at, In in, Errors& errors) {
  if constexpr (is_optional<T>) {
    auto inner = read_text<typename T::value_type>(text, at, in, errors);
    if (!inner) return std::nullopt;
    return std::optional<T>(std::in_place, std::move(*inner));
  } else if constexpr (WholeNumber<T>) {
    const auto number = integer_of_text(text);
    if (!number || !std::in_range<typename T::Wire>(*number)) return errors.add(at, bounds_detail<T>(), in), std::nullopt;
    return check<T>(std::optional(static_cast<typename T::Wire>(*number)), at, in, errors);
  } else if constexpr (ValueType<T>) {
    return check<T>(read_text<typename T::Wire>(text, at, in, errors), at, in, errors);
  } else if constexpr (std::is_same_v<T, bool>) {
    if (text == "true") return true;
    if (text == "false") return false;
    errors.add(at, std::string(must_be_bool), in);
  } else if constexpr (std::is_integral_v<T>) {
    const auto number = integer_of_text(text);
    if (number && std::in_range<T>(*number)) return static_cast<T>(*number);
    errors.add(at, integer_detail_of<T>(), in);
  } else if constexpr (std::is_floating_point_v<T>) {
    if (const auto number = number_of_text(text)) return static_cast<T>(*number);
    errors.add(at, "must be a number", in);
  } else if constexpr (is_string_on_the_wire<T>) {
    auto read = from_string<T>(text);
    if (read) return std::move(*read);
    errors.add(at, std::move(read.error()), in);
  } else {
    errors.add(at, "cannot be given here", in);
  }
  return std::nullopt;
}

/// As `Document::parse`; false: it is no JSON, and the errors have every number and string in it that is ill-formed, by where it is, or
/// what is wrong with the whole. Such a text is read once more.
bool parse(Document& document, std::string_view text, const Path& root, Errors& errors);

}  // namespace detail

/// Reads `text` (one JSON value; for described structs an object). Never throws but for lack of memory; lists every wrong field.
template <class T>
std::expected<T, FieldErrors> read(std::string_view text, Unknown unknown = Unknown::refused) {
  Errors errors(unknown);
  Document document;
  const Path root;
  if (!detail::parse(document, text, root, errors)) return std::unexpected(errors.take());
  auto value = detail::read_value<T>(document.root(), root, errors);
  if (value && errors.none()) return std::move(*value);
  return std::unexpected(errors.take());
}

/// Whether a text holds no value at all, not even a wrong one.
inline bool is_blank(std::string_view text) { return ascii::trimmed(text).empty(); }

/// A command from a request: parameters of the path fill the members of their names (`{watchSpace}` → `watch_space`), the body's fields the
/// others; a blank body is `{}`. Parameters that name no member are ignored. No command has parameters in its
/// query: each is told as unknown.
template <class T>
std::expected<T, FieldErrors> read_command(const Parameters& path, std::string_view body, const Parameters& query = {}) {
  Errors errors;
  const Path root;
  for (const auto& [name, text] : query) errors.add(Path{&root, name}, "is unknown", In::query);
  detail::StructReader<T> reader(root, errors);
  reader.fill(path, In::path);
  Document document;
  if (!is_blank(body)) {
    if (!detail::parse(document, body, root, errors)) return std::unexpected(errors.take());
    reader.read(document.root());
    if (document.root().kind() != Kind::object) return std::unexpected(errors.take());
  }
  auto command = reader.finish();
  if (command && errors.none()) return std::move(*command);
  return std::unexpected(errors.take());
}

/// Parameters of a query into a described struct: numbers, bools (`true`, `false`), strings, ids, times, enums, value types of these,
/// optionals of all (left out: nothing) and vectors (a name given several times). Errors point to `/<name>` in the query.
template <class T>
std::expected<T, FieldErrors> read_query(const Parameters& query) {
  Errors errors;
  const Path root;
  detail::StructReader<T> reader(root, errors);
  reader.fill(query, In::query);
  auto read = reader.finish(In::query);
  if (read && errors.none()) return std::move(*read);
  return std::unexpected(errors.take());
}

}  // namespace bloomwatch::json
