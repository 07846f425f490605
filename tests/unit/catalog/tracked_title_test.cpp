// Adding and importing anime whose title the catalogue knows: by any reference it is the same title, once a space.
#include "command-service/tracking/add_anime.h"
#include "command-service/tracking/import_anime.h"
#include "command-service/tracking/refusals.h"
#include "tests/unit/catalog/catalog.h"

namespace bloomwatch::testing {
namespace {

const auto mine = id_of<AnimeId>("mine");
const auto there = id_of<AnimeId>("there before");

AddAnime add(MediaSource source, const std::string& id) {
  return {.watch_space = space_id, .media = value<Media>({.source = source, .id = {id}}), .anime = {mine}};
}

AddAnime add(TitleId title) { return add(MediaSource::bloomwatch, '"' + title.to_string() + '"'); }

World with_space() {
  World world = with_frieren();
  world.take(space_of(mira));
  return world;
}

TEST(AddAnime, takes_title_and_snapshot_from_the_catalogue_where_only_an_id_is_given) {
  with_space()
      .when(add(MediaSource::mal, "52991"), mira)
      .then(AnimeAdded{.watch_space = space_id,
                       .title = frieren,
                       .title_claim = title_claim(space_id, frieren),
                       .media = mal,
                       .snapshot = {.romaji = "Sousou no Frieren",
                                    .native = "葬送のフリーレン",
                                    .episode_count = 28,
                                    .episode_minutes = 24,
                                    .format = "TV",
                                    .season = "fall",
                                    .season_year = 2023},
                       .snapshot_source = "catalog"})
      .takes(title_claim(space_id, frieren))
      .once();
}

TEST(AddAnime, refuses_a_title_that_the_space_tracks_by_another_of_its_references) {
  World by_catalogue = with_space();
  by_catalogue.holding<Anime>(title_claim(space_id, frieren), there);
  by_catalogue.when(add(MediaSource::mal, "52991"), mira).refuses(tracking::Refusal::already_tracked);
  // Added by its MyAnimeList id before the catalogue knew it.
  World before = with_space();
  before.holding<Anime>(title_claim(space_id, title_of("mal", "52991")), there);
  before.when(add(MediaSource::anilist, "154587"), mira).refuses(tracking::Refusal::already_tracked);
}

TEST(AddAnime, takes_the_own_id_of_an_imported_title_for_one_more_of_its_references) {
  World world = with_space();
  const Outcome outcome = world.when(add(frieren), mira).takes(title_claim(space_id, frieren)).once();
  ASSERT_EQ(outcome.decided().events.size(), 1u);
  EXPECT_THAT(outcome.decided().events.front().data, ::testing::HasSubstr("Sousou no Frieren"));
  AddAnime again = add(MediaSource::mal, "52991");
  again.anime = {there};
  world.when(again, mira).refuses(tracking::Refusal::already_tracked);
  again.media = add(frieren).media;
  world.when(again, mira).refuses(tracking::Refusal::already_tracked);
  // The other way round, and by an id that it had before the catalogue knew it.
  for (const TitleId tracked : {frieren, title_of("mal", "52991")}) {
    World before = with_space();
    before.holding<Anime>(title_claim(space_id, tracked), there);
    before.when(add(frieren), mira).refuses(tracking::Refusal::already_tracked);
  }
}

TEST(AddAnime, refuses_an_id_that_no_title_has) {
  with_space().when(add(id_of<TitleId>("none")), mira).refuses(CatalogRefusal::no_such_title);
}

TEST(AddAnime, follows_a_title_that_was_merged_to_the_one_that_lives) {
  const TitleId merged = title_of("mal", "1");
  TitleEntry entry = frieren_entry();
  entry.media = {{"mal", "1"}};
  World world = with_space();
  world.take(stream<Title>(merged, added_of(entry), TitleMerged{frieren}));
  hold(world, merged, entry.media);
  const Outcome outcome = world.when(add(MediaSource::mal, "1"), mira);
  ASSERT_EQ(outcome.decided().events.size(), 1u);
  EXPECT_THAT(outcome.decided().events.front().data, ::testing::HasSubstr(frieren.to_string()));
}

TEST(AddAnime, takes_the_own_id_of_a_title_that_was_merged_for_the_one_that_lives) {
  const TitleId merged = title_of("mal", "1");
  World world = with_space();
  world.take(stream<Title>(merged, added_of(frieren_entry()), TitleMerged{frieren}));
  world.when(add(merged), mira).takes(title_claim(space_id, frieren)).once();
}

TEST(AddAnime, looks_for_a_title_under_however_many_references_it_has) {
  TitleReferencesAdded more{.source = "manual"};
  for (int i = 1; i <= 1'000; ++i) more.media.push_back({"kitsu", std::to_string(i)});
  World world = with_space();
  world.take(stream<Title>(frieren, more));
  world.holding<Anime>(title_claim(space_id, title_of("kitsu", "1000")), there);
  world.when(add(MediaSource::mal, "52991"), mira).refuses(tracking::Refusal::already_tracked);
}

/// A space that tracks frieren, which has given its AniList id up to another title: frieren keeps the id that this made.
World with_a_reference_that_left(TitleId other) {
  World world = with_space();
  TitleEntry entry = frieren_entry();
  entry.media = {anilist};
  world.take(stream<Title>(frieren, TitleReferencesRemoved{.source = "anime-offline-database", .media = {anilist}}));
  world.take(stream<Title>(other, added_of(entry)));
  hold(world, other, {anilist});
  world.holding<Anime>(title_claim(space_id, frieren), there);
  return world;
}

TEST(AddAnime, adds_the_title_of_a_reference_beside_the_one_that_has_the_id_of_it) {
  const TitleId other(Uuid::v5(frieren.uuid, "again"));
  World world = with_a_reference_that_left(other);
  const Outcome outcome = world.when(add(MediaSource::anilist, "154587"), mira).takes(title_claim(space_id, other)).once();
  EXPECT_THAT(outcome.decided().events.front().data, ::testing::HasSubstr(other.to_string()));
  with_a_reference_that_left(other).when(add(MediaSource::mal, "52991"), mira).refuses(tracking::Refusal::already_tracked);
}

TEST(AddAnime, takes_the_id_of_a_merged_title_for_what_it_became_and_not_for_what_split_off_again) {
  const TitleId merged = title_of("mal", "1");
  const TitleId split(Uuid::v5(merged.uuid, "again"));
  TitleEntry entry = frieren_entry();
  entry.media = {{"mal", "1"}};
  const auto world = [&] {
    World tracking_merged = with_space();
    tracking_merged.take(stream<Title>(frieren, TitleAbsorbed{merged}));
    tracking_merged.take(stream<Title>(merged, added_of(entry), TitleMerged{frieren}));
    tracking_merged.take(stream<Title>(split, added_of(entry)));
    hold(tracking_merged, split, entry.media);
    tracking_merged.holding<Anime>(title_claim(space_id, merged), there);
    return tracking_merged;
  };
  world().when(add(MediaSource::anilist, "154587"), mira).refuses(tracking::Refusal::already_tracked);
  world().when(add(MediaSource::mal, "1"), mira).takes(title_claim(space_id, split)).once();
}

TEST(ImportAnime, finds_the_anime_that_tracks_its_title_by_another_reference) {
  World world = with_space();
  world.take(stream<Anime>(there, AnimeAdded{.watch_space = space_id,
                                             .title = frieren,
                                             .title_claim = title_claim(space_id, frieren),
                                             .media = anilist,
                                             .snapshot = {},
                                             .snapshot_source = "client"})
                 .under(space_id.uuid));
  world.holding<Anime>(title_claim(space_id, frieren), there);
  ImportAnime row{.watch_space = space_id, .media = mal, .snapshot_source = "mal-export", .episodes_watched = 3, .anime = {mine}};
  world.when(row, mira).then(ParticipantProgressChanged{.profile = mira.profile, .title = frieren, .episodes = 3}).answers(there.uuid);
}

TEST(ImportAnime, completes_its_snapshot_from_the_catalogue) {
  ImportAnime row{.watch_space = space_id,
                  .media = mal,
                  .snapshot = {.romaji = "Frieren"},
                  .snapshot_source = "mal-export",
                  .episodes_watched = 40,
                  .anime = {mine}};
  World world = with_space();
  const Outcome outcome = world.when(row, mira);
  ASSERT_FALSE(outcome.decided().events.empty());
  const std::string& data = outcome.decided().events.front().data;
  EXPECT_THAT(data, ::testing::HasSubstr("\"snapshotSource\":\"mal-export+catalog\""));
  EXPECT_THAT(data, ::testing::HasSubstr("\"romaji\":\"Frieren\""));
  EXPECT_THAT(data, ::testing::Not(::testing::HasSubstr("episodeCount")));  // 40 of 28: the count is not believed
}

}  // namespace
}  // namespace bloomwatch::testing
