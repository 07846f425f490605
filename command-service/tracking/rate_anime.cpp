// The decision about a rating.
#include "command-service/tracking/rate_anime.h"

#include "command-service/tracking/access.h"
#include "command-service/tracking/sealing.h"

namespace bloomwatch {

RateAnime::Changes RateAnime::decide(const Actor& by, const Anime& rated, const WatchSpace& space) const {
  if (const auto refused = tracking::refuse_unseen(by, space, rated, watch_space)) return *refused;
  const Anime::Participant& now = rated.participant(by.profile);
  Changes changes;
  if (score) {
    std::optional<std::int16_t> tenths;
    if (score.value) tenths = score.value->tenths();
    if (tenths != now.score_tenths) {
      if (tenths)
        changes.add(AnimeRated{.profile = by.profile, .title = rated.title, .score_tenths = *tenths});
      else
        changes.add(RatingCleared{.profile = by.profile, .title = rated.title});
    }
  }
  if (notes) {
    const auto text = tracking::sealed(by, notes.value);
    if (mark_of(text) != now.notes) changes.add(RatingNotesChanged{.profile = by.profile, .title = rated.title, .notes = text});
  }
  return changes;
}

}  // namespace bloomwatch
