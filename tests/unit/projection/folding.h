// Given a list of events, which rows? Folds without a database: the chassis's tables on their own know every row.
#pragma once

#include <gtest/gtest.h>

#include <string>

#include "projector/model.h"

namespace bloomwatch::test {

inline Uuid uuid_of(std::uint8_t kind, std::uint8_t number) {
  Uuid uuid;
  uuid.bytes[0] = kind;
  uuid.bytes[8] = kind;
  uuid.bytes[15] = number;
  return uuid;
}
inline ProfileId person(std::uint8_t number) { return ProfileId(uuid_of(1, number)); }
inline WatchSpaceId space(std::uint8_t number = 1) { return WatchSpaceId(uuid_of(2, number)); }
inline AnimeId anime(std::uint8_t number) { return AnimeId(uuid_of(3, number)); }
inline TitleId title(std::uint8_t number) { return TitleId(uuid_of(4, number)); }
inline WatchSessionId evening(std::uint8_t number) { return WatchSessionId(uuid_of(5, number)); }
inline UserId account(std::uint8_t number) { return UserId(uuid_of(1, number)); }
inline Time minute(int minutes) { return Time(std::chrono::minutes(minutes)); }

/// A model that events happen to, one after another, a minute apart.
template <class Model>
class Folding {
 public:
  Model model;

  template <class E>
  Folding& happens(const Uuid& stream, const Uuid& partition_key, const E& event, std::int16_t partition = 7) {
    Meta meta;
    meta.position = ++position_;
    meta.event_id = event_at(position_);
    meta.stream = {"", stream};
    meta.version = ++versions_[stream];
    meta.partition_key = PartitionKey(partition_key);
    meta.partition = partition;
    meta.recorded_at = minute(static_cast<int>(position_));
    meta.by.profile = by;
    meta.by.origin.kind = origin;
    meta.undoes = std::exchange(undoes_, {});
    projection::fold(model, AnyEvent(event), meta);
    return *this;
  }
  template <class E>
  Folding& in_anime(std::uint8_t number, const E& event, WatchSpaceId where = space()) {
    return happens(anime(number).uuid, where.uuid, event);
  }
  template <class E>
  Folding& in_space(const E& event, WatchSpaceId where = space()) {
    return happens(where.uuid, where.uuid, event);
  }
  Folding& added(std::uint8_t number, TrackingStatus status = TrackingStatus::backlog, WatchSpaceId where = space()) {
    AnimeAdded event;
    event.watch_space = where;
    event.title = title(number);
    event.media = {"anilist", "154587"};
    event.shared_status = status;
    return in_anime(number, event, where);
  }
  Folding& rated(std::uint8_t number, ProfileId profile, std::int16_t tenths, WatchSpaceId where = space()) {
    return in_anime(number, AnimeRated{.profile = profile, .title = title(number), .score_tenths = tenths}, where);
  }

  /// The next event undoes the one at the position.
  Folding& undoing(Position position) {
    undoes_ = event_at(position);
    return *this;
  }

  ProfileId by = person(1);
  OriginKind origin = OriginKind::app;

 private:
  static EventId event_at(Position position) { return EventId(uuid_of(6, static_cast<std::uint8_t>(position))); }

  std::optional<EventId> undoes_;
  Position position_ = 0;
  std::map<Uuid, Version> versions_;
};

}  // namespace bloomwatch::test
