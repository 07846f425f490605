// What tests of tracking have in common: a space of Mira and Ken that tracks Frieren.
#pragma once

#include "command-service/spaces/refusals.h"
#include "command-service/tracking/anime.h"
#include "command-service/tracking/refusals.h"
#include "tests/decider.h"

namespace bloomwatch::testing {

using tracking::Refusal;
inline constexpr auto no_such_space = spaces::Refusal::no_such_space;

inline const auto anime_id = id_of<AnimeId>("Frieren in our space");
inline const auto elsewhere = id_of<WatchSpaceId>("another space");
inline const TitleId frieren = title_of("anilist", "154587");
inline const ClaimKey frieren_claim = title_claim(space_id, frieren);

inline AnimeAdded frieren_added(std::optional<std::int32_t> episode_count = 28, TrackingStatus shared_status = TrackingStatus::backlog) {
  return {.watch_space = space_id,
          .title = frieren,
          .title_claim = frieren_claim,
          .media = {"anilist", "154587"},
          .snapshot = {.romaji = "Sousou no Frieren", .episode_count = episode_count},
          .snapshot_source = "client",
          .shared_status = shared_status};
}

/// Frieren as tracked, and what happened to it since.
template <class... Events>
Past tracked(const AnimeAdded& added, const Events&... since) {
  return stream<Anime>(anime_id, added, since...).under(space_id.uuid);
}

inline SharedProgressChanged shared_at(std::int32_t episodes, std::optional<WatchSessionId> session = {}) {
  return {.episodes = episodes, .session = session};
}
inline SharedStatusChanged shared_is(TrackingStatus status, std::optional<WatchSessionId> session = {}) {
  return {.status = status, .session = session};
}
inline ParticipantProgressChanged at(const Actor& who, std::int32_t episodes, std::optional<WatchSessionId> session = {}) {
  return {.profile = who.profile, .title = frieren, .episodes = episodes, .session = session};
}
inline ParticipantStatusChanged is(const Actor& who, TrackingStatus status, std::optional<WatchSessionId> session = {}) {
  return {.profile = who.profile, .title = frieren, .status = status, .session = session};
}

/// Every command about an anime is refused to strangers, for another space's anime, and for none.
template <class Command>
void expect_members_only(const Command& command) {
  given(space_of(mira, ken), tracked(frieren_added())).when(command, stranger).refuses(no_such_space);
  given(space_of(mira, ken)).when(command, mira).refuses(Refusal::no_such_anime);
  auto added = frieren_added();
  added.watch_space = elsewhere;
  given(space_of(mira, ken), tracked(added)).when(command, mira).refuses(Refusal::no_such_anime);
}

}  // namespace bloomwatch::testing
