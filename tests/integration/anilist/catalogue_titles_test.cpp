// What the catalogue knows of an anime by its AniList id and by search, in AniList discovery's words.
#include "query-service/anilist/catalogue_titles.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <thread>

#include "events/ids.h"
#include "runtime/postgres.h"
#include "tests/postgres_cluster.h"

namespace bloomwatch::anilist {
namespace {

using testing::ElementsAre;
using testing::Optional;

class CatalogueTitles : public testing::Test {
 protected:
  CatalogueTitles() : connection_({.url = url_}) {}

  void add(const std::string& reference, std::string_view title, bool merged = false) {
    const Uuid id = *Uuid::parse(title);
    connection_.query(
        "INSERT INTO read_catalog.titles (title, name, names, format, airing, season, season_year, episodes, minutes, picture_url, "
        "starts_on, genres, tags, studios, related, external_ids, offers, score_hundredths, popularity, sources, merged_into, added_at, "
        "updated_at, version, position, partition) VALUES ($1, 'Sousou no Frieren', "
        R"('[{"text": "Sousou no Frieren", "language": null, "kind": "main", "source": "s"},
             {"text": "Frieren", "language": "en", "kind": "english", "source": "s"},
             {"text": "Frieren at the Funeral", "language": null, "kind": "synonym", "source": "s"}]',)"
        R"('TV', 'airing', 'fall', 2023, 28, 24, 'https://img.example/f.jpg', '{"year": 2023, "month": 9, "day": null}', '["drama"]', '[]',)"
        R"('[{"slug": "madhouse", "name": "Madhouse", "role": "studio"}, {"slug": "toho", "name": "Toho", "role": "producer"}]', '[]',)"
        R"('[{"source": "anilist", "id": "154587"}, {"source": "mal", "id": "52991"}]', '[]', 937, 9000000000, '{}', $2, now(), now(), 1, 1, 0))",
        pg::Params(id, merged ? std::optional(id) : std::nullopt));
    connection_.query("INSERT INTO read_catalog.aliases (alias, title, partition) VALUES ($1, $2, 0)",
                      pg::Params(title_of("anilist", reference), id));
  }

  std::string url_ = test::fresh_database();
  pg::Connection connection_;
  Hub hub_;
  Metrics metrics_;
  search::CatalogSearch index_{url_, hub_, metrics_};
  Catalogue catalogue_ = catalogue_titles(url_, index_);
};

TEST_F(CatalogueTitles, are_found_by_their_anilist_id) {
  add("154587", "11111111-1111-7111-8111-111111111111");
  const auto media = catalogue_.media(154587);
  ASSERT_TRUE(media);
  EXPECT_EQ(media->anilist_media_id, 154587);
  EXPECT_EQ(media->preferred_title, "Sousou no Frieren");
  EXPECT_THAT(media->preferred_title_english, Optional(std::string("Frieren")));
  EXPECT_THAT(media->synonyms, ElementsAre("Frieren at the Funeral"));
  EXPECT_THAT(media->status, Optional(std::string("releasing")));
  EXPECT_THAT(media->mal_media_id, Optional(52991));
  EXPECT_THAT(media->start_date, Optional(PartialDate{2023, 9, {}}));
  EXPECT_THAT(media->studios, ElementsAre("Madhouse"));
  EXPECT_THAT(media->average_score, Optional(94));
  EXPECT_THAT(media->popularity, Optional(2147483647));
  EXPECT_FALSE(catalogue_.media(154588));
}

TEST_F(CatalogueTitles, are_those_that_have_the_id_and_not_what_it_once_meant) {
  const std::string once = "00000000-0000-7000-8000-000000000001";
  add("154587", once);
  connection_.query("UPDATE read_catalog.titles SET name = 'Another', external_ids = '[]' WHERE title = '" + once + "'");
  EXPECT_FALSE(catalogue_.media(154587));
  add("154587", "11111111-1111-7111-8111-111111111111");
  const auto media = catalogue_.media(154587);
  ASSERT_TRUE(media);
  EXPECT_EQ(media->preferred_title, "Sousou no Frieren");
}

TEST_F(CatalogueTitles, that_were_merged_into_others_are_not_shown) {
  add("7", "22222222-2222-7222-8222-222222222222", true);
  EXPECT_FALSE(catalogue_.media(7));
}

TEST_F(CatalogueTitles, are_found_by_search_while_the_index_is_there) {
  add("154587", "11111111-1111-7111-8111-111111111111");
  const std::string id = "33333333-3333-7333-8333-333333333333";  // AniList has no id for it
  add("8", id);
  connection_.query("UPDATE read_catalog.titles SET external_ids = '[]' WHERE title = '" + id + "'");
  search::CatalogSearch index(url_, hub_, metrics_);
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(30);
  while (!index.ready() && std::chrono::steady_clock::now() < end) std::this_thread::sleep_for(std::chrono::milliseconds(5));
  const Catalogue catalogue = catalogue_titles(url_, index);
  const auto found = catalogue.search("freiren", 10);
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].anilist_media_id, 154587);
  EXPECT_EQ(found[0].preferred_title, "Sousou no Frieren");
  EXPECT_TRUE(catalogue.search("xyzzy", 10).empty());
}

}  // namespace
}  // namespace bloomwatch::anilist
