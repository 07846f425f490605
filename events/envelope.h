// The envelope: what the log knows of every event besides its data. One shape for the log, the feeds, the codec and the folds.
// Plain values. An event's data is its described struct (events/<context>.h) as sparse camelCase JSON.
#pragma once

#include <boost/describe.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "events/ids.h"
#include "runtime/time.h"

namespace bloomwatch {

/// Names a stream: the events of one aggregate. Written `<category>-<uuid>`, e.g. `watch-space-0190…`.
/// `category` points into static storage (an aggregate's `category`).
struct StreamName {
  std::string_view category;
  Uuid id;

  auto operator<=>(const StreamName&) const = default;
  std::string to_string() const { return std::string(category) + '-' + id.to_string(); }
};

/// By which door a command came in. A push to a provider never echoes what came from there.
enum class OriginKind { app, token, import, scrobble, sync, policy, undo };
BOOST_DESCRIBE_ENUM(OriginKind, app, token, import, scrobble, sync, policy, undo)

/// Where a command came from; provider and reference (an import's id, a webhook's id) only where they say something.
struct Origin {
  OriginKind kind = OriginKind::app;
  std::optional<std::string> provider = {};
  std::optional<std::string> reference = {};
};
BOOST_DESCRIBE_STRUCT(Origin, (), (kind, provider, reference))

/// What all events of one command share.
struct CommandContext {
  std::optional<UserId> account = {};     ///< who did it; nobody: the system
  std::optional<ProfileId> profile = {};  ///< as which of their profiles
  Origin origin = {};
  CommandId command = {};
  CorrelationId correlation = {};
  std::optional<EventId> causation = {};  ///< the event that led to the command, if one did
};

/// An event's envelope as readers see it, without type and data.
struct Meta {
  Position position = 0;
  StreamName stream = {};
  Version version = 0;
  EventId event_id = {};
  PartitionKey partition_key = {};
  std::int16_t partition = 0;
  Time recorded_at = {};
  CommandContext by = {};
  std::optional<EventId> undoes = {};

  /// The stream's id as the strong id that the aggregate is known by: `meta.key<AnimeId>()`.
  template <class IdType>
  IdType key() const {
    return IdType(stream.id);
  }
};

/// An event as the log and the feeds carry it: envelope, type and undecoded data.
struct RecordedEvent {
  Meta meta;
  std::string type;        ///< the struct's C++ name, `AnimeRated`
  int schema_version = 1;  ///< of the data's shape
  std::string data;        ///< JSON object text
};

/// An event on its way into the log; its position follows from the batch, its partition from the key.
struct NewEvent {
  StreamName stream = {};
  Version version = 0;
  std::string_view type = {};  ///< static storage
  int schema_version = 1;
  EventId event_id = {};
  PartitionKey partition_key = {};
  Time recorded_at = {};
  CommandContext by = {};
  std::optional<EventId> undoes = {};
  std::string data = {};
  bool always_fits = false;  ///< also where the stream is full; see always_fits() in codec.h. Not stored
};

}  // namespace bloomwatch

template <>
struct std::hash<bloomwatch::StreamName> {
  std::size_t operator()(const bloomwatch::StreamName& name) const noexcept {
    return std::hash<bloomwatch::Uuid>{}(name.id) ^ std::hash<std::string_view>{}(name.category);
  }
};
