// An anime as AniList describes it and as clients get it. What "add anime" takes has the names that it has there. Everything but the id
// may be unknown.
#pragma once

#include <boost/describe.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "events/partial_date.h"
#include "runtime/time.h"

namespace bloomwatch::anilist {

struct AiringEpisode {
  Time airing_at;
  std::int32_t episode = 0;
};
BOOST_DESCRIBE_STRUCT(AiringEpisode, (), (airing_at, episode))

/// What a search answers of each.
struct MediaSummary {
  std::int32_t anilist_media_id = 0;
  std::optional<std::int32_t> mal_media_id = {};
  std::string preferred_title = {};  ///< romaji, else english, else native, else the reference in words: never empty
  std::optional<std::string> preferred_title_english = {};
  std::optional<std::string> preferred_title_native = {};
  std::vector<std::string> synonyms = {};
  std::optional<std::string> format = {};  ///< as AniList says: TV, TV_SHORT, MOVIE, SPECIAL, OVA, ONA, MUSIC
  std::optional<std::string> status = {};  ///< finished, releasing, not-yet-released, cancelled, hiatus
  std::optional<std::int32_t> episode_count = {};
  std::optional<std::int32_t> episode_minutes = {};
  std::optional<std::string> season = {};  ///< winter, spring, summer, fall
  std::optional<std::int32_t> season_year = {};
  std::vector<std::string> genres = {};
  std::optional<std::int32_t> average_score = {};  ///< 1–100
  std::optional<std::int32_t> popularity = {};     ///< how many lists it is on
  std::optional<std::string> cover_image_url = {};
  std::optional<AiringEpisode> next_airing_episode = {};
  bool is_adult = false;
};
BOOST_DESCRIBE_STRUCT(MediaSummary, (),
                      (anilist_media_id, mal_media_id, preferred_title, preferred_title_english, preferred_title_native, synonyms, format,
                       status, episode_count, episode_minutes, season, season_year, genres, average_score, popularity, cover_image_url,
                       next_airing_episode, is_adult))

/// All that is asked about one.
struct Media : MediaSummary {
  std::optional<std::string> description = {};  ///< as AniList has it, with HTML tags in it: text to clients, never markup
  std::optional<std::string> cover_image_medium_url = {};
  std::optional<std::string> banner_image_url = {};
  std::optional<PartialDate> start_date = {};
  std::optional<PartialDate> end_date = {};
  std::vector<std::string> studios = {};
  std::optional<std::string> site_url = {};
  std::optional<Time> source_updated_at = {};
};
BOOST_DESCRIBE_STRUCT(Media, (MediaSummary),
                      (description, cover_image_medium_url, banner_image_url, start_date, end_date, studios, site_url, source_updated_at))

/// One of AniList's pages of a search.
struct SearchPage {
  std::vector<MediaSummary> items = {};
  bool has_next = false;
};

}  // namespace bloomwatch::anilist
