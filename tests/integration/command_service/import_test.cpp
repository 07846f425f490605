// A MyAnimeList export through the whole of command-service.
#include <fmt/format.h>

#include <fstream>

#include "command-service/sync/mal_import.h"
#include "command-service/undo/undo_import.h"
#include "tests/integration/command_service/service_fixture.h"

namespace bloomwatch::test {
namespace {

std::string list_of(int rows, int first = 1) {
  std::string list = "<myanimelist>";
  for (int i = first; i < first + rows; ++i)
    list += "<anime><series_animedb_id>" + std::to_string(i) + "</series_animedb_id><series_title>Title " + std::to_string(i) +
            "</series_title><series_episodes>12</series_episodes><my_watched_episodes>" + std::to_string(i % 13) +
            "</my_watched_episodes><my_score>" + std::to_string(i % 11) + "</my_score><my_status>Watching</my_status></anime>";
  return list + "</myanimelist>";
}

class Import : public CommandServiceTest {
 protected:
  explicit Import(Config config = {}) : CommandServiceTest(std::move(config)) {}

  Reply import(const std::string& list, const std::string& query = "", const Headers& headers = {}) {
    return post("/api/watch-spaces/" + space_ + "/imports/mal" + query, list, mira_.access_token, headers);
  }
  Reply import_under_key(const std::string& list, const std::string& query = "") {
    return import(list, query, {{"Idempotency-Key", "list"}});
  }
  Reply undo(const std::string& import, const std::string& key) {
    return post("/api/watch-spaces/" + space_ + "/imports/" + import + "/undo", "", mira_.access_token, {{"Idempotency-Key", key}});
  }
  static std::string counts(int added, int changed, int unchanged, int failed) {
    return R"({"added":)" + std::to_string(added) + R"(,"changed":)" + std::to_string(changed) + R"(,"unchanged":)" +
           std::to_string(unchanged) + R"(,"failed":)" + std::to_string(failed) + "}";
  }
  static std::string counts_of(const Reply& reply) {
    EXPECT_EQ(reply.status, 200) << reply.body;
    return reply.json().counts.value_or(json::Raw{}).text;
  }

