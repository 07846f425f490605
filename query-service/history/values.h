// What an event says of the thing that it changed, as JSON and in words. An event may give several things a value (a space's making gives
// its name, too): which is asked for by its field.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "events/codec.h"
#include "query-service/keyring.h"

namespace bloomwatch {

struct ChangeValue {
  std::string json = "null";
  std::string words = {};
  bool forgotten = false;  ///< there was a text; its author is forgotten

  bool there() const { return json != "null" || forgotten; }
};

/// What the event gives the thing that `field` names, of `person` where it is a person's own; nothing if it takes the value away.
ChangeValue value_in(const AnyEvent& event, std::string_view field, const std::optional<ProfileId>& person, const Keyring& keys);

/// What holds of a thing that no event has given a value yet.
ChangeValue initial_value(const AnyEvent& event);

}  // namespace bloomwatch
