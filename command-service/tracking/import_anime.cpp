// The decision about one row of an import.
#include "command-service/tracking/import_anime.h"

#include <utility>

#include "command-service/spaces/access.h"
#include "command-service/tracking/refusals.h"

namespace bloomwatch {

using tracking::Refusal;

void ImportAnime::decide_shared(Imported& imported, const Anime& tracked) const {
  if (!shared) return;
  if (episodes_watched && episodes_watched != tracked.shared_episodes) imported.add(SharedProgressChanged{.episodes = *episodes_watched});
  if (status && status != tracked.shared_status) imported.add(SharedStatusChanged{.status = *status});
}

void ImportAnime::decide_progress(Imported& imported, ProfileId profile, TitleId title, const Anime::Participant& now) const {
  if (episodes_watched && episodes_watched != now.episodes)
    imported.add(ParticipantProgressChanged{.profile = profile, .title = title, .episodes = *episodes_watched});
  if (status && status != now.status) imported.add(ParticipantStatusChanged{.profile = profile, .title = title, .status = *status});
  if (started_on && started_on != now.started_on)
    imported.add(StartDateChanged{.profile = profile, .title = title, .started_on = started_on});
  if (finished_on && finished_on != now.finished_on)
    imported.add(FinishDateChanged{.profile = profile, .title = title, .finished_on = finished_on});
  if (times_rewatched && times_rewatched != now.times_rewatched)
    imported.add(TimesRewatchedChanged{.profile = profile, .title = title, .times = *times_rewatched});
}

void ImportAnime::decide_opinion(Imported& imported, const Actor& by, TitleId title, const Anime::Participant& now) const {
  if (score_tenths && score_tenths != now.score_tenths)
    imported.add(AnimeRated{.profile = by.profile, .title = title, .score_tenths = *score_tenths, .original = original_score});
  if (!notes) return;
  const std::optional<Personal> text = by.seal(*notes);
  if (mark_of(text) != now.notes) imported.add(RatingNotesChanged{.profile = by.profile, .title = title, .notes = text});
}

ImportAnime::Imported ImportAnime::decide(const Actor& by, TrackedAnime tracked, const WatchSpace& space) const {
  if (const auto refused = spaces::refuse_strangers(by, space)) return *refused;
  if (episodes_watched && tracked->exceeds_count(*episodes_watched)) return refuse(Refusal::progress_exceeds_episode_count);
  Imported imported;
  const TitleId title = tracked.held ? tracked->title : tracked.title;
  Anime fresh;
  if (!tracked.held) {
    AnimeAdded added{.watch_space = watch_space,
                     .title = title,
                     .title_claim = tracked.title_claim,
                     .media = media,
                     .snapshot = snapshot,
                     .snapshot_source = snapshot_source,
                     .shared_status = shared ? status.value_or(TrackingStatus::backlog) : TrackingStatus::backlog};
    complete_snapshot(added, tracked.described);
    if (added.snapshot.episode_count && episodes_watched > added.snapshot.episode_count)
      imported.count_left_out = std::exchange(added.snapshot.episode_count, std::nullopt);
    fresh.evolve(added);
    imported.add(std::move(added));
    imported.take(tracked.title_claim);
  }
  const Anime& before = tracked.held ? tracked.state : fresh;
  decide_shared(imported, before);
  decide_progress(imported, by.profile, title, before.participant(by.profile));
  decide_opinion(imported, by, title, before.participant(by.profile));
  return imported;
}

}  // namespace bloomwatch
