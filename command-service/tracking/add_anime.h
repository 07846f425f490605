// A member adds a title to a space, once.
#pragma once

#include <array>
#include <string_view>

#include "command-service/decision.h"
#include "command-service/spaces/watch_space.h"
#include "command-service/tracking/tracked_anime.h"
#include "command-service/values.h"

namespace bloomwatch {

/// Refused, in this order: no_such_space, media_not_named (neither or both of anilist_media_id and media), already_tracked, no_such_title
/// (an id of the catalogue's that it does not have).
/// The space starts at no episode; members start as everyone does who has said nothing. The title is the catalogue's where that knows the
/// reference, and so is what the client leaves out of the snapshot.
struct AddAnime {
  WatchSpaceId watch_space = {};
  std::optional<AniListMediaId> anilist_media_id = {};  ///< the same as media `{"source": "anilist", "id": …}`
  std::optional<Media> media = {};
  std::optional<TitleText> preferred_title = {};  ///< kept as the romaji title
  std::optional<TitleText> preferred_title_english = {};
  std::optional<TitleText> preferred_title_native = {};
  std::optional<EpisodeCount> episode_count = {};
  std::optional<EpisodeMinutes> episode_minutes = {};
  std::optional<Url> cover_image_url = {};
  std::optional<FormatText> format = {};
  std::optional<Season> season = {};
  std::optional<SeasonYear> season_year = {};
  std::optional<TrackingStatus> shared_status = {};  ///< none: backlog
  std::optional<Mood> mood = {};
  std::optional<Vibe> vibe = {};
  std::optional<Pitch> pitch = {};
  Minted<AnimeId> anime = {};
  /// The reference; nothing if neither or both are given.
  std::optional<MediaReference> reference() const;

  static constexpr bool creates = true;
  static constexpr std::array<std::string_view, 2> one_of = {"anilistMediaId", "media"};  ///< told with all else that is wrong with a body
  using Added = Decision<AnimeAdded, MoodChanged, VibeChanged, PitchChanged>;
  Added decide(const Actor& by, TrackedAnime tracked, const WatchSpace& space) const;

 private:
  TitleSnapshot snapshot() const;
};
BOOST_DESCRIBE_STRUCT(AddAnime, (),
                      (watch_space, anilist_media_id, media, preferred_title, preferred_title_english, preferred_title_native,
                       episode_count, episode_minutes, cover_image_url, format, season, season_year, shared_status, mood, vibe, pitch,
                       anime))

}  // namespace bloomwatch
