// From described structs to what the log stores and back: an event's C++ name is its stored type, its members in camelCase its JSON.
// Decoding is total: an event once written always decodes, so a failure here is a corrupt log or a missing upcaster, told as such.
// The JSON of all events is compiled once, in codec.cpp. To change an event's shape: raise its `schema_version` member, and give
// `upcast(E, std::string data, int from)` beside it.
#pragma once

#include <boost/mp11/algorithm.hpp>
#include <boost/mp11/list.hpp>
#include <cstddef>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "events/accounts.h"
#include "events/audit.h"
#include "events/catalog.h"
#include "events/envelope.h"
#include "events/recaps.h"
#include "events/spaces.h"
#include "events/tracking.h"

namespace bloomwatch {

/// Every event there is: a new context adds its list here.
using AllEvents =
    boost::mp11::mp_append<UserEvents, LoginSessionEvents, WatchSpaceEvents, AnimeEvents, TitleEvents, RecapShareEvents, AuditQueryEvents>;

/// Where a type is in a list, that it must be in. Folded, since mp_find, which stops at it, makes a class for each step of each search.
template <class E, class... Events>
constexpr std::size_t index_in(boost::mp11::mp_list<Events...>) {
  std::size_t index = 0;
  static_cast<void>(((std::is_same_v<E, Events> || (++index, false)) || ...));
  return index;
}

template <class E>
inline constexpr std::size_t index_of_event = index_in<E>(AllEvents());

/// Any event, decoded: one of AllEvents. Copies share it; it does not change. No variant, whose tables of functions for all events cost
/// more to compile, in every file that holds one, than all else in it.
class AnyEvent {
 public:
  template <class E>
    requires boost::mp11::mp_contains<AllEvents, E>::value
  AnyEvent(E event) : index_(index_of_event<E>), event_(std::make_shared<const E>(std::move(event))) {}

  /// The event if it is an E, else null.
  template <class E>
  const E* get_if() const {
    return index_ == index_of_event<E> ? static_cast<const E*>(event_.get()) : nullptr;
  }

 private:
  std::size_t index_;
  std::shared_ptr<const void> event_;
};

/// Calls `visit(const E&)` with the event if its type is in the list `Events`, and says whether it was.
template <class Events, class Visitor>
bool visit_one_of(const AnyEvent& event, Visitor&& visit) {
  const auto is_one = [&](const auto* found) { return found != nullptr && (visit(*found), true); };
  return [&]<class... E>(boost::mp11::mp_list<E...>) {
    return (is_one(event.get_if<E>()) || ...);
  }(boost::mp11::mp_rename<Events, boost::mp11::mp_list>());
}

/// What `visit(const E&)` says of the event, whichever it is.
template <class Visitor>
auto visit_event(const AnyEvent& event, Visitor&& visit) {
  std::optional<std::invoke_result_t<Visitor&, const boost::mp11::mp_front<AllEvents>&>> said;
  visit_one_of<AllEvents>(event, [&](const auto& e) { said.emplace(visit(e)); });
  return std::move(said).value();
}

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

/// Whether the event is appended to a stream that is full, too: who leaves, removes or locks out somebody, or agrees no more, can always do
/// so, however much was written before. So says a member `always_fits`, a function where not every such event does. Only for what cannot be
/// repeated without an event that does not always fit, or by those alone whom it harms, or the operator: for these the room beyond the
/// limit is bounded, too.
template <class E>
constexpr bool always_fits(const E& event) {
  if constexpr (requires { event.always_fits(); })
    return event.always_fits();
  else if constexpr (requires { E::always_fits; })
    return E::always_fits;
  else
    return false;
}

/// An event whose type or data this program cannot read: it is older than the log, or the log is corrupt.
struct UndecodableEvent : std::runtime_error {
  using std::runtime_error::runtime_error;
};

[[noreturn]] void throw_undecodable(const RecordedEvent& event, std::string_view why);

/// Decodes by the stored type. Throws UndecodableEvent, also for a type that this program does not know.
AnyEvent decode(const RecordedEvent& event);

/// Calls `visit(const E&)` with the decoded event if its type is in `Events`, and says whether it was. Throws UndecodableEvent.
template <class Events, class Visitor>
bool decode_one_of(const RecordedEvent& event, Visitor&& visit) {
  return visit_one_of<Events>(decode(event), std::forward<Visitor>(visit));
}

/// The data of an event as the log keeps it: sparse camelCase JSON. `event` points to the struct at `index` of AllEvents.
std::string encode_at(std::size_t index, const void* event);

template <class E>
std::string encode(const E& event) {
  return encode_at(index_of_event<E>, &event);
}

}  // namespace bloomwatch
