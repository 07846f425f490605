// Decoding any event by its stored type: one table from names to decoders, made from the list of all events.
#include "events/codec.h"

namespace bloomwatch {

void throw_undecodable(const RecordedEvent& event, std::string_view why) {
  throw UndecodableEvent("event " + std::to_string(event.meta.position) + " (" + event.type + " version " +
                         std::to_string(event.schema_version) + ") cannot be decoded: " + std::string(why));
}

AnyEvent decode(const RecordedEvent& event) {
  using Decoder = AnyEvent (*)(const RecordedEvent&);
  static const auto decoders = [] {
    std::unordered_map<std::string_view, Decoder> table;
    boost::mp11::mp_for_each<boost::mp11::mp_transform<std::type_identity, AllEvents>>([&](auto identity) {
      using E = typename decltype(identity)::type;
      table.emplace(type_name<E>(), [](const RecordedEvent& recorded) -> AnyEvent { return decode_as<E>(recorded); });
    });
    return table;
  }();
  const auto decoder = decoders.find(event.type);
  if (decoder == decoders.end()) throw_undecodable(event, "no such type is known");
  return decoder->second(event);
}

}  // namespace bloomwatch