  const Person mira_ = register_person("mira");
  const std::string space_ = make_space(mira_);
};

TEST_F(Import, twice_appends_nothing) {
  EXPECT_EQ(counts_of(import(list_of(300))), counts(300, 0, 0, 0));
  const std::int64_t events = count("log.events");
  const Reply again = import(list_of(300));
  EXPECT_EQ(counts_of(again), counts(0, 0, 300, 0));
  EXPECT_EQ(count("log.events"), events);
  EXPECT_EQ(counts_of(import(list_of(301))), counts(1, 0, 300, 0));
}

TEST_F(Import, dry_run_says_what_would_happen_and_writes_nothing) {
  const std::int64_t events = count("log.events");
  EXPECT_EQ(counts_of(import(list_of(5), "?dryRun=true")), counts(5, 0, 0, 0));
  EXPECT_EQ(count("log.events"), events);
  import(list_of(3));
  const std::int64_t then = count("log.events");
  EXPECT_EQ(counts_of(import(list_of(5), "?dryRun=true&shared=true")), counts(2, 3, 0, 0));
  EXPECT_EQ(count("log.events"), then);
}

TEST_F(Import, takes_the_first_of_rows_that_are_the_same_anime) {
  const std::string row = "<anime><series_animedb_id>7</series_animedb_id><my_score>7</my_score></anime>";
  const std::string same = "<anime><series_animedb_id>7</series_animedb_id><my_score>7</my_score></anime>";
  const std::string other = "<anime><series_animedb_id>7</series_animedb_id><my_score>9</my_score></anime>";
  const std::string list = "<myanimelist>" + row + same + other + "</myanimelist>";
  EXPECT_EQ(counts_of(import(list)), counts(1, 0, 1, 1));
  const std::int64_t events = count("log.events");
  EXPECT_EQ(counts_of(import(list)), counts(0, 0, 2, 1));
  EXPECT_EQ(count("log.events"), events);
}

TEST_F(Import, marks_its_events_with_where_they_came_from) {
  const Reply reply = import(list_of(2));
  EXPECT_EQ(count("log.events WHERE origin = 'import' AND provider = 'mal' AND reference = '" + *reply.json().id + "'"),
            count("log.events WHERE category = 'anime'"));
}

TEST_F(Import, tells_strangers_nothing_whatever_they_send) {
  const Person ken = register_person("ken");
  for (const std::string& list : {list_of(1), std::string("no list")}) {
    const Reply real = post("/api/watch-spaces/" + space_ + "/imports/mal", list, ken.access_token);
    const Reply none = post("/api/watch-spaces/" + Uuid::v7(now()).to_string() + "/imports/mal", list, ken.access_token);
    EXPECT_EQ(real.status, 404);
    EXPECT_EQ(none.status, 404);
    EXPECT_EQ(real.json().type, none.json().type);
  }
}

TEST_F(Import, reports_rows_that_cannot_come_in_and_goes_on) {
  const Reply reply = import(
      "<myanimelist><anime><series_animedb_id>1</series_animedb_id><my_watched_episodes>100001</my_watched_episodes></anime>"
      "<anime><series_animedb_id>99999999999</series_animedb_id></anime><anime/>"
      "<anime><series_animedb_id>2</series_animedb_id><my_comments>" +
      std::string(3000, 'x') + "</my_comments></anime></myanimelist>");
  EXPECT_EQ(counts_of(reply), counts(1, 0, 0, 3));
  EXPECT_TRUE(reply.body.contains("my_comments was cut to 2000 characters")) << reply.body;
}

TEST_F(Import, leaves_progress_that_the_space_cannot_take_and_takes_the_rest) {
  const auto airing = [](int count, int watched, int score) {
    return fmt::format(
        "<myanimelist><anime><series_animedb_id>1</series_animedb_id><series_episodes>{}</series_episodes>"
        "<my_watched_episodes>{}</my_watched_episodes><my_score>{}</my_score></anime></myanimelist>",
        count, watched, score);
  };
  EXPECT_EQ(counts_of(import(airing(12, 5, 7))), counts(1, 0, 0, 0));
  const Reply grown = import(airing(24, 13, 8));
  EXPECT_EQ(counts_of(grown), counts(0, 1, 0, 0));
  EXPECT_TRUE(grown.body.contains("progress stays as it was")) << grown.body;
  EXPECT_EQ(count("log.events WHERE type = 'ParticipantProgressChanged'"), 1);
  EXPECT_EQ(count("log.events WHERE type = 'AnimeRated'"), 2);
  EXPECT_EQ(counts_of(import(airing(24, 13, 8))), counts(0, 0, 1, 0));
}

TEST_F(Import, keeps_what_a_row_does_not_say) {
  const auto row = [](const std::string& fields) {
    return "<myanimelist><anime><series_animedb_id>7</series_animedb_id>" + fields + "</anime></myanimelist>";
  };
  EXPECT_EQ(counts_of(import(row("<series_episodes>12</series_episodes><my_watched_episodes>12</my_watched_episodes>"
                                 "<my_status>Completed</my_status><my_times_watched>1</my_times_watched>"))),
            counts(1, 0, 0, 0));
  const std::int64_t events = count("log.events");
  const Reply reply = import(row("<my_score>9</my_score>"), "?shared=true");
  EXPECT_EQ(counts_of(reply), counts(0, 1, 0, 0));
  EXPECT_EQ(count("log.events"), events + 1);
  EXPECT_EQ(count("log.events WHERE type = 'AnimeRated'"), 1);
  EXPECT_TRUE(reply.body.contains(R"("status":null,"episodesWatched":null)")) << reply.body;
}

TEST_F(Import, is_taken_from_one_account_so_often) {
  for (int i = 0; i < static_cast<int>(mal::imports_max); ++i) EXPECT_EQ(import("no list").status, 422);
  EXPECT_EQ(import(list_of(1)).status, 429);
  const Person ken = register_person("ken");
  EXPECT_EQ(post("/api/watch-spaces/" + make_space(ken) + "/imports/mal", list_of(1), ken.access_token).status, 200);
}

TEST_F(Import, is_undone_by_one_account_so_often) {
  const std::string none = Uuid::v7(now()).to_string();
  for (int i = 0; i < static_cast<int>(undo::import_undos_max); ++i) EXPECT_EQ(undo(none, std::to_string(i)).status, 404);
  EXPECT_EQ(undo(none, "last").status, 429);
}

TEST_F(Import, with_an_idempotency_key_is_done_once) {
  const auto first = import_under_key(list_of(2));
  EXPECT_EQ(counts_of(first), counts(2, 0, 0, 0));
  const std::int64_t events = count("log.events");
  const auto again = import_under_key(list_of(2));
  EXPECT_EQ(again.json().type, "/problems/import-came-before");
  constexpr std::string_view name = R"("id":")";
  EXPECT_TRUE(again.body.contains(first.body.substr(first.body.find(name) + name.size(), 36))) << again.body;
  EXPECT_EQ(import_under_key(list_of(3)).status, 422);
  EXPECT_EQ(import_under_key(list_of(2), "?shared=true").status, 422);
  EXPECT_EQ(count("log.events"), events);
}

TEST_F(Import, spends_no_idempotency_key_on_what_is_no_list) {
  for (int i = 0; i < 2; ++i) EXPECT_EQ(import_under_key("no list").json().type, "/problems/no-anime-list");
  EXPECT_EQ(counts_of(import_under_key(list_of(2))), counts(2, 0, 0, 0));
}

TEST_F(Import, spends_no_idempotency_key_where_what_seals_comments_cannot_be_read) {
  restart();  // the key is no longer in memory
  connection().script("ALTER TABLE secrets.keys RENAME TO keys_elsewhere");
  EXPECT_EQ(import_under_key(list_of(2)).status, 503);
  connection().script("ALTER TABLE secrets.keys_elsewhere RENAME TO keys");
  EXPECT_EQ(counts_of(import_under_key(list_of(2))), counts(2, 0, 0, 0));
}

/// Every append fails, and a sequence, which no rollback takes back, keeps which stream it was to be to.
constexpr std::string_view refuse_appends = R"(
  CREATE FUNCTION log.mark_of(id uuid) RETURNS bigint LANGUAGE sql AS $$ SELECT 1 + (hashtext(id::text)::bigint & 2147483647) $$;
  CREATE SEQUENCE log.refused_stream;
  CREATE FUNCTION log.refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    PERFORM setval('log.refused_stream', log.mark_of(NEW.stream_id)); RAISE 'disk full' USING ERRCODE = '53100';
  END $$;
  CREATE TRIGGER refuse BEFORE INSERT ON log.events FOR EACH ROW EXECUTE FUNCTION log.refuse())";

