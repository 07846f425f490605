// Files as they come: good ones, odd ones, hostile ones.
#include "command-service/catalog/catalog_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <zstd.h>

#include <sstream>

#include "command-service/catalog/offline_database.h"

namespace bloomwatch::catalog {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

const std::string header =
    R"({"$schema":"x","license":{"name":"Open Data Commons Open Database License (ODbL) v1.0","url":"https://example.org"},"repository":"r","lastUpdate":"2026-11-20"})";

std::string line(const std::string& sources, const std::string& title, const std::string& more = "") {
  return R"({"sources":[)" + sources + R"(],"title":")" + title +
         R"(","type":"TV","episodes":28,"status":"FINISHED","animeSeason":{"season":"FALL","year":2023},)"
         R"("picture":"https://example.org/p.jpg","thumbnail":"https://example.org/no_pic.jpg","duration":{"value":1440,"unit":"SECONDS"},)"
         R"("synonyms":["葬送のフリーレン","Фрирен"],"studios":["madhouse"],"producers":["toho"],)"
         R"("relatedAnime":["https://anilist.co/anime/182255"],"tags":["adventure","elf"])" +
         more + "}";
}
const std::string frieren = line(R"("https://myanimelist.net/anime/52991","https://anilist.co/anime/154587","https://example.org/anime/1")",
                                 "Sousou no Frieren", R"(,"score":{"arithmeticMean":9.1})");

CatalogFile read(const std::string& text, ReadOptions options = {}) {
  std::istringstream in(text);
  return read_catalog(in, options);
}
std::string refusal(const std::string& text, const ReadOptions& options = {}) {
  try {
    read(text, options);
  } catch (const UnreadableFile& why) {
    return why.what();
  }
  return "";
}
std::string zstd(const std::string& text) {
  std::string packed(ZSTD_compressBound(text.size()), '\0');
  packed.resize(ZSTD_compress(packed.data(), packed.size(), text.data(), text.size(), 3));
  return packed;
}
std::vector<std::string> skipped(const CatalogFile& file) {
  std::vector<std::string> reasons;
  for (const RowRemark& remark : file.remarks)
    if (!remark.taken) reasons.push_back(remark.reason);
  return reasons;
}

void expect_frieren(const CatalogFile& file) {
  ASSERT_EQ(file.titles.size(), 1u);
  const TitleEntry& entry = file.titles.front().entry;
  EXPECT_THAT(entry.media, ElementsAre(MediaReference{"anilist", "154587"}, MediaReference{"mal", "52991"}));
  EXPECT_THAT(entry.names,
              ElementsAre(TitleName{"Sousou no Frieren", std::nullopt, NameKind::main}, TitleName{"Фрирен", "und-Cyrl", NameKind::synonym},
                          TitleName{"葬送のフリーレン", "ja", NameKind::native}));
  EXPECT_EQ(entry.details, (TitleDetails{.format = "TV",
                                         .airing = AiringStatus::finished,
                                         .season = "fall",
                                         .season_year = 2023,
                                         .episodes = 28,
                                         .minutes = 24,
                                         .picture_url = "https://example.org/p.jpg"}));
  EXPECT_THAT(entry.genres, ElementsAre("adventure"));
  EXPECT_THAT(entry.tags, ElementsAre("elf"));
  EXPECT_EQ(entry.standing.score_hundredths, 910);
  EXPECT_EQ(file.source, "anime-offline-database");
  EXPECT_EQ(file.last_update, "2026-11-20");
}

TEST(CatalogFile, reads_json_lines_and_json_plain_and_zstd) {
  const std::string lines = header + '\n' + frieren + '\n';
  const std::string document = header.substr(0, header.size() - 1) + ",\"data\":[" + frieren + "]}";
  expect_frieren(read(lines));
  expect_frieren(read("\xEF\xBB\xBF" + lines));
  expect_frieren(read(document));
  expect_frieren(read(zstd(lines)));
  expect_frieren(read(zstd(document)));
  expect_frieren(read(zstd("\xEF\xBB\xBF" + lines)));
  expect_frieren(read(zstd("\xEF") + zstd("\xBB\xBF") + zstd(lines)));
  EXPECT_EQ(read(lines).format, FileFormat::json_lines);
  EXPECT_EQ(read(document).format, FileFormat::json);
}

