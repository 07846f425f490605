// One row of an import: what it says becomes so, once.
#include "command-service/tracking/import_anime.h"

#include "tests/unit/tracking/tracking.h"

namespace bloomwatch::testing {
namespace {

using enum TrackingStatus;

ImportAnime row() {
  ImportAnime command{.watch_space = space_id,
                      .media = {"anilist", "154587"},
                      .snapshot = {.romaji = "Sousou no Frieren", .episode_count = 28},
                      .snapshot_source = "mal-export",
                      .status = watching,
                      .episodes_watched = 12,
                      .times_rewatched = 1,
                      .started_on = PartialDate{.year = 2026, .month = 1},
                      .score_tenths = std::int16_t{90},
                      .original_score = OriginalScore{"9", "10"},
                      .notes = "Slow in the best way.",
                      .anime = {anime_id}};
  return command;
}
AnimeAdded added(TrackingStatus shared_status = backlog, std::optional<std::int32_t> episode_count = 28) {
  auto event = frieren_added(episode_count, shared_status);
  event.snapshot_source = "mal-export";
  return event;
}
const StartDateChanged started{.profile = mira.profile, .title = frieren, .started_on = PartialDate{.year = 2026, .month = 1}};
const TimesRewatchedChanged rewatched{.profile = mira.profile, .title = frieren, .times = 1};
const AnimeRated rated{.profile = mira.profile, .title = frieren, .score_tenths = 90, .original = OriginalScore{"9", "10"}};
RatingNotesChanged noted() { return {.profile = mira.profile, .title = frieren, .notes = mira.seal("Slow in the best way.")}; }

/// A space that tracks Frieren already.
World already(const Past& past) {
  auto world = given(space_of(mira), past);
  world.holding<Anime>(frieren_claim, anime_id);
  return world;
}

TEST(ImportAnime, adds_a_title_as_shared_backlog_with_what_the_importer_says) {
  given(space_of(mira))
      .when(row(), mira)
      .then(added(), at(mira, 12), is(mira, watching), started, rewatched, rated, noted())
      .takes(frieren_claim)
      .answers(anime_id.uuid)
      .once();
}

TEST(ImportAnime, writes_only_what_differs) {
  already(tracked(frieren_added(), at(mira, 12), is(mira, watching), started, rewatched))
      .when(row(), mira)
      .then(rated, noted())
      .answers(anime_id.uuid)
      .once();
}

/// A row that says which title it is of, and nothing else.
ImportAnime silent_row() {
  return {.watch_space = space_id,
          .media = {"anilist", "154587"},
          .snapshot = {.romaji = "Sousou no Frieren", .episode_count = 28},
          .snapshot_source = "mal-export",
          .anime = {anime_id}};
}

TEST(ImportAnime, leaves_what_the_row_does_not_say) {
  auto command = silent_row();
  for (const bool shared : {false, true}) {
    command.shared = shared;
    already(tracked(frieren_added(28, paused), shared_at(3), at(mira, 12), is(mira, watching), started, rewatched, rated, noted()))
        .when(command, mira)
        .says_nothing();
  }
}

TEST(ImportAnime, adds_a_title_of_which_the_row_says_nothing_as_backlog_at_0) {
  auto command = silent_row();
  for (const bool shared : {false, true}) {
    command.shared = shared;
    given(space_of(mira)).when(command, mira).then(added()).once();
  }
}

TEST(ImportAnime, leaves_the_shared_state_of_a_title_that_is_there) {
  auto world = already(tracked(frieren_added(28, paused), shared_at(3)));
  world.when(row(), mira);
  EXPECT_EQ(world.state<Anime>(anime_id).shared_status, paused);
  EXPECT_EQ(world.state<Anime>(anime_id).shared_episodes, 3);
}

TEST(ImportAnime, moves_the_shared_state_too_when_asked) {
  auto command = row();
  command.shared = true;
  given(space_of(mira))
      .when(command, mira)
      .then(added(watching), shared_at(12), at(mira, 12), is(mira, watching), started, rewatched, rated, noted())
      .once();
  already(tracked(frieren_added(28, paused), at(mira, 12), is(mira, watching), started, rewatched, rated, noted()))
      .when(command, mira)
      .then(shared_at(12), shared_is(watching))
      .once();
}

TEST(ImportAnime, takes_status_and_progress_as_they_are_told) {
  auto command = row();
  command.status = dropped;
  command.episodes_watched = 28;
  EXPECT_THAT(given(space_of(mira)).when(command, mira).events(), ::testing::Contains(shown(is(mira, dropped))));
}

TEST(ImportAnime, keeps_the_count_of_a_new_title_as_unknown_where_progress_exceeds_it) {
  auto command = row();
  command.episodes_watched = 30;
  auto outcome = given(space_of(mira)).when(command, mira);
  EXPECT_THAT(outcome.events(), ::testing::Contains(shown(added(backlog, std::nullopt))));
  EXPECT_THAT(outcome.events(), ::testing::Contains(shown(at(mira, 30))));
  outcome.once();
}

TEST(ImportAnime, is_refused_where_the_space_knows_that_there_are_fewer_episodes) {
  auto command = row();
  command.episodes_watched = 30;
  already(tracked(frieren_added(28))).when(command, mira).refuses(Refusal::progress_exceeds_episode_count);
}

TEST(ImportAnime, takes_the_rest_of_such_a_row_without_its_progress) {
  auto command = row();
  command.episodes_watched.reset();
  already(tracked(frieren_added(28), at(mira, 3))).when(command, mira).then(is(mira, watching), started, rewatched, rated, noted()).once();
}

TEST(ImportAnime, is_refused_to_strangers) { given(space_of(mira)).when(row(), stranger).refuses(no_such_space); }

}  // namespace
}  // namespace bloomwatch::testing
