// What a member says of an anime for themselves: progress, dates, rewatches, score, notes.
#include "command-service/tracking/change_participant_progress.h"
#include "command-service/tracking/rate_anime.h"
#include "tests/unit/tracking/tracking.h"

namespace bloomwatch::testing {
namespace {

using enum TrackingStatus;

ChangeParticipantProgress progress(std::int32_t episodes) {
  return {.watch_space = space_id, .anime = anime_id, .episodes_watched = {value<EpisodesWatched>(episodes)}};
}
StartDateChanged starts_on(std::optional<PartialDate> date) { return {.profile = mira.profile, .title = frieren, .started_on = date}; }

TEST(ChangeParticipantProgress, writes_one_event_for_each_field_that_differs) {
  const PartialDate start{.year = 2023};
  const PartialDate finish{.year = 2024, .month = 3, .day = 22};
  given(space_of(mira, ken), tracked(frieren_added()))
      .when(ChangeParticipantProgress{.watch_space = space_id,
                                      .anime = anime_id,
                                      .status = {paused},
                                      .episodes_watched = {value<EpisodesWatched>(3)},
                                      .started_on = {true, value<PossibleDate>(start)},
                                      .finished_on = {true, value<PossibleDate>(finish)},
                                      .times_rewatched = {value<RewatchCount>(2)}},
            mira)
      .then(at(mira, 3), is(mira, paused), starts_on(start),
            FinishDateChanged{.profile = mira.profile, .title = frieren, .finished_on = finish},
            TimesRewatchedChanged{.profile = mira.profile, .title = frieren, .times = 2})
      .answers(anime_id.uuid)
      .once();
}

TEST(ChangeParticipantProgress, says_nothing_when_nothing_changes) {
  given(space_of(mira), tracked(frieren_added())).when(progress(0), mira).says_nothing();
  given(space_of(mira), tracked(frieren_added()))
      .when(ChangeParticipantProgress{.watch_space = space_id,
                                      .anime = anime_id,
                                      .status = {backlog},
                                      .started_on = {true, {}},
                                      .times_rewatched = {value<RewatchCount>(0)}},
            mira)
      .says_nothing();
}

TEST(ChangeParticipantProgress, clears_a_date) {
  given(space_of(mira), tracked(frieren_added(), starts_on(PartialDate{.year = 2023})))
      .when(ChangeParticipantProgress{.watch_space = space_id, .anime = anime_id, .started_on = {true, {}}}, mira)
      .then(starts_on(std::nullopt))
      .once();
}

TEST(ChangeParticipantProgress, is_each_members_own) {
  given(space_of(mira, ken), tracked(frieren_added(), at(mira, 5))).when(progress(5), ken).then(at(ken, 5), is(ken, watching));
}

TEST(ChangeParticipantProgress, never_exceeds_a_known_episode_count) {
  given(space_of(mira), tracked(frieren_added(28))).when(progress(29), mira).refuses(Refusal::progress_exceeds_episode_count);
  given(space_of(mira), tracked(frieren_added(std::nullopt))).when(progress(29), mira).then(at(mira, 29), is(mira, watching));
}

TEST(ChangeParticipantProgress, finishes_with_the_last_episode_of_a_known_count) {
  given(space_of(mira), tracked(frieren_added(28))).when(progress(28), mira).then(at(mira, 28), is(mira, finished)).once();
}

TEST(ChangeParticipantProgress, believes_a_status_that_comes_with_it) {
  auto command = progress(28);
  command.status = {dropped};
  given(space_of(mira), tracked(frieren_added(28))).when(command, mira).then(at(mira, 28), is(mira, dropped)).once();
}

TEST(ChangeParticipantProgress, is_for_members_only) { expect_members_only(progress(1)); }

RateAnime score(double ten_scale) { return {.watch_space = space_id, .anime = anime_id, .score = {true, value<Score>(ten_scale)}}; }
RateAnime notes(std::string text) { return {.watch_space = space_id, .anime = anime_id, .notes = {true, value<Notes>(std::move(text))}}; }
AnimeRated scored(std::int16_t tenths) { return {.profile = mira.profile, .title = frieren, .score_tenths = tenths}; }
RatingNotesChanged noted(std::optional<Personal> text) { return {.profile = mira.profile, .title = frieren, .notes = std::move(text)}; }

TEST(RateAnime, keeps_the_score_in_tenths) {
  given(space_of(mira), tracked(frieren_added())).when(score(8.5), mira).then(scored(85)).once();
}

TEST(RateAnime, keeps_score_and_notes_apart) {
  auto both = score(9);
  both.notes = {true, value<Notes>("Slow in the best way.")};
  given(space_of(mira), tracked(frieren_added())).when(both, mira).then(scored(90), noted(mira.seal("Slow in the best way."))).once();
  given(space_of(mira), tracked(frieren_added(), scored(90))).when(notes("Again!"), mira).then(noted(mira.seal("Again!"))).once();
}

TEST(RateAnime, takes_back_a_score_and_leaves_the_notes) {
  given(space_of(mira), tracked(frieren_added(), scored(90), noted(mira.seal("Again!"))))
      .when(RateAnime{.watch_space = space_id, .anime = anime_id, .score = {true, {}}}, mira)
      .then(RatingCleared{.profile = mira.profile, .title = frieren})
      .once();
}

TEST(RateAnime, takes_back_notes_and_leaves_the_score) {
  given(space_of(mira), tracked(frieren_added(), scored(90), noted(mira.seal("Again!"))))
      .when(RateAnime{.watch_space = space_id, .anime = anime_id, .notes = {true, {}}}, mira)
      .then(noted(std::nullopt))
      .once();
}

TEST(RateAnime, says_nothing_when_nothing_changes) {
  const auto past = tracked(frieren_added(), scored(85), noted(mira.seal("Again!")));
  given(space_of(mira), past).when(score(8.5), mira).says_nothing();
  given(space_of(mira), past).when(notes("Again!"), mira).says_nothing();
  given(space_of(mira), past).when(RateAnime{.watch_space = space_id, .anime = anime_id}, mira).says_nothing();
  given(space_of(mira), tracked(frieren_added()))
      .when(RateAnime{.watch_space = space_id, .anime = anime_id, .score = {true, {}}, .notes = {true, {}}}, mira)
      .says_nothing();
}

TEST(RateAnime, is_refused_to_people_outside_the_space) { expect_members_only(score(9)); }

TEST(RateAnime, is_refused_to_who_has_left) {
  given(space_of(mira, ken), stream<WatchSpace>(space_id, MemberLeft{.profile = ken.profile}), tracked(frieren_added()))
      .when(score(9), ken)
      .refuses(no_such_space);
}

TEST(RateAnime, is_refused_notes_without_a_data_key_but_takes_a_score) {
  Actor keyless = mira;
  keyless.key.reset();
  EXPECT_EQ(given(space_of(mira), tracked(frieren_added())).when(notes("x"), keyless).decided().refusal, "data_key_missing");
  given(space_of(mira), tracked(frieren_added())).when(score(9), keyless).then(scored(90));
}

}  // namespace
}  // namespace bloomwatch::testing
