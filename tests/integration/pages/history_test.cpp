// The pages of history over random histories: which changes they show to whom, and what was there before, against
// tests/data/history_from_log.sql, which knows nothing of folds. Then what the pages are asked for in a whole service: forgotten people,
// cursors, exports.
#include <gmock/gmock.h>

#include "query-service/history/pages.h"
#include "tests/integration/pages/any_history.h"
#include "tests/integration/pages/world.h"

namespace bloomwatch::test {
namespace {

using ::testing::HasSubstr;

std::string path_of(const WatchSpaceId& space) { return "/api/watch-spaces/" + space.to_string(); }

class AnyHistoryPages : public PagesOfAnyHistory {
 protected:
  AnyHistoryPages() { connection.script(text_of_file("tests/data/history_from_log.sql")); }

  /// The positions of the events for which `condition` holds, newest first, as an array of JSON.
  std::string log_says(const std::string& condition, const std::vector<std::string>& texts = {}) {
    return value(
        "SELECT COALESCE(jsonb_agg(position ORDER BY position DESC), '[]')::text FROM log.events AS e WHERE position > 0 AND " + condition,
        texts);
  }
  std::string positions(const std::string& items) {
    return value(
        "SELECT COALESCE(jsonb_agg(i -> 'position' ORDER BY place), '[]')::text FROM jsonb_array_elements($1::text::jsonb)"
        " WITH ORDINALITY AS e (i, place)",
        {items});
  }
  /// The list shows exactly these events, and of each what the log says was there before.
  void expect_list(ProfileId by, const std::string& target, const std::string& condition, const std::vector<std::string>& texts = {}) {
    const std::string shown = items(by, target);
    const std::string expected = log_says(condition, texts);
    EXPECT_EQ(positions(shown), expected) << target;
    EXPECT_EQ(value("SELECT told.changes_of($1::text::jsonb)::text", {shown}),
              value("SELECT told.changes(ARRAY(SELECT jsonb_array_elements_text($1::text::jsonb)::bigint))::text", {expected}))
        << target;
    EXPECT_EQ(
        value("SELECT jsonb_object_agg(i ->> 'position', i -> 'undoneBy')::text FROM jsonb_array_elements($1::text::jsonb) AS i", {shown}),
        value("SELECT jsonb_object_agg(p, told.undone_by(p::bigint))::text FROM jsonb_array_elements_text($1::text::jsonb) AS p",
              {expected}))
        << target;
  }
  /// Some events take back an earlier one, and some the one that did, or another time what stands again.
  static std::vector<NewEvent> with_undoes(std::vector<NewEvent> events) {
    for (std::size_t i = 3; i + 4 < events.size(); i += 17) {
      events[i].undoes = events[i - 3].event_id;
      for (std::size_t more = 1; more <= i % 5; ++more) events[i + more].undoes = events[i + more - 1 - more / 4].event_id;
    }
    return events;
  }

