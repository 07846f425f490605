// What a source's description changes, and which source wins.
#include "command-service/catalog/merge_title.h"
#include "command-service/catalog/release_references.h"
#include "tests/unit/catalog/catalog.h"

namespace bloomwatch::testing {
namespace {

const Actor system{};

TEST(DescribeTitle, adds_a_title_with_all_that_is_said_and_takes_its_references) {
  given()
      .when(describe(frieren, frieren_entry(), true), system)
      .then(added_of(frieren_entry()))
      .takes(reference_claim("mal", "52991"))
      .once();
}

TEST(DescribeTitle, says_nothing_when_nothing_changed) {
  with_frieren().when(describe(frieren, frieren_entry()), system).says_nothing();
  with_frieren().when(describe(frieren, frieren_entry(), true), system).says_nothing();
}

TEST(DescribeTitle, says_one_fact_an_event_where_its_source_has_changed_its_mind) {
  TitleEntry entry = frieren_entry();
  entry.details.episodes = 29;
  entry.details.minutes.reset();  // not known any more: what was known stays
  entry.names.push_back({"Frieren", "en", NameKind::english});
  entry.tags = {"elf", "travel"};
  entry.media.push_back({"kitsu", "46474"});
  const std::string source = "anime-offline-database";
  with_frieren()
      .when(describe(frieren, entry), system)
      .then(TitleReferencesAdded{source, {{"kitsu", "46474"}}, {reference_claim("kitsu", "46474")}}, TitleNamesChanged{source, entry.names},
            TitleDetailsChanged{source, {.episodes = 29}}, TitleTagsChanged{source, entry.tags})
      .once();
}

TEST(DescribeTitle, lets_a_lesser_source_only_fill_what_is_open) {
  TitleEntry lesser = frieren_entry();
  lesser.media = {mal};
  lesser.names = {{"Frieren at the Funeral", "en", NameKind::english}};
  lesser.details.episodes = 12;
  lesser.details.airing = AiringStatus::finished;
  lesser.genres = {"fantasy"};
  lesser.standing = {.score_hundredths = 931, .members = 1000};
  with_frieren()
      .when(describe(frieren, lesser, false, "csv"), system)
      .then(TitleNamesChanged{"csv", lesser.names}, TitleDetailsChanged{"csv", {.airing = AiringStatus::finished}},
            TitleStandingChanged{"csv", lesser.standing})
      .once();
}

TEST(DescribeTitle, lets_a_better_source_correct_a_lesser_one_but_nobody_correct_people) {
  TitleEntry better = frieren_entry();
  better.details.episodes = 29;
  with_frieren(frieren_entry(), "csv")
      .when(describe(frieren, better), system)
      .then(TitleNamesChanged{"anime-offline-database", better.names}, TitleDetailsChanged{"anime-offline-database", {.episodes = 29}})
      .once();
  with_frieren(frieren_entry(), "manual")
      .when(describe(frieren, better), system)
      .then(TitleNamesChanged{"anime-offline-database", better.names})
      .once();
}

TEST(DescribeTitle, refuses_a_reference_that_means_a_living_title) {
  World world = with_frieren();
  const TitleId other = title_of("anilist", "1");
  TitleEntry entry = frieren_entry();
  entry.media = {{"anilist", "1"}, mal};
  world.when(describe(other, entry, true), system).refuses(CatalogRefusal::reference_held);
}

TEST(DescribeTitle, refuses_an_id_that_is_another_titles_or_nobodys) {
  TitleEntry entry = frieren_entry();
  entry.media = {{"kitsu", "1"}};
  with_frieren().when(describe(frieren, entry, true), system).refuses(CatalogRefusal::title_id_taken);
  given().when(describe(frieren, entry), system).refuses(CatalogRefusal::no_such_title);
}

TEST(DescribeTitle, refuses_a_new_title_the_id_of_one_that_became_another) {
  const TitleId other = title_of("mal", "1");
  TitleEntry entry = frieren_entry();
  entry.media = {{"mal", "1"}};
  World world = with_frieren();
  world.take(stream<Title>(other, added_of(entry), TitleMerged{frieren}));
  world.when(describe(other, entry, true), system).refuses(CatalogRefusal::title_id_taken);
  const TitleId next(Uuid::v5(other.uuid, "again"));
  world.when(describe(next, entry, true), system).then(added_of(entry)).takes(reference_claim("mal", "1")).once();
}

TEST(DescribeTitle, takes_over_what_a_title_meant_that_was_merged_into_it) {
  const TitleId other = title_of("mal", "1");
  const TitleId earlier = title_of("mal", "2");
  TitleEntry entry = frieren_entry();
  entry.media.push_back({"mal", "1"});
  TitleEntry others = frieren_entry();
  others.media = {{"mal", "1"}};
  World world = with_frieren();
  world.take(stream<Title>(other, added_of(others), TitleAbsorbed{earlier}, TitleMerged{frieren}));
  hold(world, other, others.media);
  world.when(describe(frieren, entry), system)
      .then(TitleReferencesAdded{"anime-offline-database", {{"mal", "1"}}, {reference_claim("mal", "1")}}, TitleAbsorbed{other},
            TitleAbsorbed{earlier})
      .takes(reference_claim("mal", "1"))
      .once();
}

TEST(MergeTitle, makes_one_title_of_two_once) {
  const TitleId other = title_of("mal", "1");
  TitleEntry others = frieren_entry();
  others.media = {{"mal", "1"}};
  const auto world = [&] { return given(stream<Title>(frieren, added_of(frieren_entry())), stream<Title>(other, added_of(others))); };
  world().when(MergeTitle{other, frieren}, system).then(TitleMerged{frieren}).once();
  world().when(MergeTitle{other, other}, system).says_nothing();
  world().when(MergeTitle{other, title_of("mal", "3")}, system).refuses(CatalogRefusal::no_such_title);
  World merged = world();
  merged.when(MergeTitle{other, frieren}, system);
  merged.when(MergeTitle{frieren, other}, system).refuses(CatalogRefusal::title_merged);  // no circle
  merged.when(describe(other, others), system).refuses(CatalogRefusal::title_merged);
}

TEST(ReleaseReferences, lets_go_of_what_the_title_still_means) {
  ReleaseReferences command{.title = frieren, .source = "anime-offline-database", .media = {mal, {"kitsu", "9"}}};
  command.media_claims = claims_of(command.media);
  World world = with_frieren();
  world.when(command, system).then(TitleReferencesRemoved{"anime-offline-database", {mal}, {reference_claim("mal", "52991")}}).once();
  EXPECT_FALSE(world.state<Title>(frieren).means(mal));
}

}  // namespace
}  // namespace bloomwatch::testing
