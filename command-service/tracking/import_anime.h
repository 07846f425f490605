// One row of an import: the importer's own status, progress, dates, rewatches, score and notes of one title, which is added where the space
// does not track it yet. It writes only what differs, so importing twice is importing once.
#pragma once

#include "command-service/decision.h"
#include "command-service/spaces/watch_space.h"
#include "command-service/tracking/tracked_anime.h"
#include "runtime/json.h"

namespace bloomwatch {

/// Refused, in this order: no_such_space, progress_exceeds_episode_count (of a title that the space tracks with a known count; the same row
/// without its progress can be taken).
/// A title new to the space whose progress exceeds the count of the row, or of the catalogue, is added with its count unknown; it starts as
/// shared backlog at 0, or, if `shared`, with the row's status and progress. One already there keeps its shared state unless `shared`. What
/// the row does not say (no status, progress, date, rewatches, score, notes) stays as it is: backlog and 0 where it is new. Status and
/// progress are taken as they are told: nothing follows from one for the other. The answer's id is the anime's, found or made.
struct ImportAnime {
  WatchSpaceId watch_space = {};
  MediaReference media = {};
  TitleSnapshot snapshot = {};       ///< of a title new to the space
  std::string snapshot_source = {};  ///< `mal-export`
  std::optional<TrackingStatus> status = {};
  std::optional<std::int32_t> episodes_watched = {};
  std::optional<std::int32_t> times_rewatched = {};
  std::optional<PartialDate> started_on = {};
  std::optional<PartialDate> finished_on = {};
  std::optional<std::int16_t> score_tenths = {};
  std::optional<OriginalScore> original_score = {};
  std::optional<std::string> notes = {};
  bool shared = false;         ///< also move the shared state
  Minted<AnimeId> anime = {};  ///< used where the title is new

  std::optional<MediaReference> reference() const { return media; }

  struct Imported : Decision<AnimeAdded, SharedProgressChanged, SharedStatusChanged, ParticipantProgressChanged, ParticipantStatusChanged,
                             StartDateChanged, FinishDateChanged, TimesRewatchedChanged, AnimeRated, RatingNotesChanged> {
    using Decision::Decision;
    std::optional<std::int32_t> count_left_out = {};  ///< that progress exceeds
  };
  Imported decide(const Actor& by, TrackedAnime tracked, const WatchSpace& space) const;

 private:
  void decide_shared(Imported& imported, const Anime& tracked) const;
  void decide_progress(Imported& imported, ProfileId profile, TitleId title, const Anime::Participant& now) const;
  void decide_opinion(Imported& imported, const Actor& by, TitleId title, const Anime::Participant& now) const;
};
BOOST_DESCRIBE_STRUCT(ImportAnime, (),
                      (watch_space, media, snapshot, snapshot_source, status, episodes_watched, times_rewatched, started_on, finished_on,
                       score_tenths, original_score, notes, shared, anime))

}  // namespace bloomwatch