  static constexpr std::string_view of_person =
      "EXISTS (SELECT FROM told.people AS p WHERE p.position = e.position AND p.person = $1::text::uuid)";
};

class AnyHistorySeed : public AnyHistoryPages, public testing::WithParamInterface<int> {};

TEST_P(AnyHistorySeed, shows_every_change_once_to_those_whom_it_concerns) {
  History history(static_cast<std::uint64_t>(GetParam()));
  Follower follower = open_follower();
  for (int round = 0; round < 2; ++round) {
    append(with_undoes(history.next(400)));
    fold_all(follower);
    for (const History::Space& space : history.spaces())
      expect_list(*space.members.begin(), path_of(space.id) + "/history?limit=7", "partition_key = $1::text::uuid", {space.id.to_string()});
    for (std::size_t i = 0; i < history.anime().size(); i += 5) {
      const History::Anime& anime = history.anime()[i];
      const History::Space& space = history.spaces()[anime.space];
      expect_list(*space.members.begin(), path_of(space.id) + "/anime/" + anime.id.to_string() + "/history?limit=50",
                  "stream_id = $1::text::uuid AND category = 'anime'", {anime.id.to_string()});
    }
    for (const History::Space& space : history.spaces()) {
      const ProfileId person = *space.members.rbegin();
      expect_list(person, "/api/me/history?limit=20", std::string(of_person), {person.to_string()});
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Seeds, AnyHistorySeed, testing::Range(1, 4));

TEST_F(AnyHistoryPages, find_by_person_type_field_and_time) {
  History history(11);
  append(history.next(900));
  Follower follower = open_follower();
  fold_all(follower);
  const History::Space& space = history.spaces().front();
  const ProfileId member = *space.members.begin();
  const std::string list = path_of(space.id) + "/history?limit=9";
  const std::string in_space = "partition_key = $2::text::uuid AND ";
  const std::vector<std::string> who = {member.to_string(), space.id.to_string()};
  expect_list(member, list + "&person=" + member.to_string(), in_space + std::string(of_person), who);
  expect_list(member, list + "&types=AnimeRated&types=MoodChanged",
              "partition_key = $1::text::uuid AND type IN ('AnimeRated', 'MoodChanged')", {who[1]});
  expect_list(member, list + "&field=rating", "partition_key = $1::text::uuid AND type IN ('AnimeRated', 'RatingCleared')", {who[1]});
  expect_list(member, list + "&field=rating&types=RatingCleared&person=" + member.to_string(),
              in_space + std::string(of_person) + " AND type = 'RatingCleared'", who);
  expect_list(member, list + "&field=rating&types=MoodChanged", "false");
  const auto time_at = [&](int position) {
    return connection.query("SELECT recorded_at FROM log.events WHERE position = $1", pg::Params(static_cast<std::int64_t>(position)))[0]
        .get<Time>(0);
  };
  const std::string from = to_rfc3339(time_at(300)), until = to_rfc3339(time_at(700));
  expect_list(member, list + "&from=" + from + "&until=" + until,
              "partition_key = $1::text::uuid AND recorded_at >= $2::text::timestamptz AND recorded_at < $3::text::timestamptz",
              {who[1], from, until});
  expect_list(member, "/api/me/history?limit=3&field=status&from=" + from,
              std::string(of_person) + " AND type = 'ParticipantStatusChanged' AND recorded_at >= $2::text::timestamptz",
              {member.to_string(), from});
  for (const std::string wrong : {"&types=Nonsense", "&field=nonsense", "&from=yesterday", "&person=me", "&format=xml", "&limit=201"})
    EXPECT_EQ(answer(member, list + wrong).status, 400) << wrong;
  EXPECT_EQ(answer(member, list + "&from=" + until + "&until=" + from).status, 400);
}

TEST_F(AnyHistoryPages, go_on_where_a_filtered_page_stopped_looking) {
  History history(5);
  const ProfileId mira = history.register_user();
  const std::size_t space = history.create_space(mira);
  const std::size_t anime = history.add_anime(space);
  for (int i = 0; i < 2 * changes_examined_max + 100; ++i) history.rate(anime, mira, static_cast<std::int16_t>(10 + 5 * (i % 2)));
  append(history.take());
  Follower follower = open_follower();
  fold_all(follower);
  const std::string list = path_of(history.spaces()[space].id) + "/history?types=AnimeAdded";
  const auto first = json::read<NextLink>(get(mira, list), json::Unknown::ignored);
  ASSERT_TRUE(first->next);
  expect_list(mira, list, "type = 'AnimeAdded'");
  expect_list(mira, "/api/me/history?types=UserRegistered", "type = 'UserRegistered'");
}

TEST_F(AnyHistoryPages, show_admins_what_they_asked_for_and_nobody_else) {
  History history(21);
  append(history.next(600));
  const History::Space space = history.spaces().front();
  const ProfileId admin = history.register_user(), other = history.register_user(), person = *space.members.begin();
  history.change_role(admin, AccountRole::admin);
  history.change_role(other, AccountRole::admin);
  const AnimeId anime = history.anime().front().id;
  const std::string everything = history.query_audit(admin, {}).to_string();
  const std::string of_one = history.query_audit(admin, {.person = person}).to_string();
  const std::string ratings = history.query_audit(admin, {.person = person, .watch_space = space.id, .field = "rating"}).to_string();
  const std::string of_anime = history.query_audit(admin, {.anime = anime, .types = {"MoodChanged"}}).to_string();
  append(history.take());
  Follower follower = open_follower();
  fold_all(follower);
  const std::string audit = "/api/admin/audit?limit=33&query=";
  expect_list(admin, audit + everything, "true");
  expect_list(admin, audit + of_one, std::string(of_person), {person.to_string()});
  expect_list(admin, audit + ratings,
              std::string(of_person) + " AND partition_key = $2::text::uuid AND type IN ('AnimeRated', 'RatingCleared')",
              {person.to_string(), space.id.to_string()});
  expect_list(admin, audit + of_anime, "stream_id = $1::text::uuid AND type = 'MoodChanged'", {anime.to_string()});
  // Whoever is looked at is told.
  expect_list(person, "/api/me/history?field=auditQuery", "type = 'AuditQueried' AND " + std::string(of_person), {person.to_string()});

  const auto expect_refused = [&](ProfileId by, const std::string& target, int status) {
    const http::Response refused = answer(by, target);
    EXPECT_EQ(refused.status, status) << target << refused.body;
  };
  for (const std::string& target : {audit + everything, audit + person.to_string(), std::string("/api/admin/audit"), audit + "nonsense"})
    expect_refused(person, target, 403);
  expect_refused(admin, "/api/admin/audit", 400);
  expect_refused(admin, audit + person.to_string(), 404);
  expect_refused(other, audit + everything, 404);
  expect_refused(admin, audit + everything + "&cursor=nonsense", 400);
  connection.script("UPDATE read_history.queries SET asked_at = asked_at - interval '2 hours'");
  expect_refused(admin, audit + everything, 410);
  history.change_role(admin, AccountRole::moderator);
  append(history.take());
  fold_all(follower);
  expect_refused(admin, audit + of_one, 403);
  connection.script("INSERT INTO projection.parked (model, partition_key, position, event_type, reason) VALUES ('people', '" +
                    other.to_string() + "', 1, 'X', 'test')");
  expect_refused(other, audit + everything, 503);
}

TEST_F(AnyHistoryPages, never_pass_what_all_partitions_have_reached) {
  History history(8);
  append(history.next(300));
  const ProfileId admin = history.register_user();
  history.change_role(admin, AccountRole::admin);
  const std::string query = history.query_audit(admin, {}).to_string();
  append(history.take());
  const Position asked = reader.head().position;
  Follower follower(url, Slot::live, projection::all_models());
  std::vector<std::int16_t> all(partition_count);
  for (std::int16_t p = 0; p < partition_count; ++p) all[static_cast<std::size_t>(p)] = p;
  follower.open(all);
  follower.fold(reader.read(0, 10'000));
  append(history.next(200));
  // All that came since, but for one partition.
  std::vector<RecordedEvent> later = reader.read(asked, 10'000);
  const std::int16_t late = later.front().meta.partition;
  const Position first_late = later.front().meta.position;
  std::vector<RecordedEvent> others;
  for (const RecordedEvent& event : later)
    if (event.meta.partition != late) others.push_back(event);
  follower.fold(others);
  const std::string list = "/api/admin/audit?limit=200&query=" + query;
  const auto reached = [&] {
    return std::stoll(value("SELECT COALESCE($1::text::jsonb #>> '{items,0,position}', '0')", {get(admin, list)}));
  };
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(30);
  while (reached() < first_late - 1 && std::chrono::steady_clock::now() < end) std::this_thread::sleep_for(std::chrono::milliseconds(20));
  EXPECT_EQ(reached(), first_late - 1);
  EXPECT_EQ(positions(items(admin, list)), log_says("position < " + std::to_string(first_late)));
  std::vector<RecordedEvent> rest;
  for (const RecordedEvent& event : later)
    if (event.meta.partition == late) rest.push_back(event);
  follower.fold(rest);
  while (reached() < later.back().meta.position && std::chrono::steady_clock::now() < end)
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  EXPECT_EQ(positions(items(admin, list)), log_says("true"));
}

// ------------------------------------------------------------------------------------------------------------------ a whole service

struct ShownSubject {
  std::optional<std::string> session;
};
BOOST_DESCRIBE_STRUCT(ShownSubject, (), (session))
struct ShownChange {
  std::int64_t position = 0;
  std::string type;
  ShownSubject subject;
  std::string summary;
  json::Raw before;
  json::Raw after;
  json::Raw by;
  bool forgotten = false;
  std::optional<std::int64_t> undoes;
  std::optional<std::int64_t> undone_by;
};
BOOST_DESCRIBE_STRUCT(ShownChange, (), (position, type, subject, summary, before, after, by, forgotten, undoes, undone_by))
struct ShownHistory {
  std::vector<ShownChange> items;
};
BOOST_DESCRIBE_STRUCT(ShownHistory, (), (items))

std::vector<ShownChange> shown(const Answer& answer) {
  EXPECT_EQ(answer.status(), 200) << answer.response.body;
  return answer.as<ShownHistory>().items;
}

TEST(HistoryPages, forget_people_with_their_keys) {
  const Person mira("mira"), ken("ken");
  const std::string space = mira.make_space("Forgotten");
  mira.let_in(space, ken);
  const std::string anime = mira.add(space, 154587, R"(,"preferredTitle":"Frieren")");
  ken.patch(anime, R"({"mood":"rainy"})");
  const std::string at = ken.patch(anime, R"({"mood":"sunny"})").at();
  auto changes = shown(mira.get(anime + "/history?atLeast=" + at));
  ASSERT_GE(changes.size(), 2U);
  EXPECT_EQ(changes[0].summary, "ken changed the mood of Frieren from “rainy” to “sunny”");
  EXPECT_EQ(changes[0].before.text, "\"rainy\"");
  World::get().database().query("DELETE FROM secrets.keys WHERE account = $1", pg::Params(*Uuid::parse(ken.id)));
  changes = shown(mira.get(anime + "/history"));
  EXPECT_EQ(changes[0].summary, "A forgotten person changed the mood of Frieren from a text that is forgotten to a text that is forgotten");
  EXPECT_EQ(changes[0].after.text, "null");
  EXPECT_TRUE(changes[0].forgotten);
  EXPECT_THAT(changes[0].by.text, HasSubstr("\"displayName\":null"));
}

TEST(HistoryPages, say_what_an_undo_took_back) {
  const Person mira("mira");
  const std::string space = mira.make_space("Undone");
  const std::string anime = mira.add(space, 1, R"(,"preferredTitle":"Cowboy Bebop")");
  const std::string rated = mira.patch(anime + "/participant-rating", R"({"score":9})").at();
  const Answer undone = mira.post(space + "/history/" + rated + "/undo", {});
  EXPECT_EQ(undone.status(), 200) << undone.response.body;
  const auto changes = shown(mira.get(anime + "/history?atLeast=" + undone.at()));
  EXPECT_EQ(changes[0].summary, "mira cleared their score of Cowboy Bebop (it was 9)");
  EXPECT_EQ(changes[0].undoes, changes[1].position);
  EXPECT_EQ(changes[1].undone_by, changes[0].position);
  EXPECT_FALSE(changes[1].undoes);
  const Answer again = mira.post(space + "/history/" + undone.at() + "/undo", {});
  EXPECT_EQ(again.status(), 200) << again.response.body;
  const auto since = shown(mira.get(anime + "/history?atLeast=" + again.at()));
  EXPECT_EQ(since[1].undone_by, since[0].position);
  EXPECT_EQ(since[2].undone_by, std::nullopt) << "it stands again";
  const Answer third = mira.post(space + "/history/" + rated + "/undo", {});
  EXPECT_EQ(third.status(), 200) << third.response.body;
  const auto last = shown(mira.get(anime + "/history?atLeast=" + third.at()));
  EXPECT_EQ(last[3].undone_by, last[0].position);
}

TEST(HistoryPages, say_which_watch_session_a_change_is_about) {
  const Person mira("mira");
  const std::string space = mira.make_space("Two evenings");
  const std::string anime = mira.add(space, 1, R"(,"preferredTitle":"Cowboy Bebop")");
  const auto watch = [&](int episode) {
    const Answer watched =
        mira.post(anime + "/sessions", R"({"sessionDate":"2026-11-01T20:00:00Z","startEpisode":)" + std::to_string(episode) +
                                           R"(,"endEpisode":)" + std::to_string(episode) + '}');
    EXPECT_EQ(watched.status(), 201) << watched.response.body;
    return watched.as<Told>().id.to_string();
  };
  const std::string first = watch(1), second = watch(2);
  mira.patch(anime + "/sessions/" + first, R"({"notes":"Popcorn."})");
  const std::string at = mira.patch(anime + "/sessions/" + second, R"({"notes":"Soup."})").at();
  std::vector<std::string> told;
  for (const ShownChange& change : shown(mira.get(anime + "/history?atLeast=" + at)))
    told.push_back(change.type + ' ' + change.subject.session.value_or("null"));
  EXPECT_THAT(told, testing::IsSupersetOf({"WatchSessionNotesChanged " + second, "WatchSessionNotesChanged " + first,
                                           "WatchSessionRecorded " + second, "WatchSessionRecorded " + first,
                                           std::string("SharedProgressChanged null"), std::string("AnimeAdded null")}));
  const Answer csv = mira.get(anime + "/history?format=csv&limit=1");
  EXPECT_THAT(csv.response.body, HasSubstr(",preferredTitle,sessionId,titleId,"));
  EXPECT_THAT(csv.response.body, HasSubstr(",Cowboy Bebop," + second + ','));
  EXPECT_THAT(mira.get(anime + "/history?format=ndjson&limit=1").response.body, HasSubstr("\"session\":\"" + second + '"'));
}

TEST(HistoryPages, tell_former_members_no_name_that_the_space_got_since) {
  const Person mira("mira"), ken("ken");
  const std::string space = mira.make_space("Old name");
  mira.let_in(space, ken);
  ken.del(space + "/members/me");
  const std::string at = mira.patch(space, R"({"name":"New name"})").at();
  const Answer mine = ken.get("/api/me/history?limit=200&atLeast=" + at);
  EXPECT_THAT(mine.response.body, HasSubstr("ken left the watch space"));
  EXPECT_THAT(mine.response.body, Not(HasSubstr("New name")));
  EXPECT_THAT(mira.get("/api/me/history").response.body, HasSubstr("\"name\":\"New name\""));
  EXPECT_EQ(ken.get(space + "/history").status(), 404);
}

TEST(HistoryPages, tell_former_members_no_name_that_others_took_since) {
  const Person mira("mira"), ken("ken");
  const std::string left = mira.make_space("Left"), ours = mira.make_space("Ours");
  mira.let_in(left, ken);
  mira.let_in(ours, ken);
  mira.patch(ours + "/members/" + ken.id, R"({"role":"owner"})");
  const std::string evening = R"({"sessionDate":"2026-11-01T20:00:00Z","startEpisode":1,"endEpisode":1})";
  EXPECT_EQ(mira.post(mira.add(left, 1, R"(,"preferredTitle":"Frieren")") + "/sessions", evening).status(), 201);
  mira.del(left + "/members/" + ken.id);
  const std::string at = mira.patch("/api/me", R"({"displayName":"New Mira"})").at();
  const auto told = [&](const std::string& types) { return shown(ken.get("/api/me/history?types=" + types + "&atLeast=" + at)).at(0); };
  const ShownChange removed = told("MemberRemoved");
  EXPECT_EQ(removed.summary, "Somebody removed ken from the watch space");
  EXPECT_EQ(removed.by.text, R"({"userId":")" + mira.id + R"(","displayName":null})");
  EXPECT_FALSE(removed.forgotten);
  EXPECT_EQ(told("WatchSessionRecorded").summary, "Somebody recorded episode 1 of Frieren with ken");
  EXPECT_EQ(told("MemberRoleChanged").summary, "New Mira changed ken's role in the watch space from member to owner");
  EXPECT_EQ(shown(mira.get("/api/me/history?types=MemberRemoved")).at(0).summary, "New Mira removed ken from the watch space");
}

TEST(HistoryPages, are_exported_page_by_page) {
  const Person mira("mira");
  const std::string space = mira.make_space("=HYPERLINK(\\\"http://x\\\")");
  mira.add(space, 5, R"(,"preferredTitle":"Title, \"quoted\"")");
  const std::string at = mira.patch(space, R"({"theme":"dark"})").at();
  const Answer csv = mira.get(space + "/history?format=csv&limit=2&atLeast=" + at);
  EXPECT_EQ(csv.response.content_type, "text/csv; charset=utf-8");
  EXPECT_TRUE(csv.response.body.starts_with("position,at,userId,")) << csv.response.body;
  EXPECT_THAT(csv.response.body, HasSubstr(",\"'=HYPERLINK(\"\"http://x\"\")\","));
  EXPECT_THAT(csv.response.body, HasSubstr("\"Title, \"\"quoted\"\"\""));
  const std::string link = csv.header("Link");
  ASSERT_TRUE(link.ends_with(">; rel=\"next\"")) << link;
  const Answer rest = mira.get(link.substr(1, link.find('>') - 1));
  EXPECT_EQ(rest.response.content_type, "text/csv; charset=utf-8");
  EXPECT_FALSE(rest.response.body.starts_with("position")) << rest.response.body;
  const Answer lines = mira.get(space + "/history?format=ndjson");
  EXPECT_EQ(lines.response.content_type, "application/x-ndjson");
  EXPECT_EQ(std::ranges::count(lines.response.body, '\n'), 4);
}

}  // namespace
}  // namespace bloomwatch::test