// What became of the first sending is not always known: were its anime in the log, a command that says that it is new would hide that.
TEST_F(Import, sends_a_row_again_as_an_anime_that_is_new) {
  connection().script(std::string(refuse_appends));
  auto imported = std::async(std::launch::async, [this] { return import(list_of(1)); });
  for (int i = 0; !service_->not_ready() && i < 1000; ++i) std::this_thread::sleep_for(std::chrono::milliseconds(20));
  EXPECT_NE(service_->not_ready(), std::nullopt) << "the writer should let another lead";
  connection().script("DROP TRIGGER refuse ON log.events");
  EXPECT_EQ(counts_of(imported.get()), counts(1, 0, 0, 0));
  EXPECT_EQ(count("log.refused_stream WHERE is_called"), 1);
  EXPECT_EQ(count("log.events, log.refused_stream WHERE type = 'AnimeAdded' AND log.mark_of(stream_id) = last_value"), 0);
}

TEST_F(Import, is_taken_back_once_with_an_idempotency_key) {
  const std::string first = *import(list_of(2)).json().id;
  const std::string second = *import(list_of(1, 7)).json().id;
  const Reply undone = undo(first, "back");
  EXPECT_EQ(undone.status, 200) << undone.body;
  EXPECT_EQ(count("log.events WHERE type = 'AnimeRemoved'"), 2);
  EXPECT_EQ(undo(second, "back").status, 422);
  const std::string position = std::to_string(*undone.json().position);
  EXPECT_EQ(post("/api/watch-spaces/" + space_ + "/history/" + position + "/undo", "", mira_.access_token).status, 200);
  const std::int64_t events = count("log.events");
  EXPECT_EQ(undo(first, "back").json().type, "/problems/import-undo-came-before");
  EXPECT_EQ(count("log.events"), events);
}

