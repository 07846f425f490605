// The fold of the catalogue: rows, aliases and listings from events.
#include "projector/catalog/catalog.h"

#include <gmock/gmock.h>

#include "tests/unit/projection/folding.h"

namespace bloomwatch::test {
namespace {

const std::string aod = "anime-offline-database";

TitleAdded added(const std::string& source = aod) {
  return {.source = source,
          .media = {{"anilist", "1"}, {"mal", "2"}},
          .media_claims = {},
          .names = {{"Lantern", {}, NameKind::main}},
          .details = {.format = "TV", .episodes = 12},
          .genres = {"fantasy"},
          .studios = {"Studio Kite", "studio kite"},
          .related = {{"anilist", "3"}},
          .standing = {.score_hundredths = 800, .members = 70}};
}

class CatalogFold : public ::testing::Test {
 protected:
  template <class E>
  void happens(const E& event, std::uint8_t number = 1) {
    folding.happens(title(number).uuid, title(number).uuid, event);
  }
  const TitleRow& row(std::uint8_t number = 1) { return *folding.model.titles.peek(title(number)); }
  const TitleListingRow* listing(std::string_view kind, std::string_view value, std::uint8_t number = 1) {
    return folding.model.listings.peek({listing_of(kind, value), title(number)});
  }
  bool leads(TitleId alias, std::uint8_t number = 1) { return folding.model.aliases.peek({alias, title(number)}) != nullptr; }

  Folding<Catalog> folding;
};

TEST_F(CatalogFold, keeps_what_a_title_is_and_by_what_it_is_found) {
  happens(added());
  EXPECT_EQ(row().name, "Lantern");
  EXPECT_EQ(row().episodes, 12);
  EXPECT_EQ(row().popularity, 70);
  EXPECT_EQ(row().sources.at("episodes"), aod);
  EXPECT_THAT(row().studios, ::testing::ElementsAre(StudioCredit{"studio-kite", "Studio Kite", CreditRole::studio}));
  EXPECT_EQ(row().related.front().alias, title_of("anilist", "3"));
  EXPECT_TRUE(leads(title(1)) && leads(title_of("anilist", "1")) && leads(title_of("mal", "2")));
  EXPECT_EQ(listing("genre", "fantasy")->popularity, 70);
  EXPECT_NE(listing("studio", "studio-kite"), nullptr);
}

TEST_F(CatalogFold, finds_a_related_title_by_its_own_id) {
  happens(added());
  happens(TitleRelationsChanged{"manual", {{"bloomwatch", title(2).to_string()}, {"mal", "4"}}});
  EXPECT_EQ(row().related.front().alias, title(2));
  EXPECT_EQ(row().related.back().alias, title_of("mal", "4"));
}

TEST_F(CatalogFold, moves_listings_with_what_they_follow_from) {
  happens(added());
  happens(TitleGenresChanged{aod, {"drama"}});
  EXPECT_EQ(listing("genre", "fantasy"), nullptr);
  EXPECT_NE(listing("genre", "drama"), nullptr);
  happens(TitleStandingChanged{aod, {.score_hundredths = 810, .members = 90}});
  EXPECT_EQ(listing("genre", "drama")->popularity, 90);
  EXPECT_EQ(listing("studio", "studio-kite")->popularity, 90);
  happens(TitleProducersChanged{aod, {"Kite Pictures"}});
  EXPECT_EQ(row().studios.size(), 2u);
  EXPECT_NE(listing("studio", "kite-pictures"), nullptr);
}

TEST_F(CatalogFold, puts_the_names_of_the_best_source_first) {
  happens(added("csv"));
  happens(TitleNamesChanged{aod, {{"Hoshi no Lantern", {}, NameKind::main}}});
  EXPECT_EQ(row().name, "Hoshi no Lantern");
  happens(TitleNamesChanged{"manual", {{"The Lantern", "en", NameKind::main}}});
  EXPECT_EQ(row().name, "The Lantern");
  EXPECT_EQ(row().names.size(), 3u);
  happens(TitleNamesChanged{"manual", {}});
  EXPECT_EQ(row().name, "Hoshi no Lantern");
}

TEST_F(CatalogFold, changes_only_the_details_that_are_said) {
  happens(added());
  happens(TitleDetailsChanged{"manual", {.episodes = 13, .minutes = 24}, {"format"}});
  EXPECT_EQ(row().episodes, 13);
  EXPECT_EQ(row().minutes, 24);
  EXPECT_EQ(row().format, std::nullopt);
  EXPECT_EQ(row().sources.at("episodes"), "manual");
  EXPECT_FALSE(row().sources.contains("format"));
}

TEST_F(CatalogFold, takes_a_merged_title_out_of_lists_and_leads_its_ids_on) {
  happens(added());
  happens(added(), 2);
  happens(TitleMerged{title(1)}, 2);
  happens(TitleAbsorbed{title(2)});
  happens(TitleReferencesRemoved{aod, {{"mal", "2"}}, {}});
  EXPECT_EQ(row(2).merged_into, title(1));
  EXPECT_EQ(listing("genre", "fantasy", 2), nullptr);
  EXPECT_TRUE(leads(title(2)));
  EXPECT_FALSE(leads(title_of("mal", "2")));
  EXPECT_THAT(row().external_ids, ::testing::ElementsAre(MediaReference{"anilist", "1"}));
  EXPECT_EQ(row(2).position, 3);
}

TEST_F(CatalogFold, leads_the_id_of_a_merged_title_on_also_when_its_reference_has_left) {
  const TitleId merged = title_of("mal", "2");
  happens(added());
  happens(TitleAbsorbed{merged});
  happens(TitleReferencesRemoved{aod, {{"mal", "2"}}, {}});
  EXPECT_THAT(row().absorbed, ::testing::ElementsAre(merged));
  EXPECT_TRUE(leads(merged));
}

TEST(StudioSlug, keeps_letters_and_digits) {
  EXPECT_EQ(studio_slug("A-1 Pictures Inc."), "a-1-pictures-inc");
  EXPECT_EQ(studio_slug("スタジオ"), "スタジオ");
  EXPECT_EQ(studio_slug("!?"), "");
}

}  // namespace
}  // namespace bloomwatch::test
