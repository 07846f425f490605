// The JSON of every event, both ways, in two tables made from the list of all events.
#include "events/codec.h"

#include <array>
#include <unordered_map>

#include "runtime/json.h"

namespace bloomwatch {
namespace {

template <class E>
AnyEvent decode_as(const RecordedEvent& event) {
  auto decoded = [&]() -> std::expected<E, json::FieldErrors> {
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

template <class E>
std::string encode_as(const void* event) {
  std::string data;
  json::write_sparse(data, *static_cast<const E*>(event));
  return data;
}

}  // namespace

void throw_undecodable(const RecordedEvent& event, std::string_view why) {
  throw UndecodableEvent("event " + std::to_string(event.meta.position) + " (" + event.type + " version " +
                         std::to_string(event.schema_version) + ") cannot be decoded: " + std::string(why));
}

AnyEvent decode(const RecordedEvent& event) {
  using Decoder = AnyEvent (*)(const RecordedEvent&);
  static const auto decoders = []<class... Es>(boost::mp11::mp_list<Es...>) {
    return std::unordered_map<std::string_view, Decoder>{{type_name<Es>(), &decode_as<Es>}...};
  }(AllEvents{});
  const auto decoder = decoders.find(event.type);
  if (decoder == decoders.end()) throw_undecodable(event, "no such type is known");
  return decoder->second(event);
}

std::string encode_at(std::size_t index, const void* event) {
  using Encoder = std::string (*)(const void*);
  static constexpr auto encoders = []<class... Es>(boost::mp11::mp_list<Es...>) {
    return std::array<Encoder, sizeof...(Es)>{&encode_as<Es>...};
  }(AllEvents{});
  return encoders.at(index)(event);
}

}  // namespace bloomwatch
