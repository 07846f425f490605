// From rows of `tracking` to answers.
#include "query-service/tracking/rows.h"

#include <algorithm>
#include <stdexcept>

namespace bloomwatch {
namespace {

namespace column = tracking_column;
using OptionalText = std::optional<std::string_view>;

/// A date as the fold keeps it.
std::optional<PartialDate> date_of(const std::optional<std::string_view>& text) {
  if (!text) return std::nullopt;
  auto date = json::read<PartialDate>(*text);
  if (!date) throw std::runtime_error("a date of read_tracking.entries is none");
  return *date;
}

}  // namespace

PageSql::Columns tracking_columns() {
  return {{"id2", "uuid"},   {"id3", "uuid"},   {"at1", "timestamptz"}, {"at2", "timestamptz"}, {"at3", "timestamptz"}, {"n1", "integer"},
          {"n2", "integer"}, {"n3", "integer"}, {"n4", "integer"},      {"n5", "integer"},      {"t1", "text"},         {"t2", "text"},
          {"t3", "text"},    {"t4", "text"},    {"t5", "text"},         {"t6", "text"},         {"t7", "text"},         {"t8", "text"},
          {"t9", "text"},    {"t10", "text"},   {"t11", "text"},        {"t12", "text"},        {"j1", "jsonb"},        {"j2", "jsonb"}};
}

PageSql::Values anime_values(std::string_view version) {
  return {{"id", "a.anime"},
          {"number", std::string(version)},
          {"text", "a.preferred_title"},
          {"id2", "a.title"},
          {"id3", "a.added_by"},
          {"at1", "a.added_at"},
          {"at2", "a.updated_at"},
          {"n1", "a.episode_count"},
          {"n2", "a.episode_minutes"},
          {"n3", "a.season_year"},
          {"n4", "a.shared_episodes"},
          {"n5", "a.session_count"},
          {"t1", "a.media_source"},
          {"t2", "a.media_id"},
          {"t3", "a.english"},
          {"t4", "a.native"},
          {"t5", "a.cover_image_url"},
          {"t6", "a.format"},
          {"t7", "a.season"},
          {"t8", "a.shared_status"},
          {"t9", "a.mood"},
          {"t10", "a.vibe"},
          {"t11", "a.pitch"},
          {"t12", "a.sort_title"}};
}

PageSql::Values entry_values(const std::string& of_anime) {
  return {{"id", of_anime},        {"number", "e.version"}, {"text", "e.status"},        {"id2", "e.profile"},
          {"at2", "e.updated_at"}, {"n1", "e.episodes"},    {"n2", "e.times_rewatched"}, {"n3", "e.score_tenths::integer"},
          {"t1", "e.notes"},       {"j1", "e.started_on"},  {"j2", "e.finished_on"}};
}

PageSql::Values session_values() {
  return {{"id", "s.session"},       {"number", "s.version"}, {"text", "s.time_zone"}, {"id2", "s.anime"},        {"id3", "s.created_by"},
          {"at1", "s.session_date"}, {"at2", "s.updated_at"}, {"at3", "s.created_at"}, {"n1", "s.start_episode"}, {"n2", "s.end_episode"},
          {"t1", "s.notes"},         {"t2", "s.precision"},   {"j1", "s.participants"}};
}

void show_anime(const pg::Row& row, WatchSpaceId space, const Keyring& keys, AnimeFields& into) {
  const auto source = row.get<std::string_view>(column::t1);
  const auto media_id = row.get<std::string_view>(column::t2);
  into.id = row.get<AnimeId>(PageRows::id_column);
  into.watch_space_id = space;
  into.title_id = row.get<TitleId>(column::id2);
  into.anilist_media_id = anilist_media_id(source, media_id);
  into.media = media_answer(source, media_id);
  into.preferred_title = row.get<std::string_view>(PageRows::text_column);
  into.preferred_title_english = row.get<OptionalText>(column::t3);
  into.preferred_title_native = row.get<OptionalText>(column::t4);
  into.episode_count = row.get<std::optional<std::int32_t>>(column::n1);
  into.episode_minutes = row.get<std::optional<std::int32_t>>(column::n2);
  into.cover_image_url = row.get<OptionalText>(column::t5);
  into.format = row.get<OptionalText>(column::t6);
  into.season = row.get<OptionalText>(column::t7);
  into.season_year = row.get<std::optional<std::int32_t>>(column::n3);
  into.shared_status = row.get<std::string_view>(column::t8);
  into.shared_episodes_watched = row.get<std::int32_t>(column::n4);
  into.mood = keys.open(row.get<OptionalText>(column::t9));
  into.vibe = keys.open(row.get<OptionalText>(column::t10));
  into.pitch = keys.open(row.get<OptionalText>(column::t11));
  into.added_by = row.get<ProfileId>(column::id3);
  into.added_at = row.get<Time>(column::at1);
  into.updated_at = row.get<Time>(column::at2);
  into.version = row.get<Version>(PageRows::number_column);
  into.session_count = row.get<std::int32_t>(column::n5);
}

ParticipantAnswer show_entry(const pg::Row& row, const Keyring& keys) {
  ParticipantAnswer entry;
  entry.user_id = row.get<ProfileId>(column::id2);
  entry.status = row.get<std::string_view>(PageRows::text_column);
  entry.episodes_watched = row.get<std::int32_t>(column::n1);
  entry.started_on = date_of(row.get<OptionalText>(column::j1));
  entry.finished_on = date_of(row.get<OptionalText>(column::j2));
  entry.times_rewatched = row.get<std::int32_t>(column::n2);
  if (const auto tenths = row.get<std::optional<std::int32_t>>(column::n3)) entry.score = points(*tenths);
  entry.notes = keys.open(row.get<OptionalText>(column::t1));
  entry.updated_at = row.get<Time>(column::at2);
  return entry;
}

WatchSessionAnswer show_session(const pg::Row& row, const std::vector<ProfileId>& members, const Keyring& keys) {
  WatchSessionAnswer session;
  session.id = row.get<WatchSessionId>(PageRows::id_column);
  session.session_date = row.get<Time>(column::at1);
  session.precision = row.get<std::string_view>(column::t2);
  session.time_zone = row.get<std::string_view>(PageRows::text_column);
  session.start_episode = row.get<std::int32_t>(column::n1);
  session.end_episode = row.get<std::int32_t>(column::n2);
  session.notes = keys.open(row.get<OptionalText>(column::t1));
  const auto attendees = json::read<std::vector<Attendee>>(row.get<std::string_view>(column::j1), json::Unknown::ignored);
  if (!attendees) throw std::runtime_error("the participants of a row of read_tracking.sessions are unreadable");
  for (const Attendee& attendee : *attendees)
    if (std::ranges::find(members, attendee.profile) != members.end())
      session.participants.push_back({attendee.profile, json::name_of(attendee.attendance)});
  session.created_by = row.get<ProfileId>(column::id3);
  session.created_at = row.get<Time>(column::at3);
  session.updated_at = row.get<Time>(column::at2);
  session.version = row.get<Version>(PageRows::number_column);
  return session;
}

}  // namespace bloomwatch
