// What a space says of an anime: shared status and progress, mood, vibe, pitch.
#include "command-service/tracking/change_anime.h"

#include "tests/unit/tracking/tracking.h"

namespace bloomwatch::testing {
namespace {

using enum TrackingStatus;

ChangeAnime shared_progress(std::int32_t episodes) {
  return {.watch_space = space_id, .anime = anime_id, .shared_episodes_watched = {value<EpisodesWatched>(episodes)}};
}
ChangeAnime shared_status(TrackingStatus status) { return {.watch_space = space_id, .anime = anime_id, .shared_status = {status}}; }

TEST(ChangeAnime, writes_one_event_for_each_field_that_differs) {
  given(space_of(mira), tracked(frieren_added()))
      .when(ChangeAnime{.watch_space = space_id,
                        .anime = anime_id,
                        .shared_status = {paused},
                        .shared_episodes_watched = {value<EpisodesWatched>(3)},
                        .mood = {true, value<Mood>("calm")},
                        .vibe = {true, value<Vibe>("autumn")},
                        .pitch = {true, value<Pitch>("An elf looks back.")}},
            mira)
      .then(shared_at(3), shared_is(paused), MoodChanged{mira.seal("calm")}, VibeChanged{mira.seal("autumn")},
            PitchChanged{mira.seal("An elf looks back.")})
      .answers(anime_id.uuid)
      .once();
}

TEST(ChangeAnime, says_nothing_when_nothing_changes) {
  const auto past = tracked(frieren_added(), shared_at(3), MoodChanged{mira.seal("calm")});
  given(space_of(mira), past).when(ChangeAnime{.watch_space = space_id, .anime = anime_id}, mira).says_nothing();
  given(space_of(mira), past).when(shared_progress(3), mira).says_nothing();
  given(space_of(mira), past).when(shared_status(backlog), mira).says_nothing();
  given(space_of(mira), past)
      .when(ChangeAnime{.watch_space = space_id, .anime = anime_id, .mood = {true, value<Mood>("calm")}, .vibe = {true, {}}}, mira)
      .says_nothing();
}

TEST(ChangeAnime, clears_a_text) {
  given(space_of(mira, ken), tracked(frieren_added(), MoodChanged{mira.seal("calm")}))
      .when(ChangeAnime{.watch_space = space_id, .anime = anime_id, .mood = {true, {}}}, ken)
      .then(MoodChanged{})
      .once();
}

TEST(ChangeAnime, keeps_a_text_under_the_key_of_who_wrote_it_last) {
  given(space_of(mira, ken), tracked(frieren_added(), MoodChanged{mira.seal("calm")}))
      .when(ChangeAnime{.watch_space = space_id, .anime = anime_id, .mood = {true, value<Mood>("calm")}}, ken)
      .then(MoodChanged{ken.seal("calm")});
}

TEST(ChangeAnime, never_exceeds_a_known_episode_count) {
  given(space_of(mira), tracked(frieren_added(28))).when(shared_progress(29), mira).refuses(Refusal::progress_exceeds_episode_count);
  given(space_of(mira), tracked(frieren_added(std::nullopt))).when(shared_progress(1200), mira).then(shared_at(1200), shared_is(watching));
}

TEST(ChangeAnime, leaves_the_backlog_when_it_moves_on) {
  given(space_of(mira), tracked(frieren_added())).when(shared_progress(1), mira).then(shared_at(1), shared_is(watching));
  given(space_of(mira), tracked(frieren_added(28, paused))).when(shared_progress(1), mira).then(shared_at(1));
}

TEST(ChangeAnime, finishes_with_the_last_episode_of_a_known_count) {
  given(space_of(mira), tracked(frieren_added(28, dropped))).when(shared_progress(28), mira).then(shared_at(28), shared_is(finished));
}

TEST(ChangeAnime, believes_a_status_that_comes_with_progress) {
  auto command = shared_progress(28);
  command.shared_status = {watching};
  given(space_of(mira), tracked(frieren_added())).when(command, mira).then(shared_at(28), shared_is(watching)).once();
  auto unmoved = shared_progress(3);
  unmoved.shared_status = {backlog};
  given(space_of(mira), tracked(frieren_added())).when(unmoved, mira).then(shared_at(3));
}

TEST(ChangeAnime, may_go_back) {
  given(space_of(mira), tracked(frieren_added(), shared_at(5), shared_is(watching))).when(shared_progress(2), mira).then(shared_at(2));
}

TEST(ChangeAnime, sets_a_status_without_touching_progress) {
  given(space_of(mira), tracked(frieren_added())).when(shared_status(finished), mira).then(shared_is(finished));
}

TEST(ChangeAnime, is_for_members_only) { expect_members_only(shared_progress(1)); }

TEST(ChangeAnime, takes_null_for_texts_only) {
  const json::Parameters path{{"watchSpace", space_id.to_string()}, {"anime", anime_id.to_string()}};
  EXPECT_TRUE(json::read_command<ChangeAnime>(path, R"({"mood":null,"vibe":null,"pitch":null})"));
  EXPECT_FALSE(json::read_command<ChangeAnime>(path, R"({"sharedStatus":null})"));
  EXPECT_FALSE(json::read_command<ChangeAnime>(path, R"({"sharedEpisodesWatched":null})"));
}

}  // namespace
}  // namespace bloomwatch::testing