TEST(CatalogFile, reads_csv_with_entities_unknown_counts_and_quotes) {
  const CatalogFile file = read(
      "anime_id,name,genre,type,episodes,rating,members\n"
      "9969,Gintama&#039;,\"Action, Sci-Fi\",TV,51,9.16,151266\r\n"
      "1,\"Say \"\"yes\"\", now\nplease\",,OVA,Unknown,,\n");
  ASSERT_EQ(file.titles.size(), 2u);
  const TitleEntry& first = file.titles[0].entry;
  EXPECT_EQ(first.names.front().text, "Gintama'");
  EXPECT_THAT(first.genres, ElementsAre("action", "sci-fi"));
  EXPECT_EQ(first.standing, (TitleStanding{.score_hundredths = 916, .members = 151266}));
  EXPECT_THAT(first.media, ElementsAre(MediaReference{"mal", "9969"}));
  EXPECT_EQ(file.titles[1].entry.details.episodes, std::nullopt);
}

TEST(CatalogFile, reads_csv_after_a_byte_order_mark_plain_and_zstd) {
  const std::string csv =
      "\xEF\xBB\xBF"
      "anime_id,name\n9969,Gintama\n";
  EXPECT_EQ(read(csv).titles.size(), 1u);
  EXPECT_EQ(read(zstd(csv)).titles.size(), 1u);
  EXPECT_THAT(refusal("\xEF\xBB\xBF"), HasSubstr("empty"));
  EXPECT_THAT(refusal(zstd("\xEF\xBB\xBF")), HasSubstr("empty"));
}

