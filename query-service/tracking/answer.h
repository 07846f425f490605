// An anime of a space, its participants and its watch sessions as pages show them. Texts are views into
// the rows that they came from, but for those that had to be opened.
#pragma once

#include <boost/describe.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "events/tracking.h"
#include "query-service/media_answer.h"
#include "runtime/json.h"

namespace bloomwatch {

struct ParticipantAnswer {
  ProfileId user_id;
  std::string_view status = "backlog";
  std::int32_t episodes_watched = 0;
  std::optional<PartialDate> started_on = {};
  std::optional<PartialDate> finished_on = {};
  std::int32_t times_rewatched = 0;
  std::optional<double> score = {};  ///< points of the ten-scale
  std::optional<std::string> notes = {};
  std::optional<Time> updated_at = {};  ///< null: has done nothing yet
};
BOOST_DESCRIBE_STRUCT(ParticipantAnswer, (),
                      (user_id, status, episodes_watched, started_on, finished_on, times_rewatched, score, notes, updated_at))

/// What is said of an anime on every page.
struct AnimeFields {
  AnimeId id;
  WatchSpaceId watch_space_id;
  TitleId title_id;
  std::optional<std::int64_t> anilist_media_id = {};
  MediaAnswer media = {};
  std::string_view preferred_title = {};
  std::optional<std::string_view> preferred_title_english = {};
  std::optional<std::string_view> preferred_title_native = {};
  std::optional<std::int32_t> episode_count = {};
  std::optional<std::int32_t> episode_minutes = {};
  std::optional<std::string_view> cover_image_url = {};
  std::optional<std::string_view> format = {};
  std::optional<std::string_view> season = {};
  std::optional<std::int32_t> season_year = {};
  std::string_view shared_status = {};
  std::int32_t shared_episodes_watched = 0;
  std::optional<std::string> mood = {};
  std::optional<std::string> vibe = {};
  std::optional<std::string> pitch = {};
  ProfileId added_by = {};
  Time added_at = {};
  Time updated_at = {};
  Version version = 0;
  std::int64_t session_count = 0;
};
BOOST_DESCRIBE_STRUCT(AnimeFields, (),
                      (id, watch_space_id, title_id, anilist_media_id, media, preferred_title, preferred_title_english,
                       preferred_title_native, episode_count, episode_minutes, cover_image_url, format, season, season_year, shared_status,
                       shared_episodes_watched, mood, vibe, pitch, added_by, added_at, updated_at, version, session_count))

/// Every current member is a participant, in the order of their joining.
struct AnimeAnswer : AnimeFields {
  std::vector<ParticipantAnswer> participants = {};
};
BOOST_DESCRIBE_STRUCT(AnimeAnswer, (AnimeFields), (participants))

/// An anime on its own page: which others of the space turned out to be the same title.
struct OneAnimeAnswer : AnimeAnswer {
  std::vector<AnimeId> same_title_as = {};
};
BOOST_DESCRIBE_STRUCT(OneAnimeAnswer, (AnimeAnswer), (same_title_as))

struct AttendeeAnswer {
  ProfileId user_id;
  std::string_view attendance;
};
BOOST_DESCRIBE_STRUCT(AttendeeAnswer, (), (user_id, attendance))

struct WatchSessionAnswer {
  WatchSessionId id;
  Time session_date;
  std::string_view precision;
  std::string_view time_zone;
  std::int32_t start_episode = 0;
  std::int32_t end_episode = 0;
  std::optional<std::string> notes = {};
  std::vector<AttendeeAnswer> participants = {};
  ProfileId created_by = {};
  Time created_at = {};
  Time updated_at = {};
  Version version = 0;  ///< of its anime's stream, when this last changed
};
BOOST_DESCRIBE_STRUCT(WatchSessionAnswer, (),
                      (id, session_date, precision, time_zone, start_episode, end_episode, notes, participants, created_by, created_at,
                       updated_at, version))

/// Tenths as points of the ten-scale: 85 is 8.5.
constexpr double points(std::int64_t tenths) { return static_cast<double>(tenths) / 10.0; }
/// The mean of `count` scores, at least one, as points to two decimals, halves away from zero.
constexpr double mean_points(std::int64_t sum_tenths, std::int64_t count) {
  const std::int64_t hundredths = (20 * sum_tenths + count) / (2 * count);
  return static_cast<double>(hundredths) / 100.0;
}

}  // namespace bloomwatch