TEST_F(Import, answers_no_more_of_a_long_text_than_is_needed_to_recognize_it) {
  const Reply reply = import("<myanimelist><anime><series_animedb_id>1</series_animedb_id><series_title>" + std::string(1 << 20, '"') +
                             "</series_title></anime></myanimelist>");
  EXPECT_EQ(counts_of(reply), counts(0, 0, 0, 1));
  EXPECT_LT(reply.body.size(), 1000U);
}

struct ToldRow {
  std::string outcome;
  json::Raw row;
  std::optional<std::string> reason;
};
BOOST_DESCRIBE_STRUCT(ToldRow, (), (outcome, row, reason))
struct ToldRows {
  std::vector<ToldRow> rows;
};
BOOST_DESCRIBE_STRUCT(ToldRows, (), (rows))

TEST_F(Import, tells_failed_rows_first_and_of_the_others_what_the_report_has_room_for) {
  const std::string text(200, '"');  // as JSON twice as long
  std::string list = "<myanimelist>";
  const std::size_t rows = mal::report_bytes_max / (4 * text.size());
  for (std::size_t i = 1; i <= rows; ++i)
    list +=
        fmt::format("<anime><series_animedb_id>{}</series_animedb_id><my_comments>{}</my_comments><series_title>{}</series_title></anime>",
                    i, text, text);
  const Reply reply = import(list + "<anime><my_score>12</my_score></anime></myanimelist>", "?dryRun=true");
  EXPECT_EQ(counts_of(reply), counts(static_cast<int>(rows), 0, 0, 1));
  EXPECT_LT(reply.body.size(), mal::report_bytes_max + rows * 100);
  const auto told = json::read<ToldRows>(reply.body, json::Unknown::ignored).value().rows;
  ASSERT_EQ(told.size(), rows + 1);
  EXPECT_NE(told.front().row.text, "null");
  EXPECT_TRUE(told.back().reason.value_or("").contains("my_score"));
  const ToldRow& last = told.at(rows - 1);
  EXPECT_EQ(last.outcome, "added");
  EXPECT_EQ(last.row.text, "null");
  EXPECT_EQ(last.reason, std::nullopt);
}

TEST_F(Import, says_that_a_failed_row_is_left_out_of_a_full_report) {
  const std::string row = "<anime><my_comments>" + std::string(200, '"') + "</my_comments></anime>";
  std::string list = "<myanimelist>";
  const std::size_t rows = mal::report_bytes_max / 400;
  for (std::size_t i = 0; i < rows; ++i) list += row;
  const Reply reply = import(list + "</myanimelist>");
  EXPECT_EQ(counts_of(reply), counts(0, 0, 0, static_cast<int>(rows)));
  EXPECT_LT(reply.body.size(), mal::report_bytes_max + rows * 200);
  const auto told = json::read<ToldRows>(reply.body, json::Unknown::ignored).value().rows;
  EXPECT_TRUE(told.front().reason.value_or("").contains("series_animedb_id"));
  EXPECT_EQ(told.back().row.text, "null");
  EXPECT_TRUE(told.back().reason.value_or("").contains("the report is full"));
}

Config with_a_queue_of(std::uint64_t most) {
  Config config;
  config.writer_queue_max = most;
  return config;
}

class ImportUnderPressure : public Import {
 protected:
  ImportUnderPressure() : Import(with_a_queue_of(4)) {}
};

TEST_F(ImportUnderPressure, waits_where_the_queue_is_full) { EXPECT_EQ(counts_of(import(list_of(400))), counts(400, 0, 0, 0)); }

}  // namespace
}  // namespace bloomwatch::test
