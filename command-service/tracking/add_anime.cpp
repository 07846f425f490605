// The decision about a new title in a space.
#include "command-service/tracking/add_anime.h"

#include <boost/describe/enum_to_string.hpp>

#include "command-service/catalog/refusals.h"
#include "command-service/spaces/access.h"
#include "command-service/tracking/refusals.h"
#include "command-service/tracking/sealing.h"

namespace bloomwatch {

using tracking::Refusal;

namespace {

template <class T>
std::optional<typename T::Wire> wire_of(const std::optional<T>& value) {
  if (!value) return std::nullopt;
  return value->wire();
}

}  // namespace

std::optional<MediaReference> AddAnime::reference() const {
  if (anilist_media_id.has_value() == media.has_value()) return std::nullopt;
  if (media) return media->reference();
  return MediaReference{.source = "anilist", .id = std::to_string(anilist_media_id->value())};
}

TitleSnapshot AddAnime::snapshot() const {
  TitleSnapshot snapshot{.romaji = wire_of(preferred_title),
                         .english = wire_of(preferred_title_english),
                         .native = wire_of(preferred_title_native),
                         .episode_count = wire_of(episode_count),
                         .episode_minutes = wire_of(episode_minutes),
                         .cover_image_url = wire_of(cover_image_url),
                         .format = wire_of(format),
                         .season_year = wire_of(season_year)};
  if (season) snapshot.season = boost::describe::enum_to_string(*season, "");
  return snapshot;
}

AddAnime::Added AddAnime::decide(const Actor& by, TrackedAnime tracked, const WatchSpace& space) const {
  if (const auto refused = spaces::refuse_strangers(by, space)) return *refused;
  const auto named = reference();
  if (!named) return refuse(Refusal::media_not_named);
  if (tracked.held && tracked.id == anime->uuid && tracked->watch_space) return nothing;
  if (tracked.held) return refuse(Refusal::already_tracked);
  if (named->source == own_source && tracked.described == nullptr) return refuse(catalog::Refusal::no_such_title);
  AnimeAdded added{.watch_space = watch_space,
                   .title = tracked.title,
                   .title_claim = tracked.title_claim,
                   .media = *named,
                   .snapshot = snapshot(),
                   .snapshot_source = "client",
                   .shared_status = shared_status.value_or(TrackingStatus::backlog)};
  complete_snapshot(added, tracked.described);
  Added decision(std::move(added));
  decision.take(tracked.title_claim);
  if (mood) decision.add(MoodChanged{.mood = tracking::sealed(by, mood)});
  if (vibe) decision.add(VibeChanged{.vibe = tracking::sealed(by, vibe)});
  if (pitch) decision.add(PitchChanged{.pitch = tracking::sealed(by, pitch)});
  return decision;
}

}  // namespace bloomwatch
