// The decision about a member's own progress.
#include "command-service/tracking/change_participant_progress.h"

#include "command-service/tracking/access.h"
#include "command-service/tracking/progress.h"

namespace bloomwatch {

using tracking::Refusal;

namespace {

std::optional<PartialDate> date_of(const std::optional<PossibleDate>& date) {
  if (!date) return std::nullopt;
  return date->date();
}

}  // namespace

void ChangeParticipantProgress::decide_progress(Changes& changes, ProfileId profile, const Anime& changed) const {
  const Anime::Participant& now = changed.participant(profile);
  TrackingStatus wanted = now.status;
  if (episodes_watched && episodes_watched->value() != now.episodes) {
    const std::int32_t to = episodes_watched->value();
    changes.add(ParticipantProgressChanged{.profile = profile, .title = changed.title, .episodes = to});
    wanted = tracking::status_after(wanted, now.episodes, to, changed.episode_count);
  }
  if (status) wanted = *status;
  if (wanted != now.status) changes.add(ParticipantStatusChanged{.profile = profile, .title = changed.title, .status = wanted});
}

void ChangeParticipantProgress::decide_dates(Changes& changes, ProfileId profile, const Anime& changed) const {
  const Anime::Participant& now = changed.participant(profile);
  if (started_on && date_of(started_on.value) != now.started_on)
    changes.add(StartDateChanged{.profile = profile, .title = changed.title, .started_on = date_of(started_on.value)});
  if (finished_on && date_of(finished_on.value) != now.finished_on)
    changes.add(FinishDateChanged{.profile = profile, .title = changed.title, .finished_on = date_of(finished_on.value)});
  if (times_rewatched && times_rewatched->value() != now.times_rewatched)
    changes.add(TimesRewatchedChanged{.profile = profile, .title = changed.title, .times = times_rewatched->value()});
}

ChangeParticipantProgress::Changes ChangeParticipantProgress::decide(const Actor& by, const Anime& changed, const WatchSpace& space) const {
  if (const auto refused = tracking::refuse_unseen(by, space, changed, watch_space)) return *refused;
  if (episodes_watched && changed.exceeds_count(episodes_watched->value())) return refuse(Refusal::progress_exceeds_episode_count);
  Changes changes;
  decide_progress(changes, by.profile, changed);
  decide_dates(changes, by.profile, changed);
  return changes;
}

}  // namespace bloomwatch
