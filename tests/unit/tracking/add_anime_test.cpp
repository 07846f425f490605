// Adding a title: once per space, named by one reference.
#include "command-service/tracking/add_anime.h"

#include "tests/unit/tracking/tracking.h"

namespace bloomwatch::testing {
namespace {

AddAnime add_frieren() {
  AddAnime command{.watch_space = space_id,
                   .anilist_media_id = value<AniListMediaId>(154587),
                   .preferred_title = value<TitleText>("Sousou no Frieren"),
                   .episode_count = value<EpisodeCount>(28),
                   .anime = {anime_id}};
  return command;
}

TEST(AddAnime, tracks_a_title_and_takes_its_claim) {
  given(space_of(mira)).when(add_frieren(), mira).then(frieren_added()).takes(frieren_claim).answers(anime_id.uuid).once();
}

TEST(AddAnime, keeps_all_that_it_is_told) {
  auto command = add_frieren();
  command.preferred_title_english = value<TitleText>("Frieren: Beyond Journey's End");
  command.preferred_title_native = value<TitleText>("葬送のフリーレン");
  command.episode_minutes = value<EpisodeMinutes>(24);
  command.cover_image_url = value<Url>("https://example.org/frieren.jpg");
  command.format = value<FormatText>("TV");
  command.season = Season::fall;
  command.season_year = value<SeasonYear>(2023);
  command.shared_status = TrackingStatus::watching;
  command.mood = value<Mood>("calm");
  command.vibe = value<Vibe>("autumn");
  command.pitch = value<Pitch>("An elf\nlooks back.");
  auto added = frieren_added(28, TrackingStatus::watching);
  added.snapshot = {.romaji = "Sousou no Frieren",
                    .english = "Frieren: Beyond Journey's End",
                    .native = "葬送のフリーレン",
                    .episode_count = 28,
                    .episode_minutes = 24,
                    .cover_image_url = "https://example.org/frieren.jpg",
                    .format = "TV",
                    .season = "fall",
                    .season_year = 2023};
  given(space_of(mira))
      .when(command, mira)
      .then(added, MoodChanged{mira.seal("calm")}, VibeChanged{mira.seal("autumn")}, PitchChanged{mira.seal("An elf\nlooks back.")});
}

TEST(AddAnime, takes_a_media_reference_for_an_anilist_id) {
  auto command = add_frieren();
  command.anilist_media_id.reset();
  command.media = *json::read<Media>(R"({"source":"anilist","id":154587})");
  given(space_of(mira)).when(command, mira).then(frieren_added());
}

TEST(AddAnime, is_refused_without_exactly_one_reference) {
  auto none = add_frieren();
  none.anilist_media_id.reset();
  given(space_of(mira)).when(none, mira).refuses(Refusal::media_not_named);
  auto both = add_frieren();
  both.media = *json::read<Media>(R"({"source":"mal","id":52991})");
  given(space_of(mira)).when(both, mira).refuses(Refusal::media_not_named);
}

TEST(AddAnime, refuses_a_second_title_with_the_same_reference) {
  given(space_of(mira))
      .holding<Anime>(frieren_claim, id_of<AnimeId>("added before"))
      .when(add_frieren(), mira)
      .refuses(Refusal::already_tracked);
}

TEST(AddAnime, is_refused_to_strangers) {
  given(space_of(mira)).when(add_frieren(), stranger).refuses(no_such_space);
  given().when(add_frieren(), mira).refuses(no_such_space);
}

TEST(AddAnime, names_every_wrong_field_at_once) {
  const auto wrong = json::read_command<AddAnime>(
      {{"watchSpace", space_id.to_string()}},
      R"({"anilistMediaId":"x","episodeCount":-1,"sharedStatus":"seen","season":"monsoon","coverImageUrl":"javascript:x","colour":"red"})");
  ASSERT_FALSE(wrong);
  std::vector<std::string> pointers;
  for (const auto& error : wrong.error()) pointers.push_back(error.pointer);
  EXPECT_THAT(pointers,
              ::testing::UnorderedElementsAre("/anilistMediaId", "/episodeCount", "/sharedStatus", "/season", "/coverImageUrl", "/colour"));
}

}  // namespace
}  // namespace bloomwatch::testing
