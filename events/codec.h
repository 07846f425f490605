// From described structs to what the log stores and back: an event's C++ name is its stored type, its members in camelCase its JSON.
// Decoding is total: an event once written always decodes, so a failure here is a corrupt log or a missing upcaster, told as such.
// To change an event's shape: raise its `schema_version` member, and give `upcast(std::string data, int from)` beside it.
#pragma once

#include <boost/mp11/algorithm.hpp>
#include <boost/mp11/list.hpp>
#include <stdexcept>
#include <string>
#include <string_view>
#include <unordered_map>
#include <variant>

#include "events/accounts.h"
#include "events/envelope.h"
#include "events/spaces.h"
#include "events/tracking.h"
#include "runtime/json.h"

namespace bloomwatch {

/// Every event there is: a new context adds its list here.
using AllEvents = boost::mp11::mp_append<UserEvents, LoginSessionEvents, WatchSpaceEvents, AnimeEvents>;

/// A type's name without its namespaces, at compile time: `AnimeRated`.
template <class T>
constexpr std::string_view type_name() {
  constexpr std::string_view function = __PRETTY_FUNCTION__;
  constexpr std::size_t start = function.rfind('=') + 2;
  constexpr std::string_view qualified = function.substr(start, function.size() - 1 - start);
  constexpr std::size_t colon = qualified.rfind(':');
  return colon == std::string_view::npos ? qualified : qualified.substr(colon + 1);
}

/// The version of an event's shape; 1 unless the struct says otherwise.
template <class E>
constexpr int schema_version_of() {
  if constexpr (requires { E::schema_version; })
    return E::schema_version;
  else
    return 1;
}

/// An event whose type or data this program cannot read: it is older than the log, or the log is corrupt.
struct UndecodableEvent : std::runtime_error {
  using std::runtime_error::runtime_error;
};

[[noreturn]] void throw_undecodable(const RecordedEvent& event, std::string_view why);

/// The struct of a recorded event that is known to be an `E`. Throws UndecodableEvent.
template <class E>
E decode_as(const RecordedEvent& event) {
  std::expected<E, std::vector<json::FieldError>> decoded = [&] {
    if constexpr (requires { upcast(E{}, std::string{}, 0); }) {
      if (event.schema_version < schema_version_of<E>()) return json::read<E>(upcast(E{}, event.data, event.schema_version));
    }
    return json::read<E>(event.data);
  }();
  if (!decoded)
    throw_undecodable(event,
                      decoded.error().empty() ? "unreadable" : decoded.error().front().pointer + ": " + decoded.error().front().detail);
  return std::move(*decoded);
}

/// Calls `visit(const E&)` with the decoded event if its type is in `Events`, and says whether it was. Throws UndecodableEvent.
template <class Events, class Visitor>
bool decode_one_of(const RecordedEvent& event, Visitor&& visit) {
  bool found = false;
  boost::mp11::mp_for_each<boost::mp11::mp_transform<std::type_identity, Events>>([&](auto identity) {
    using E = typename decltype(identity)::type;
    if (found || event.type != type_name<E>()) return;
    found = true;
    visit(decode_as<E>(event));
  });
  return found;
}

/// Any event, decoded.
using AnyEvent = boost::mp11::mp_rename<AllEvents, std::variant>;

/// Decodes by the stored type. Throws UndecodableEvent, also for a type that this program does not know.
AnyEvent decode(const RecordedEvent& event);

/// The data of an event as the log keeps it: sparse camelCase JSON.
template <class E>
std::string encode(const E& event) {
  std::string data;
  json::write_sparse(data, event);
  return data;
}

}  // namespace bloomwatch