TEST(CatalogFile, skips_bad_rows_and_says_why) {
  const std::string csv = "anime_id,name,episodes\n";
  EXPECT_THAT(
      skipped(read(csv + "1,One,1\n2,Two\nx,Three,1\n3,\xFF,1\n4,Fo\"ur,1\n5,\"Five\"x,1\n,Six,1\n7, ,1\n1,One again,1\n8,Eight,many\n")),
      ElementsAre("it has 2 fields, not 3", "its id is no number", "it is no UTF-8",
                  "a quote stands within a field that has none around it", "something follows a closing quote", "it has no id",
                  HasSubstr("a name was left out"), "it is the same title as row 1", "its count of episodes is no number"));
  const std::string long_line = line(R"("https://anilist.co/anime/1")", std::string(line_bytes_max, 'x'));
  const CatalogFile lines = read(header + '\n' + frieren + "\n{\n[]\n{\"title\":\"x\"}\n" + long_line + '\n' +
                                 line(R"("https://example.org/1")", "Nobody's") + "\n\xFF\n");
  EXPECT_EQ(lines.titles.size(), 1u);
  EXPECT_THAT(skipped(lines), ElementsAre(HasSubstr("no JSON"), "it is no JSON object", "it has no sources", HasSubstr("longer than"),
                                          "none of its sources is one that we know", "it is no UTF-8"));
}

TEST(CatalogFile, gives_a_reference_to_the_first_row_that_has_it) {
  const CatalogFile file = read(header + '\n' + frieren + '\n' +
                                line(R"("https://anilist.co/anime/154587","https://kitsu.app/anime/46474")", "Frieren again") + '\n');
  ASSERT_EQ(file.titles.size(), 2u);
  EXPECT_THAT(file.titles[1].entry.media, ElementsAre(MediaReference{"kitsu", "46474"}));
  EXPECT_EQ(file.remarks.front().reason, "anilist:154587 is row 1's already");
}

TEST(CatalogFile, is_refused_as_a_whole_where_it_is_not_what_it_is_taken_for) {
  EXPECT_THAT(refusal(""), HasSubstr("empty"));
  EXPECT_THAT(refusal("name,type\nOne,TV\n"), HasSubstr("no columns anime_id and name"));
  EXPECT_THAT(refusal("anime_id,name\n"), HasSubstr("describes no title"));
  EXPECT_THAT(refusal(R"({"hello":"world"})"), HasSubstr("no release"));
  EXPECT_THAT(refusal(header.substr(0, header.size() - 1) + ",\"data\":[" + frieren), HasSubstr("no JSON document"));
  EXPECT_THAT(refusal(R"({"license":1})"
                      "\n" +
                          frieren,
                      {.format = FileFormat::json_lines}),
              HasSubstr("the first line is not that of"));
  std::string bad = "anime_id,name\n1,One\n";
  for (int i = 0; i < 12; ++i) bad += "x,Bad\n";
  EXPECT_THAT(refusal(bad), HasSubstr("12 of 13 rows cannot be read"));
  EXPECT_EQ(refusal(bad, {.bad_rows_share = 1.0}), "");
}

TEST(CatalogFile, is_refused_as_soon_as_there_are_too_many_remarks) {
  const auto many = [](std::string text, const std::string& line) {
    for (int i = 0; i < 1010; ++i) text += line;
    return text;
  };
  const std::string good = "anime_id,name\n1,One\n";
  const std::string bad = many(good, "x\n");
  EXPECT_THAT(refusal(bad, {.remarks_max = 1000}), HasSubstr("1001 of 1002 rows cannot be read; the first: row 2: it has 1 fields"));
  EXPECT_THAT(refusal(bad, {.bad_rows_share = 1.0, .remarks_max = 1000}), HasSubstr("more than 1000 things"));
  EXPECT_THAT(refusal(many(good, "1,One\n"), {.remarks_max = 1000}), HasSubstr("more than 1000 things")) << "titles that are there already";
}

TEST(CatalogFile, is_refused_where_its_zstd_is_cut_off_damaged_or_a_bomb) {
  const std::string packed = zstd(header + '\n' + frieren + '\n');
  EXPECT_THAT(refusal(packed.substr(0, packed.size() - 5)), HasSubstr("cut off"));
  std::string damaged = packed;
  damaged[damaged.size() / 2] ^= 0x55;
  damaged[damaged.size() / 2 + 1] ^= 0x55;
  EXPECT_NE(refusal(damaged), "");
  std::istringstream in(zstd(std::string(4 << 20, 'a')));
  ByteSource bomb(in, 1 << 20);
  std::string all;
  EXPECT_THROW(bomb.read_rest(all), UnreadableFile);
  EXPECT_LE(all.size(), std::size_t{1} << 20);
}

TEST(CatalogFile, knows_the_pages_of_providers) {
  EXPECT_EQ(reference_of_url("https://www.animenewsnetwork.com/encyclopedia/anime.php?id=6592"), (MediaReference{"ann", "6592"}));
  EXPECT_EQ(reference_of_url("https://anime-planet.com/anime/death-note"), (MediaReference{"anime-planet", "death-note"}));
  EXPECT_EQ(reference_of_url("https://kitsu.io/anime/1/episodes"), (MediaReference{"kitsu", "1"}));
  EXPECT_EQ(reference_of_url("https://anilist.co/manga/1"), std::nullopt);
  EXPECT_EQ(reference_of_url("https://anilist.co.example.org/anime/1"), std::nullopt);
}

TEST(TitleEntry, tells_languages_by_script_as_far_as_it_goes) {
  EXPECT_EQ(language_of_script("Frieren"), std::nullopt);
  EXPECT_EQ(language_of_script("葬送のフリーレン"), "ja");
  EXPECT_EQ(language_of_script("葬送"), "und-Hani");
  EXPECT_EQ(language_of_script("장송의 프리렌"), "ko");
}

TEST(TitleEntry, leaves_out_what_is_not_believable) {
  TitleEntry entry{.media = {{"mal", "1"}, {"mal", "1"}, {"mal", "two words"}},
                   .names = {{"One", {}, NameKind::main}, {"One", {}, NameKind::synonym}, {std::string(600, 'x'), {}, NameKind::synonym}},
                   .details = {.season = "monsoon", .season_year = 1, .episodes = -3, .picture_url = "javascript:x"}};
  std::vector<std::string> remarks;
  EXPECT_TRUE(check(entry, remarks));
  EXPECT_THAT(entry.media, ElementsAre(MediaReference{"mal", "1"}));
  EXPECT_EQ(entry.names.size(), 1u);
  EXPECT_EQ(entry.details, TitleDetails{});
  EXPECT_EQ(remarks.size(), 6u);
}

}  // namespace
}  // namespace bloomwatch::catalog
