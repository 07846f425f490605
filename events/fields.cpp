// The fields of all events, the other way round.
#include "events/fields.h"

#include <map>
#include <set>

namespace bloomwatch {
namespace {

struct Names {
  std::map<std::string, std::vector<std::string>, std::less<>> types_by_field;
  std::set<std::string, std::less<>> types;
};

const Names& all_names() {
  static const Names made = [] {
    Names all;
    boost::mp11::mp_for_each<boost::mp11::mp_transform<std::type_identity, AllEvents>>([&]<class E>(std::type_identity<E>) {
      all.types_by_field[std::string(field<E>)].emplace_back(type_name<E>());
      all.types.emplace(type_name<E>());
    });
    return all;
  }();
  return made;
}

}  // namespace

std::vector<std::string> types_of_field(std::string_view field) {
  const auto found = all_names().types_by_field.find(field);
  return found == all_names().types_by_field.end() ? std::vector<std::string>{} : found->second;
}

std::expected<EventTypeName, std::string> EventTypeName::from(Wire wire) {
  if (!all_names().types.contains(wire)) return std::unexpected("must be a type of events, such as AnimeRated");
  return EventTypeName{std::move(wire)};
}

std::expected<EventTypeNames, std::string> EventTypeNames::from(const Wire& wire) {
  if (wire.size() > event_types_max) return std::unexpected("must be at most " + std::to_string(event_types_max) + " types");
  EventTypeNames types;
  for (const EventTypeName& type : wire) types.names.push_back(type.name);
  return types;
}

EventTypeNames::Wire EventTypeNames::wire() const {
  Wire wire;
  for (const std::string& name : names) wire.push_back({name});
  return wire;
}

std::expected<FieldName, std::string> FieldName::from(Wire wire) {
  if (!all_names().types_by_field.contains(wire)) return std::unexpected("must be a field of history, such as rating");
  return FieldName{std::move(wire)};
}

}  // namespace bloomwatch
