// The fold of `tracking`. What is shared changes the anime's row, what is one participant's their entry, and an evening its own row.
#include "projector/tracking/tracking.h"

#include <algorithm>
#include <array>
#include <utility>

#include "runtime/ascii.h"

namespace bloomwatch {
namespace {

constexpr std::size_t sort_title_bytes_max = 64;

/// How sources are called in words; others as they are.
constexpr std::array<std::pair<std::string_view, std::string_view>, 5> source_names = {
    {{"anilist", "AniList"}, {"mal", "MyAnimeList"}, {"kitsu", "Kitsu"}, {"tmdb", "TMDb"}, {"imdb", "IMDb"}}};

std::string_view name_of_source(std::string_view source) {
  const auto found = std::ranges::find(source_names, source, &std::pair<std::string_view, std::string_view>::first);
  return found == source_names.end() ? source : found->second;
}

AnimeRow& changed_anime(Tracking& model, const Meta& meta) {
  AnimeRow& row = model.anime.at(meta.key<AnimeId>());
  row.updated_at = meta.recorded_at;
  row.version = meta.version;
  return row;
}

/// The participant's entry, made if it is their first; only for an anime that is there.
EntryRow& changed_entry(Tracking& model, ProfileId profile, const Meta& meta) {
  if (model.anime.peek(meta.key<AnimeId>()) == nullptr) throw projection::MissingRow("the event is about an anime that was never added");
  EntryRow& row = model.entries[{meta.key<AnimeId>(), profile}];
  row.updated_at = meta.recorded_at;
  row.version = meta.version;
  return row;
}

SessionRow& changed_session(Tracking& model, WatchSessionId session, const Meta& meta) {
  changed_anime(model, meta);
  SessionRow& row = model.sessions.at(session);
  row.updated_at = meta.recorded_at;
  row.version = meta.version;
  return row;
}

void set_attendance(SessionRow& session, ProfileId profile, Attendance attendance) {
  const auto found = std::ranges::find(session.participants, profile, &Attendee::profile);
  if (found == session.participants.end()) throw projection::MissingRow("the event is about somebody who was not asked to the session");
  found->attendance = attendance;
}

void take_snapshot(AnimeRow& row, const TitleSnapshot& snapshot) {
  row.romaji = snapshot.romaji;
  row.english = snapshot.english;
  row.native = snapshot.native;
  row.episode_count = snapshot.episode_count;
  row.episode_minutes = snapshot.episode_minutes;
  row.cover_image_url = snapshot.cover_image_url;
  row.format = snapshot.format;
  row.season = snapshot.season;
  row.season_year = snapshot.season_year;
}

}  // namespace

std::string preferred_title_of(const TitleSnapshot& snapshot, const MediaReference& media) {
  for (const auto* title : {&snapshot.romaji, &snapshot.english, &snapshot.native})
    if (*title && !(*title)->empty()) return **title;
  return std::string(name_of_source(media.source)) + ' ' + media.id;
}

std::string sort_title_of(std::string_view preferred_title) {
  std::size_t size = std::min(preferred_title.size(), sort_title_bytes_max);
  while (size > 0 && size < preferred_title.size() && (static_cast<unsigned char>(preferred_title[size]) & 0xC0U) == 0x80U) --size;
  return ascii::lower_case(preferred_title.substr(0, size));
}

void Tracking::apply(const AnimeAdded& e, const Meta& meta) {
  AnimeRow& row = anime[meta.key<AnimeId>()];
  row.watch_space = e.watch_space;
  row.title = e.title;
  row.media_source = e.media.source;
  row.media_id = e.media.id;
  take_snapshot(row, e.snapshot);
  row.preferred_title = preferred_title_of(e.snapshot, e.media);
  row.sort_title = sort_title_of(row.preferred_title);
  row.shared_status = e.shared_status;
  row.added_by = meta.by.profile.value_or(ProfileId{});
  row.added_at = meta.recorded_at;
  row.updated_at = meta.recorded_at;
  row.version = meta.version;
  titles.put({e.watch_space, e.title, row.anime});
}

void Tracking::apply(const SharedStatusChanged& e, const Meta& meta) { changed_anime(*this, meta).shared_status = e.status; }

void Tracking::apply(const SharedProgressChanged& e, const Meta& meta) { changed_anime(*this, meta).shared_episodes = e.episodes; }

void Tracking::apply(const MoodChanged& e, const Meta& meta) { changed_anime(*this, meta).mood = e.mood; }

void Tracking::apply(const VibeChanged& e, const Meta& meta) { changed_anime(*this, meta).vibe = e.vibe; }

void Tracking::apply(const PitchChanged& e, const Meta& meta) { changed_anime(*this, meta).pitch = e.pitch; }

void Tracking::apply(const ParticipantStatusChanged& e, const Meta& meta) { changed_entry(*this, e.profile, meta).status = e.status; }

void Tracking::apply(const ParticipantProgressChanged& e, const Meta& meta) { changed_entry(*this, e.profile, meta).episodes = e.episodes; }

void Tracking::apply(const StartDateChanged& e, const Meta& meta) { changed_entry(*this, e.profile, meta).started_on = e.started_on; }

void Tracking::apply(const FinishDateChanged& e, const Meta& meta) { changed_entry(*this, e.profile, meta).finished_on = e.finished_on; }

void Tracking::apply(const TimesRewatchedChanged& e, const Meta& meta) { changed_entry(*this, e.profile, meta).times_rewatched = e.times; }

void Tracking::apply(const AnimeRated& e, const Meta& meta) { changed_entry(*this, e.profile, meta).score_tenths = e.score_tenths; }

void Tracking::apply(const RatingCleared& e, const Meta& meta) { changed_entry(*this, e.profile, meta).score_tenths.reset(); }

void Tracking::apply(const RatingNotesChanged& e, const Meta& meta) { changed_entry(*this, e.profile, meta).notes = e.notes; }

void Tracking::apply(const WatchSessionRecorded& e, const Meta& meta) {
  AnimeRow& shared = changed_anime(*this, meta);
  ++shared.session_count;
  SessionRow& row = sessions[e.session];
  row.anime = shared.anime;
  row.watch_space = shared.watch_space;
  row.session_date = e.session_date;
  row.precision = e.precision;
  row.time_zone = e.time_zone;
  row.start_episode = e.start_episode;
  row.end_episode = e.end_episode;
  row.participants = e.participants;
  row.created_by = meta.by.profile.value_or(ProfileId{});
  row.created_at = meta.recorded_at;
  row.updated_at = meta.recorded_at;
  row.version = meta.version;
}

void Tracking::apply(const WatchSessionNotesChanged& e, const Meta& meta) { changed_session(*this, e.session, meta).notes = e.notes; }

void Tracking::apply(const AttendanceConfirmed& e, const Meta& meta) {
  set_attendance(changed_session(*this, e.session, meta), e.profile, Attendance::present);
}

void Tracking::apply(const AttendanceDeclined& e, const Meta& meta) {
  set_attendance(changed_session(*this, e.session, meta), e.profile, Attendance::declined);
}

void Tracking::apply(const AttendanceReopened& e, const Meta& meta) {
  set_attendance(changed_session(*this, e.session, meta), e.profile, Attendance::invited);
}

void Tracking::apply(const WatchSessionRemoved& e, const Meta& meta) {
  SessionRow& row = changed_session(*this, e.session, meta);
  row.anime.reset();
  row.watch_space.reset();
  --anime.at(meta.key<AnimeId>()).session_count;
}

void Tracking::apply(const WatchSessionRestored& e, const Meta& meta) {
  SessionRow& row = changed_session(*this, e.session, meta);
  row.anime = meta.key<AnimeId>();
  row.watch_space = WatchSpaceId(meta.partition_key.uuid);
  ++anime.at(meta.key<AnimeId>()).session_count;
}

/// Only an anime of which nothing stands but that it was added is removed: it has no session that a page of the space could find.
void Tracking::apply(const AnimeRemoved& e, const Meta& meta) {
  changed_anime(*this, meta).watch_space.reset();
  titles.remove({WatchSpaceId(meta.partition_key.uuid), e.title, meta.key<AnimeId>()});
}

void Tracking::apply(const AnimeRestored& e, const Meta& meta) {
  const WatchSpaceId space(meta.partition_key.uuid);
  changed_anime(*this, meta).watch_space = space;
  titles.put({space, e.title, meta.key<AnimeId>()});
}

}  // namespace bloomwatch
