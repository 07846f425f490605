// What a MyAnimeList export may look like, and what is made of it. The samples are hand-written; the real list is read where it is at hand.
#include "command-service/sync/mal_export.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sanitizer/allocator_interface.h>
#include <zlib.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <sstream>

namespace bloomwatch::mal {
namespace {

std::string list_of(std::string_view rows) {
  return "<?xml version=\"1.0\" encoding=\"UTF-8\" ?>\n<!-- a list "
         "--><myanimelist><myinfo><user_export_type>1</user_export_type></myinfo>" +
         std::string(rows) + "</myanimelist>";
}

std::string row_with(std::string_view fields) {
  return "<anime><series_animedb_id>1</series_animedb_id>" + std::string(fields) + "</anime>";
}

ParsedRow parse_row(std::string_view fields) {
  auto parsed = parse_export(list_of(row_with(fields)));
  EXPECT_TRUE(parsed) << parsed.error().detail;
  EXPECT_EQ(parsed->rows.size(), 1U);
  return parsed->rows.at(0);
}

std::string gzip(std::string_view text) {
  z_stream stream = {};
  EXPECT_EQ(deflateInit2(&stream, 9, Z_DEFLATED, 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY), Z_OK);
  std::string out(deflateBound(&stream, text.size()), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  EXPECT_EQ(deflate(&stream, Z_FINISH), Z_STREAM_END);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

/// What the heap held at most while `use` ran, beyond what it held before; tests are built with a sanitizer, whose allocator tells.
std::size_t peak_heap_bytes_of(const std::function<void()>& use) {
  static std::size_t held, most;
  static const int hooked = __sanitizer_install_malloc_and_free_hooks(
      [](const volatile void*, std::size_t bytes) { most = std::max(most, held += bytes); },
      [](const volatile void* freed) { held -= std::min(held, __sanitizer_get_allocated_size(freed)); });
  EXPECT_NE(hooked, 0);
  held = most = 0;
  use();
  return most;
}

TEST(MalExport, reads_every_field_of_a_row) {
  const ParsedRow parsed = parse_row(R"(
    <series_title><![CDATA[Cowboy Bebop]]></series_title><series_type>TV</series_type><series_episodes>26</series_episodes>
    <my_watched_episodes>26</my_watched_episodes><my_start_date>1999-04-03</my_start_date><my_finish_date>2024-00-00</my_finish_date>
    <my_score>10</my_score><my_status>Completed</my_status><my_comments><![CDATA[ See you. ]]></my_comments>
    <my_times_watched>2</my_times_watched><my_rewatching>0</my_rewatching>)");
  EXPECT_EQ(parsed.error, "");
  EXPECT_EQ(parsed.remarks, "");
  const Row expected{.mal_id = 1,
                     .title = "Cowboy Bebop",
                     .format = "TV",
                     .episode_count = 26,
                     .status = TrackingStatus::finished,
                     .episodes_watched = 26,
                     .started_on = PartialDate{1999, 4, 3},
                     .finished_on = PartialDate{2024, {}, {}},
                     .times_rewatched = 2,
                     .score = 10,
                     .notes = "See you."};
  EXPECT_EQ(parsed.row, expected);
}

TEST(MalExport, takes_zero_for_not_rated_and_unknown_count_and_no_date) {
  const ParsedRow parsed = parse_row(
      "<series_episodes>0</series_episodes><my_score>0</my_score><my_start_date>0000-00-00</my_start_date><my_finish_date></"
      "my_finish_date>");
  EXPECT_EQ(parsed.error, "");
  EXPECT_EQ(parsed.row.episode_count, std::nullopt);
  EXPECT_EQ(parsed.row.score, std::nullopt);
  EXPECT_EQ(parsed.row.started_on, std::nullopt);
  EXPECT_EQ(parsed.row.finished_on, std::nullopt);
}

TEST(MalExport, keeps_dates_as_far_as_they_are_remembered) {
  EXPECT_EQ(parse_row("<my_start_date>2024-05-00</my_start_date>").row.started_on, (PartialDate{2024, 5, {}}));
  EXPECT_EQ(parse_row("<my_start_date>2024-00-17</my_start_date>").row.started_on, (PartialDate{2024, {}, {}}));
  EXPECT_EQ(parse_row("<my_start_date>2024-02-29</my_start_date>").row.started_on, (PartialDate{2024, 2, 29}));
}

TEST(MalExport, leaves_out_dates_that_never_were_and_says_so) {
  for (const char* const date : {"2023-02-29", "2024-13-01", "yesterday", "0001-01-01", "2024-1-1"}) {
    const ParsedRow parsed = parse_row("<my_start_date>" + std::string(date) + "</my_start_date>");
    EXPECT_EQ(parsed.row.started_on, std::nullopt) << date;
    EXPECT_EQ(parsed.error, "") << date;
    EXPECT_NE(parsed.remarks.find("my_start_date"), std::string::npos) << date;
  }
}

TEST(MalExport, knows_statuses_in_words_and_numbers) {
  const std::vector<std::pair<const char*, TrackingStatus>> known = {{"Watching", TrackingStatus::watching},
                                                                     {"1", TrackingStatus::watching},
                                                                     {"Completed", TrackingStatus::finished},
                                                                     {"2", TrackingStatus::finished},
                                                                     {"On-Hold", TrackingStatus::paused},
                                                                     {"On Hold", TrackingStatus::paused},
                                                                     {"onhold", TrackingStatus::paused},
                                                                     {"3", TrackingStatus::paused},
                                                                     {"Dropped", TrackingStatus::dropped},
                                                                     {"4", TrackingStatus::dropped},
                                                                     {"6", TrackingStatus::backlog},
                                                                     {"Plan to Watch", TrackingStatus::backlog},
                                                                     {"plan_to_watch", TrackingStatus::backlog}};
  for (const auto& [text, status] : known)
    EXPECT_EQ(parse_row("<my_status>" + std::string(text) + "</my_status>").row.status, status) << text;
  EXPECT_NE(parse_row("<my_status>Rewatching?</my_status>").error.find("Rewatching?"), std::string::npos);
  EXPECT_NE(parse_row("<my_status>5</my_status>").error, "");
}

TEST(MalExport, tells_an_empty_status_by_progress) {
  EXPECT_EQ(parse_row("<my_status></my_status><my_watched_episodes>0</my_watched_episodes>").row.status, TrackingStatus::backlog);
  EXPECT_EQ(parse_row("<series_episodes>12</series_episodes><my_watched_episodes>3</my_watched_episodes>").row.status,
            TrackingStatus::watching);
  EXPECT_EQ(parse_row("<series_episodes>12</series_episodes><my_watched_episodes>12</my_watched_episodes>").row.status,
            TrackingStatus::finished);
}

TEST(MalExport, tells_what_a_row_does_not_say_from_what_it_says_is_none) {
  const Row silent = parse_row("<my_score>9</my_score><my_status></my_status><my_watched_episodes/>").row;
  EXPECT_EQ(silent, (Row{.mal_id = 1, .score = 9}));
  const Row none = parse_row("<my_watched_episodes>0</my_watched_episodes><my_times_watched>0</my_times_watched>").row;
  EXPECT_EQ(none, (Row{.mal_id = 1, .status = TrackingStatus::backlog, .episodes_watched = 0, .times_rewatched = 0}));
}

TEST(MalExport, keeps_the_count_as_unknown_when_progress_exceeds_it) {
  const ParsedRow parsed = parse_row("<series_episodes>26</series_episodes><my_watched_episodes>27</my_watched_episodes>");
  EXPECT_EQ(parsed.error, "");
  EXPECT_EQ(parsed.row.episode_count, std::nullopt);
  EXPECT_EQ(parsed.row.episodes_watched, 27);
  EXPECT_NE(parsed.remarks.find("27 of 26"), std::string::npos);
}

TEST(MalExport, says_what_is_wrong_with_a_row_and_goes_on) {
  const auto parsed =
      parse_export(list_of("<anime><series_title>No id</series_title></anime>"
                           "<anime><series_animedb_id>x</series_animedb_id></anime>" +
                           row_with("<my_watched_episodes>-3</my_watched_episodes>") + row_with("<my_score>11</my_score>") +
                           row_with("<my_watched_episodes>99999999999</my_watched_episodes>") + row_with("")));
  ASSERT_TRUE(parsed);
  ASSERT_EQ(parsed->rows.size(), 6U);
  for (std::size_t i = 0; i < 5; ++i) EXPECT_NE(parsed->rows[i].error, "") << i;
  EXPECT_EQ(parsed->rows[5].error, "");
}

TEST(MalExport, takes_bare_ampersands_and_stray_less_than_signs_for_what_they_are) {
  EXPECT_EQ(parse_row("<series_title>Panty & Stocking</series_title>").row.title, "Panty & Stocking");
  EXPECT_EQ(parse_row("<series_title>Panty &amp; Stocking</series_title>").row.title, "Panty & Stocking");
  EXPECT_EQ(parse_row("<series_title><![CDATA[Death & Rebirth]]></series_title>").row.title, "Death & Rebirth");
  EXPECT_EQ(parse_row("<my_comments>I <3 this</my_comments>").row.notes, "I <3 this");
  EXPECT_EQ(parse_row("<my_comments>a &; b &unknown; c</my_comments>").row.notes, "a &; b &unknown; c");
}

TEST(MalExport, decodes_html_in_texts) {
  EXPECT_EQ(parse_row("<series_title><![CDATA[Pok&eacute;mon &amp; Friends &#39;97]]></series_title>").row.title, "Pokémon & Friends '97");
  EXPECT_EQ(parse_row("<series_title>Pok&eacute;mon</series_title>").row.title, "Pokémon");
  EXPECT_EQ(parse_row("<my_comments><![CDATA[one<br />\r\ntwo<BR>three]]></my_comments>").row.notes, "one\ntwo\nthree");
}

TEST(MalExport, puts_right_text_that_was_taken_for_latin_1) {
  // こんに世界 as UTF-8, each byte that Latin-1 has an entity for written as that.
  EXPECT_EQ(parse_row("<my_comments><![CDATA[&atilde;\x81\x93&atilde;\x82\x93&atilde;\x81&laquo;&auml;&cedil;\x96&ccedil;\x95\x8c<br "
                      "/>]]></my_comments>")
                .row.notes,
            "こんに世界");
}

TEST(MalExport, replaces_bytes_that_are_no_utf8) {
  EXPECT_EQ(parse_row("<series_title><![CDATA[Caf\xE9 L\xC3\xA9]]></series_title>").row.title, "Caf\uFFFD Lé");
  EXPECT_EQ(parse_row(std::string("<series_title>a\0b\x01"
                                  "c</series_title>",
                                  34))
                .row.title,
            "abc");
  EXPECT_EQ(repair_text("\xED\xA0\x80\xC0\x80\xF5"), "\uFFFD\uFFFD\uFFFD\uFFFD\uFFFD\uFFFD");
}

TEST(MalExport, reads_gzip_by_its_bytes_and_several_members_of_it) {
  const std::string text = list_of(row_with("<my_score>7</my_score>"));
  EXPECT_EQ(parse_export(gzip(text))->rows.at(0).row.score, 7);
  EXPECT_EQ(parse_export(gzip(text.substr(0, 50)) + gzip(text.substr(50)))->rows.at(0).row.score, 7);
  const std::string whole = gzip(text);
  const auto cut = parse_export(whole.substr(0, whole.size() / 2));
  ASSERT_FALSE(cut);
  EXPECT_EQ(cut.error().kind, Unreadable::Kind::damaged);
}

TEST(MalExport, refuses_what_inflates_beyond_the_limit) {
  const auto bomb = parse_export(gzip(std::string(inflated_bytes_max + 1, ' ')));
  ASSERT_FALSE(bomb);
  EXPECT_EQ(bomb.error().kind, Unreadable::Kind::too_large);
}

TEST(MalExport, refuses_manga_lists_other_xml_and_no_xml) {
  const auto kind_of = [](std::string_view file) {
    const auto parsed = parse_export(file);
    EXPECT_FALSE(parsed) << file;
    return parsed ? Unreadable::Kind::damaged : parsed.error().kind;
  };
  EXPECT_EQ(kind_of("<myanimelist><myinfo><user_export_type>2</user_export_type></myinfo></myanimelist>"), Unreadable::Kind::manga_list);
  EXPECT_EQ(kind_of("<myanimelist><manga><manga_mangadb_id>1</manga_mangadb_id></manga></myanimelist>"), Unreadable::Kind::manga_list);
  EXPECT_EQ(kind_of("<html><body>not found</body></html>"), Unreadable::Kind::not_an_export);
  EXPECT_EQ(kind_of("{\"json\": true}"), Unreadable::Kind::not_an_export);
  EXPECT_EQ(kind_of(" \n"), Unreadable::Kind::not_an_export);
  EXPECT_EQ(kind_of(""), Unreadable::Kind::not_an_export);
}

TEST(MalExport, takes_an_empty_list_for_one) {
  for (const std::string_view text : {"<myanimelist></myanimelist>", "<myanimelist/>"}) {
    const auto parsed = parse_export(text);
    ASSERT_TRUE(parsed);
    EXPECT_TRUE(parsed->rows.empty()) << text;
  }
}

TEST(MalExport, refuses_document_types_so_that_no_entity_is_ever_expanded) {
  const auto parsed = parse_export(
      "<!DOCTYPE myanimelist [<!ENTITY secret SYSTEM \"file:///etc/passwd\">]><myanimelist><anime><series_animedb_id>1</series_animedb_id>"
      "<series_title>&secret;</series_title></anime></myanimelist>");
  ASSERT_FALSE(parsed);
  EXPECT_EQ(parsed.error().kind, Unreadable::Kind::not_an_export);
}

TEST(MalExport, never_takes_half_a_row_for_a_whole_one) {
  const std::string text = list_of(row_with("<my_score>7</my_score>") + row_with("<my_score>8</my_score><my_status>Dropped</my_status>"));
  const auto parsed = parse_export(text.substr(0, text.find("<my_status>")));
  ASSERT_TRUE(parsed);
  ASSERT_EQ(parsed->rows.size(), 2U);
  EXPECT_EQ(parsed->rows[0].row.score, 7);
  EXPECT_NE(parsed->rows[1].error, "");
}

TEST(MalExport, confines_damage_to_the_row_that_has_it) {
  const auto parsed =
      parse_export(list_of(row_with("<my_score>7</my_score>") +
                           "<anime><series_animedb_id>2</series_animedb_id><my_score>9<my_status>Dropped</my_status></anime>" +
                           "<anime><series_animedb_id>3</series_animedb_id><my_sco</anime>" + row_with("<my_score>8</my_score>")));
  ASSERT_TRUE(parsed);
  ASSERT_EQ(parsed->rows.size(), 4U);
  EXPECT_EQ(parsed->rows[0].row.score, 7);
  EXPECT_NE(parsed->rows[1].error, "");
  EXPECT_EQ(parsed->rows[3].row.score, 8);
}

TEST(MalExport, ends_a_text_that_has_no_end_with_its_row) {
  const auto parsed = parse_export(list_of(row_with("<my_comments><![CDATA[oops</my_comments><my_status>Watching</my_status>") +
                                           row_with("<my_status>Completed</my_status><my_comments><![CDATA[good]]></my_comments>") +
                                           row_with("<my_comments><![CDATA[last</my_comments>")));
  ASSERT_TRUE(parsed);
  ASSERT_EQ(parsed->rows.size(), 3U);
  EXPECT_NE(parsed->rows[0].error, "");
  EXPECT_EQ(parsed->rows[1].error, "");
  EXPECT_EQ(parsed->rows[1].row.notes, "good");
  EXPECT_NE(parsed->rows[2].error, "");
}

TEST(MalExport, drops_attributes_before_anybody_compares_them) {
  std::string attributes;
  for (int i = 0; i < 200'000; ++i) attributes += " a" + std::to_string(i) + "=\"\"";
  const auto parsed = parse_export(list_of(row_with("<series_title" + attributes + ">Frieren</series_title>")));
  ASSERT_TRUE(parsed);
  EXPECT_EQ(parsed->rows.at(0).row.title, "Frieren");
}

TEST(MalExport, fails_a_row_that_is_too_large_to_be_one_and_goes_on) {
  std::string tags;
  for (std::size_t i = 0; i <= row_tags_max; ++i) tags += "<b/>";
  const std::string longest(field_bytes_max - 1, 'x');
  std::string texts;
  while (texts.size() <= row_bytes_max) texts += "<my_comments>" + longest + "</my_comments>";
  const auto parsed = parse_export(list_of(row_with(tags) + row_with(texts) + row_with("<my_comments>" + longest + "</my_comments>")));
  ASSERT_TRUE(parsed);
  ASSERT_EQ(parsed->rows.size(), 3U);
  EXPECT_THAT(parsed->rows[0].error, testing::HasSubstr("tags"));
  EXPECT_THAT(parsed->rows[1].error, testing::HasSubstr("bytes"));
  EXPECT_EQ(parsed->rows[2].row.notes, longest);
}

TEST(MalExport, repairs_no_text_that_is_too_long_to_be_kept) {
  const std::size_t size = 8 * row_bytes_max;
  const std::string bad(size, '\xFF'), ampersands(size, '&'), name(size, 'x');
  for (const std::string& file : {list_of(row_with("<my_comments>" + bad)), list_of(row_with("<my_comments>" + ampersands)),
                                  list_of(row_with("<my_comments><![CDATA[" + bad + "]]>")), list_of(row_with("<" + name + ">")),
                                  list_of(bad), list_of(ampersands), list_of("<" + name + ">"), "<" + name + ">"})
    EXPECT_LT(peak_heap_bytes_of([&] { (void)parse_export(file); }), row_bytes_max) << file.substr(100, 120);
}

TEST(MalExport, refuses_what_becomes_too_large_as_it_is_repaired) {
  // An ampersand becomes five bytes.
  std::string rows;
  while (rows.size() * 5 <= inflated_bytes_max) rows += row_with("<my_comments>" + std::string(row_bytes_max / 6, '&') + "</my_comments>");
  const std::size_t peak = peak_heap_bytes_of([&] {
    const auto parsed = parse_export(list_of(rows));
    ASSERT_FALSE(parsed);
    EXPECT_EQ(parsed.error().kind, Unreadable::Kind::too_large);
  });
  EXPECT_LT(peak, 3 * inflated_bytes_max);
}

TEST(MalExport, reads_an_empty_list) { EXPECT_TRUE(parse_export(list_of(""))->rows.empty()); }

TEST(MalExport, refuses_more_rows_than_its_limit) {
  std::string rows;
  for (std::size_t i = 0; i <= rows_max; ++i) rows += "<anime/>";
  const auto parsed = parse_export(list_of(rows));
  ASSERT_FALSE(parsed);
  EXPECT_EQ(parsed.error().kind, Unreadable::Kind::too_many_rows);
}

TEST(MalExport, reads_a_list_as_large_as_its_limits) {
  std::string rows;
  const std::string notes(1000, 'x');
  for (int i = 1; i <= 40'000; ++i)
    rows += "<anime><series_animedb_id>" + std::to_string(i) + "</series_animedb_id><my_comments><![CDATA[" + notes +
            "]]></my_comments></anime>";
  const auto parsed = parse_export(list_of(rows));
  ASSERT_TRUE(parsed) << parsed.error().detail;
  ASSERT_EQ(parsed->rows.size(), 40'000U);
  EXPECT_EQ(parsed->rows.back().row.mal_id, 40'000);
  EXPECT_EQ(parsed->rows.back().row.notes, notes);
}

TEST(MalExport, knows_every_entity_of_html) {
  EXPECT_EQ(decode_html("&quot;&apos;&lt;&nbsp;&yuml;&OElig;&thetasym;&hearts;&diams;"), "\"'<\u00A0ÿŒϑ♥♦");
  EXPECT_EQ(decode_html("&Quot;&diam;&diamss;&a;&;"), "&Quot;&diam;&diamss;&a;&;");
}

TEST(MalExport, survives_any_damage) {
  const std::string text = list_of(row_with("<series_title><![CDATA[T&eacute;st]]></series_title><my_score>7</my_score>") + row_with(""));
  for (std::size_t cut = 0; cut <= text.size(); ++cut) {
    (void)parse_export(text.substr(0, cut));
    (void)parse_export(text.substr(cut));
    std::string flipped = text;
    if (cut < flipped.size()) flipped[cut] = static_cast<char>(flipped[cut] ^ 0x1c);
    (void)parse_export(flipped);
  }
}

/// The source tree: tests run somewhere in its build folder.
std::filesystem::path source_folder() {
  for (auto folder = std::filesystem::current_path(); folder != folder.root_path(); folder = folder.parent_path())
    if (std::filesystem::exists(folder / "tests/data/mal-small.xml")) return folder;
  return std::filesystem::weakly_canonical(std::filesystem::path(__FILE__).parent_path() / "../../..");
}

std::optional<std::string> file_at(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) return std::nullopt;
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

/// A file of the shared data, where it is at hand.
std::optional<std::string> shared_file(const std::string& name) {
  const char* const named = std::getenv("BLOOMWATCH_SHARED_DATA");
  return file_at((named != nullptr ? std::filesystem::path(named) : source_folder() / "../shared/data") / name);
}

TEST(MalExport, reads_the_real_list_whole) {
  const auto file = shared_file("mal/real-export-2008.xml.gz");
  if (!file) GTEST_SKIP() << "the shared data is not at hand";
  const auto parsed = parse_export(*file);
  ASSERT_TRUE(parsed) << parsed.error().detail;
  ASSERT_EQ(parsed->rows.size(), 109U);
  std::map<TrackingStatus, int> by_status;
  for (const ParsedRow& row : parsed->rows) {
    EXPECT_EQ(row.error, "") << row.row.title.value_or("?");
    ASSERT_TRUE(row.row.status);
    ++by_status[*row.row.status];
  }
  // The one comment in which somebody escaped UTF-8 byte by byte.
  const auto blood = std::ranges::find(parsed->rows, 150, [](const ParsedRow& row) { return row.row.mal_id; });
  ASSERT_NE(blood, parsed->rows.end());
  EXPECT_EQ(blood->row.notes, "こんにちは、世界\nDownloaded Episodes: 50");
  // What the file says of itself in myinfo.
  EXPECT_EQ(by_status[TrackingStatus::watching], 12);
  EXPECT_EQ(by_status[TrackingStatus::finished], 73);
  EXPECT_EQ(by_status[TrackingStatus::paused], 0);
  EXPECT_EQ(by_status[TrackingStatus::dropped], 3);
  EXPECT_EQ(by_status[TrackingStatus::backlog], 21);
}

TEST(MalExport, reads_the_sample_of_version_1_1) {
  const auto file = shared_file("formats/mal_export_v1.1.0.xml");
  if (!file) GTEST_SKIP() << "the shared data is not at hand";
  const auto parsed = parse_export(*file);
  ASSERT_TRUE(parsed) << parsed.error().detail;
  ASSERT_EQ(parsed->rows.size(), 2U);
  EXPECT_EQ(parsed->rows[0].row.finished_on, (PartialDate{2024, {}, {}}));
  EXPECT_EQ(parsed->rows[1].row.started_on, (PartialDate{2024, 1, 5}));
}

TEST(MalExport, reads_our_own_small_list) {
  const auto file = file_at(source_folder() / "tests/data/mal-small.xml");
  ASSERT_TRUE(file);
  const auto parsed = parse_export(*file);
  ASSERT_TRUE(parsed) << parsed.error().detail;
  EXPECT_EQ(parsed->rows.size(), 10U);
  EXPECT_EQ(parsed->rows[3].row.notes, "See you & good night");
  EXPECT_NE(parsed->rows[4].remarks, "");
}

}  // namespace
}  // namespace bloomwatch::mal
