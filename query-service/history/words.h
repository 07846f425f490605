// An event as a change that people read: what was there before, what is there now, and a sentence. Texts are opened here and nowhere else.
// Pure. A new event that has no words does not compile (words.cpp).
#pragma once

#include <map>
#include <optional>
#include <string>

#include "events/codec.h"
#include "query-service/keyring.h"

namespace bloomwatch {

/// Names of today; none: forgotten. Who is not there is not to be named.
using NamesOfPeople = std::map<ProfileId, std::optional<std::string>>;

/// What is told beside an event.
struct Scene {
  const AnyEvent& event;
  const AnyEvent* before = nullptr;  ///< what gave the thing its value before; null: nothing did
  std::optional<ProfileId> actor = {};
  std::optional<ProfileId> person = {};
  std::optional<std::string> title = {};  ///< of the anime
  const NamesOfPeople& names;
  const Keyring& keys;
};

/// Before and after are JSON. A text whose author is forgotten is null, and `forgotten` says that there was one.
struct Telling {
  std::string before = "null";
  std::string after = "null";
  std::string summary;
  bool forgotten = false;
};

Telling tell(const Scene& scene);

}  // namespace bloomwatch
