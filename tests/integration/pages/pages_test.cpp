// Pages over real rows: commands, events and folds made them. What each page says, who may see it, how lists go on, and how new a
// page is.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>
#include <thread>

#include "query-service/dashboard/page.h"
#include "query-service/tracking/pages.h"
#include "tests/integration/pages/world.h"

namespace bloomwatch::test {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::SizeIs;

struct Member {
  std::string user_id;
  std::optional<std::string> display_name;
  std::string role;
};
BOOST_DESCRIBE_STRUCT(Member, (), (user_id, display_name, role))

struct Invitation {
  std::optional<std::string> email;
  std::string status;
};
BOOST_DESCRIBE_STRUCT(Invitation, (), (email, status))

struct Space {
  std::string id;
  std::string name;
  std::int64_t version = 0;
  std::vector<Member> members;
  std::optional<std::vector<Invitation>> invitations;
};
BOOST_DESCRIBE_STRUCT(Space, (), (id, name, version, members, invitations))

struct Participant {
  std::string user_id;
  std::string status;
  std::int32_t episodes_watched = 0;
  std::optional<double> score;
  std::optional<std::string> notes;
};
BOOST_DESCRIBE_STRUCT(Participant, (), (user_id, status, episodes_watched, score, notes))

struct Anime {
  std::string id;
  std::optional<std::int64_t> anilist_media_id;
  std::string preferred_title;
  std::string shared_status;
  std::optional<std::string> mood;
  std::int64_t version = 0;
  std::optional<std::vector<Participant>> participants;
  std::optional<double> progress;
};
BOOST_DESCRIBE_STRUCT(Anime, (), (id, anilist_media_id, preferred_title, shared_status, mood, version, participants, progress))

template <class Item>
struct List {
  std::vector<Item> items;
  std::optional<std::string> next;
  BOOST_DESCRIBE_CLASS(List, (), (items, next), (), ())
};

struct Pair {
  std::vector<std::string> user_ids;
  std::int64_t score = 0;
  double average_gap = 0;
  std::int64_t rated_together_count = 0;
};
BOOST_DESCRIBE_STRUCT(Pair, (), (user_ids, score, average_gap, rated_together_count))

struct CompatibilityShown {
  std::optional<std::int64_t> score;
  std::optional<double> average_gap;
  std::int64_t rated_together_count = 0;
  std::string label_key;
  std::vector<Pair> pairs;
};
BOOST_DESCRIBE_STRUCT(CompatibilityShown, (), (score, average_gap, rated_together_count, label_key, pairs))

struct Score {
  std::string user_id;
  double score = 0;
};
BOOST_DESCRIBE_STRUCT(Score, (), (user_id, score))

struct Rated {
  std::string preferred_title;
  std::optional<double> gap;
  std::vector<Score> scores;
};
BOOST_DESCRIBE_STRUCT(Rated, (), (preferred_title, gap, scores))

struct Evening {
  std::optional<std::string> preferred_title;
  std::optional<std::string> notes;
  std::int32_t start_episode = 0;
};
BOOST_DESCRIBE_STRUCT(Evening, (), (preferred_title, notes, start_episode))

struct Stats {
  std::int64_t total_shows = 0;
  std::int64_t currently_watching = 0;
  std::int64_t finished = 0;
  std::int64_t episodes_watched_together = 0;
};
BOOST_DESCRIBE_STRUCT(Stats, (), (total_shows, currently_watching, finished, episodes_watched_together))

struct Dashboard {
  Stats stats;
  CompatibilityShown compatibility;
  std::vector<Anime> currently_watching;
  std::vector<Anime> backlog_highlights;
  std::vector<Rated> rating_gap_highlights;
  std::vector<Member> members;
  std::vector<Evening> recent_sessions;
  std::optional<Anime> random_pick;
  std::vector<Rated> shared_ratings;
};
BOOST_DESCRIBE_STRUCT(Dashboard, (),
                      (stats, compatibility, currently_watching, backlog_highlights, rating_gap_highlights, members, recent_sessions,
                       random_pick, shared_ratings))

/// The log's last position: what a page must have folded to show everything so far.
std::string newest() {
  return std::to_string(World::get().database().query("SELECT max(position) FROM log.events")[0].get<std::int64_t>(0));
}

template <class T>
T page(const Person& person, const std::string& target) {
  const Answer answer = person.get(target + (target.contains('?') ? "&" : "?") + "atLeast=" + newest());
  if (answer.status() != 200) throw std::runtime_error(target + ": " + answer.response.body);
  return answer.as<T>();
}

/// Every item of a list, and how many pages it had.
template <class Item>
std::pair<std::vector<Item>, int> walk(const Person& person, const std::string& target) {
  auto here = page<List<Item>>(person, target);
  std::vector<Item> items = std::move(here.items);
  int pages = 1;
  while (here.next) {
    here = person.get(*here.next).template as<List<Item>>();
    std::ranges::move(here.items, std::back_inserter(items));
    ++pages;
  }
  return {std::move(items), pages};
}

std::vector<std::string> titles(const std::vector<Anime>& items) {
  std::vector<std::string> names;
  for (const Anime& anime : items) names.push_back(anime.preferred_title);
  return names;
}

/// What a page shows of the rows as they are, by its lean statement or by its thorough one; nothing if the lean one does not suffice.
template <class P>
std::optional<std::string> show(P page, const Person& person, const std::string& path, bool thoroughly, Time at = now()) {
  Visit visit;
  const auto id = Uuid::parse(person.id);
  visit.by = {UserId(*id), ProfileId(*id), {}, {}, {}};
  visit.path = path;
  visit.epoch = "00000000";
  visit.now = at;
  const Cursors cursors(World::get().keys());
  visit.cursors = &cursors;
  page.thorough = thoroughly;
  const auto question = page.ask(visit);
  pg::Connection database(page_connection(World::get().url()));
  const pg::Result result = database.run(*question->statement, question->params);
  const PageRows rows(result);
  KeyCache cache(World::get().keys());
  Keyring keys(cache);
  keys.take(rows);
  auto shown = page.show(rows, visit, keys);
  if (shown->ask_again) return std::nullopt;
  return std::move(shown->body);
}

std::optional<std::string> dashboard_body(const Person& person, const std::string& space, bool thoroughly, Time at = {}) {
  DashboardPage page;
  page.watch_space = WatchSpaceId(*Uuid::parse(space.substr(space.rfind('/') + 1)));
  return show(page, person, space + "/dashboard", thoroughly, at);
}

TEST(MePage, shows_oneself_opened) {
  const Person mira("mira");
  const std::string body = mira.get("/api/me?atLeast=" + newest()).response.body;
  EXPECT_THAT(body, HasSubstr("\"id\":\"" + mira.id + "\""));
  EXPECT_THAT(body, HasSubstr("\"email\":\"" + mira.email + "\""));
  EXPECT_THAT(body, HasSubstr("\"handle\":\"" + mira.handle + "\""));
  EXPECT_THAT(body, HasSubstr("\"displayName\":\"mira\""));
  EXPECT_THAT(body, HasSubstr("\"avatarUrl\":null"));
  EXPECT_THAT(body, HasSubstr("\"roles\":[\"user\"]"));
}

struct LoginSession {
  std::string id;
  bool current = false;
};
BOOST_DESCRIBE_STRUCT(LoginSession, (), (id, current))

TEST(LoginSessionListPage, lists_live_sessions_newest_first_and_marks_the_one_that_asks) {
  Person mira("mira");
  const Person before = mira;
  mira.log_in();
  mira.log_in();
  const auto [sessions, pages] = walk<LoginSession>(mira, "/api/me/sessions?limit=2");
  ASSERT_THAT(sessions, SizeIs(3));
  EXPECT_EQ(pages, 2);
  EXPECT_TRUE(sessions[0].current);
  EXPECT_FALSE(sessions[1].current || sessions[2].current);
  const Answer ended = mira.del("/api/me/sessions/" + sessions[2].id);
  EXPECT_EQ(ended.status(), 200) << ended.response.body;
  EXPECT_THAT(page<List<LoginSession>>(mira, "/api/me/sessions").items, SizeIs(2));
  World::get().database().query("UPDATE read_people.login_sessions SET started_at = now() - interval '91 days' WHERE session = '" +
                                sessions[1].id + "'");
  EXPECT_THAT(page<List<LoginSession>>(mira, "/api/me/sessions").items, SizeIs(1)) << "it was not used for too long";
}

TEST(SpacePage, shows_members_to_members_and_invitations_to_owners) {
  const Person mira("mira"), ken("ken");
  const std::string space = mira.make_space("Mira & Ken");
  mira.let_in(space, ken);
  mira.post(space + "/invitations", R"({"email":"late@example.org"})");
  const auto hers = page<Space>(mira, space);
  EXPECT_EQ(hers.name, "Mira & Ken");
  ASSERT_THAT(hers.members, SizeIs(2));
  EXPECT_EQ(hers.members[0].display_name, "mira");
  EXPECT_EQ(hers.members[0].role, "owner");
  EXPECT_EQ(hers.members[1].display_name, "ken");
  ASSERT_TRUE(hers.invitations);
  ASSERT_THAT(*hers.invitations, SizeIs(2));
  EXPECT_EQ(hers.invitations->at(0).email, "late@example.org");
  EXPECT_EQ(hers.invitations->at(0).status, "pending");
  EXPECT_EQ(hers.invitations->at(1).status, "accepted");
  EXPECT_FALSE(page<Space>(ken, space).invitations);
}

TEST(SpacePage, shows_no_invitation_the_address_of_somebody_whose_key_is_gone) {
  const Person mira("mira"), ken("ken"), eve("eve");
  const std::string space = mira.make_space("Two");
  const auto invite = [&](const std::string& email) {
    const Answer invited = mira.post(space + "/invitations", R"({"email":")" + email + "\"}");
    EXPECT_EQ(invited.status(), 201) << invited.response.body;
    return invited.as<Told>().id.to_string();
  };
  mira.let_in(space, ken);
  ken.del(space + "/members/me");
  EXPECT_EQ(mira.del(space + "/invitations/" + invite(ken.email)).status(), 200);
  invite(ken.email);
  invite(eve.email);
  invite("nobody@example.org");
  const auto addresses = [&] {
    std::vector<std::string> shown;
    for (const Invitation& invitation : *page<Space>(mira, space).invitations)
      shown.push_back(invitation.status + ' ' + invitation.email.value_or("null"));
    return shown;
  };
  EXPECT_THAT(addresses(), ElementsAre("pending nobody@example.org", "pending " + eve.email, "pending " + ken.email, "revoked " + ken.email,
                                       "accepted " + ken.email));
  World::get().database().query("DELETE FROM secrets.keys WHERE account = '" + ken.id + "'");
  EXPECT_THAT(addresses(),
              ElementsAre("pending nobody@example.org", "pending " + eve.email, "pending null", "revoked null", "accepted null"));
}

TEST(SpacePage, shows_an_open_invitation_however_many_came_after_it) {
  const Person mira("mira"), ken("ken");
  const std::string space = mira.make_space("Busy");
  mira.let_in(space, ken);
  ASSERT_EQ(mira.patch(space + "/members/" + ken.id, R"({"role":"owner"})").status(), 200);
  mira.post(space + "/invitations", R"({"email":"first@example.org"})");
  for (int i = 0; i < 201; ++i) {
    const Person& owner = i % 2 == 0 ? mira : ken;  // one alone meets the limit of rate on a quick machine
    const std::string body = R"({"email":"late)" + std::to_string(i) + R"(@example.org"})";
    const std::string invitation = owner.post(space + "/invitations", body).as<Told>().id.to_string();
    owner.del(space + "/invitations/" + invitation);
  }
  const auto invitations = *page<Space>(mira, space).invitations;
  ASSERT_THAT(invitations, SizeIs(200));
  EXPECT_EQ(invitations.front().status, "revoked") << "the newest first";
  EXPECT_EQ(invitations.back().email, "first@example.org");
}

TEST(SpaceListPage, lists_the_spaces_that_one_is_in_now) {
  const Person mira("mira"), ken("ken");
  std::vector<std::string> spaces;
  for (int i = 0; i < 5; ++i) spaces.push_back(mira.make_space("Space " + std::to_string(i)));
  mira.let_in(spaces[1], ken);
  const auto [items, pages] = walk<Space>(mira, "/api/watch-spaces?limit=2");
  EXPECT_EQ(pages, 3);
  ASSERT_THAT(items, SizeIs(5));
  const auto shared = std::ranges::find(items, spaces[1].substr(spaces[1].rfind('/') + 1), &Space::id);
  ASSERT_NE(shared, items.end());
  EXPECT_THAT(shared->members, SizeIs(2));
  EXPECT_THAT(page<List<Space>>(ken, "/api/watch-spaces").items, SizeIs(1));
  EXPECT_EQ(ken.del(spaces[1] + "/members/me").status(), 200);
  EXPECT_THAT(page<List<Space>>(ken, "/api/watch-spaces").items, SizeIs(0));
}

TEST(Pages, are_for_members_only_and_a_stranger_cannot_tell_what_exists) {
  const Person mira("mira"), eve("eve");
  const std::string space = mira.make_space("Private");
  const std::string anime = mira.add(space, 1);
  const std::string nowhere = "/api/watch-spaces/" + Uuid::v7(now()).to_string();
  for (const std::string& tail : {std::string(), std::string("/anime"), anime.substr(space.size()),
                                  anime.substr(space.size()) + "/sessions", std::string("/dashboard")}) {
    EXPECT_EQ(mira.get(space + tail + "?atLeast=" + newest()).status(), 200) << tail;
    const Answer stranger = eve.get(space + tail);
    const Answer unknown = eve.get(nowhere + tail);
    EXPECT_EQ(stranger.status(), 404) << tail;
    EXPECT_EQ(stranger.problem(), "/problems/no-such-space") << tail;
    EXPECT_EQ(unknown.status(), 404) << tail;
    EXPECT_EQ(unknown.problem(), stranger.problem()) << tail;
    EXPECT_EQ(World::get().get(space + tail, {}).status(), 401) << tail;
    EXPECT_EQ(World::get().get(space + tail, "wrong").status(), 401) << tail;
  }
  EXPECT_EQ(mira.get("/api/watch-spaces/none").status(), 404);
  EXPECT_EQ(mira.get(space + "/anime/" + Uuid::v7(now()).to_string()).problem(), "/problems/no-such-anime");
  EXPECT_EQ(mira.get(space + "/anime/" + Uuid::v7(now()).to_string() + "/sessions").problem(), "/problems/no-such-anime");
}

TEST(AnimePage, shows_every_member_as_a_participant_and_nobody_else) {
  const Person mira("mira"), ken("ken");
  const std::string space = mira.make_space("Two");
  mira.let_in(space, ken);
  const std::string anime = mira.add(space, 154587, R"(,"preferredTitle":"Frieren","episodeCount":28,"mood":"calm")");
  ken.rate(anime, "9.5");
  ken.patch(anime + "/participant-rating", R"({"notes":"So good."})");
  ken.patch(anime + "/participant-progress", R"({"episodesWatched":3})");
  auto shown = page<Anime>(mira, anime);
  EXPECT_EQ(shown.anilist_media_id, 154587);
  EXPECT_EQ(shown.preferred_title, "Frieren");
  EXPECT_EQ(shown.mood, "calm");
  ASSERT_TRUE(shown.participants);
  ASSERT_THAT(*shown.participants, SizeIs(2));
  EXPECT_EQ(shown.participants->at(0).user_id, mira.id);
  EXPECT_EQ(shown.participants->at(0).status, "backlog");
  EXPECT_EQ(shown.participants->at(0).score, std::nullopt);
  EXPECT_EQ(shown.participants->at(1).score, 9.5);
  EXPECT_EQ(shown.participants->at(1).notes, "So good.");
  EXPECT_EQ(shown.participants->at(1).episodes_watched, 3);
  const auto version = World::get()
                           .database()
                           .query("SELECT max(version) FROM log.events WHERE category = 'anime' AND stream_id = '" + shown.id + "'")[0]
                           .get<std::int64_t>(0);
  EXPECT_EQ(shown.version, version);
  ken.del(space + "/members/me");
  EXPECT_THAT(*page<Anime>(mira, anime).participants, SizeIs(1));
  mira.let_in(space, ken);
  EXPECT_EQ(page<Anime>(ken, anime).participants->at(1).score, 9.5);
}

TEST(AnimePage, names_a_title_by_its_reference_until_it_is_known) {
  const Person mira("mira");
  const std::string space = mira.make_space("One");
  EXPECT_EQ(page<Anime>(mira, mira.add(space, 154587)).preferred_title, "AniList 154587");
  const Answer added = mira.post(space + "/anime", R"({"media":{"source":"imdb","id":"tt0213338"}})");
  const std::string body = mira.get(space + "/anime/" + added.as<Told>().id.to_string() + "?atLeast=" + added.at()).response.body;
  EXPECT_THAT(body, HasSubstr(R"("media":{"source":"imdb","id":"tt0213338"})"));
  EXPECT_THAT(body, HasSubstr(R"("anilistMediaId":null)"));
}

TEST(AnimeListPage, goes_on_by_cursor_in_every_order_and_under_every_filter) {
  const Person mira("mira");
  const std::string space = mira.make_space("List");
  for (const auto& [id, title] :
       std::map<int, std::string>{{1, "delta"}, {2, "Bravo"}, {3, "alpha"}, {4, "Charlie"}, {5, "bravo"}, {6, "echo"}})
    mira.add(space, id, R"(,"preferredTitle":")" + title + "\"" + (id % 2 == 0 ? R"(,"sharedStatus":"watching")" : ""));
  const auto [added, pages] = walk<Anime>(mira, space + "/anime?limit=4");
  EXPECT_EQ(pages, 2);
  EXPECT_THAT(titles(added), ElementsAre("echo", "bravo", "Charlie", "alpha", "Bravo", "delta"));
  for (const std::string limit : {"1", "2", "5", "6", "200"}) {
    EXPECT_THAT(titles(walk<Anime>(mira, space + "/anime?sort=title&limit=" + limit).first),
                ElementsAre("alpha", "Bravo", "bravo", "Charlie", "delta", "echo"));
    EXPECT_THAT(titles(walk<Anime>(mira, space + "/anime?sort=title&status=watching&limit=" + limit).first),
                ElementsAre("Bravo", "Charlie", "echo"));
    EXPECT_THAT(titles(walk<Anime>(mira, space + "/anime?sort=updated&limit=" + limit).first), SizeIs(6));
  }
  const std::string third = space + "/anime/" + added[3].id;
  mira.patch(third + "/participant-progress", R"({"status":"dropped"})");
  EXPECT_THAT(titles(walk<Anime>(mira, space + "/anime?mine=dropped").first), ElementsAre("alpha"));
  EXPECT_THAT(walk<Anime>(mira, space + "/anime?mine=backlog&limit=2").first, SizeIs(5));
  mira.patch(third, R"({"sharedStatus":"paused"})");
  EXPECT_EQ(walk<Anime>(mira, space + "/anime?sort=updated&limit=1").first.front().id, added[3].id);
  EXPECT_THAT(walk<Anime>(mira, space + "/anime?status=paused&mine=dropped").first, SizeIs(1));
}

TEST(AnimeListPage, refuses_wrong_limits_parameters_and_cursors) {
  const Person mira("mira");
  const std::string space = mira.make_space("List");
  for (int id = 1; id <= 3; ++id) mira.add(space, id);
  const Answer first = mira.get(space + "/anime?limit=1&sort=title&atLeast=" + newest());
  const auto next = *first.as<List<Anime>>().next;
  EXPECT_EQ(first.header("Link"), '<' + next + ">; rel=\"next\"");
  for (const std::string wrong : {"limit=0", "limit=201", "limit=-1", "limit=x", "sort=loudest", "status=none", "colour=red", "cursor=AAAA",
                                  "cursor=", "atLeast=x", "atLeast=1.2", "limit=1&limit=2"})
    EXPECT_EQ(mira.get(space + "/anime?" + wrong).status(), 400) << wrong;
  EXPECT_EQ(mira.get(next + "&sort=title").status(), 200);
  EXPECT_EQ(mira.get(next + "&sort=added").status(), 400) << "a cursor is for one order";
  EXPECT_EQ(mira.get(next + "&status=backlog").status(), 400) << "and for one set of filters";
  const std::string cursor = next.substr(next.find("cursor="));
  EXPECT_EQ(mira.get(mira.make_space("Other") + "/anime?" + cursor).status(), 400);
}

TEST(WatchSessionListPage, shows_evenings_newest_first_without_those_who_left) {
  const Person mira("mira"), ken("ken");
  const std::string space = mira.make_space("Evenings");
  mira.let_in(space, ken);
  const std::string anime = mira.add(space, 154587, R"(,"preferredTitle":"Frieren","episodeCount":28)");
  for (int day = 1; day <= 5; ++day)
    EXPECT_EQ(
        mira.post(anime + "/sessions", R"({"sessionDate":"2026-11-0)" + std::to_string(day) + R"(T20:00:00Z","startEpisode":)" +
                                           std::to_string(day) + R"(,"endEpisode":)" + std::to_string(day) + R"(,"notes":"Popcorn."})")
            .status(),
        201);
  const auto [evenings, pages] = walk<Evening>(mira, anime + "/sessions?limit=2");
  EXPECT_EQ(pages, 3);
  ASSERT_THAT(evenings, SizeIs(5));
  EXPECT_EQ(evenings[0].start_episode, 5);
  EXPECT_EQ(evenings[4].start_episode, 1);
  EXPECT_EQ(evenings[0].notes, "Popcorn.");
  EXPECT_THAT(ken.get(anime + "/sessions").response.body, HasSubstr(ken.id));
  ken.del(space + "/members/me");
  EXPECT_THAT(mira.get(anime + "/sessions?atLeast=" + newest()).response.body, testing::Not(HasSubstr(ken.id)));
}

TEST(DashboardPage, shows_the_documents_own_example) {
  const Person mira("mira"), ken("ken");
  const std::string space = mira.make_space("Two");
  mira.let_in(space, ken);
  const std::vector<std::tuple<int, std::string, std::string, std::string>> rated = {
      {101573, "Bloom Into You", "10", "9"}, {154587, "Frieren", "9", "8"}, {113415, "JJK", "7", "6"}};
  for (const auto& [id, title, hers, his] : rated) {
    const std::string anime = mira.add(space, id, R"(,"preferredTitle":")" + title + R"(","episodeCount":12)");
    mira.rate(anime, hers);
    ken.rate(anime, his);
  }
  const std::string watching = mira.add(space, 1, R"(,"preferredTitle":"Bebop","episodeCount":26,"sharedStatus":"watching")");
  EXPECT_EQ(mira.patch(watching, R"({"sharedEpisodesWatched":13})").status(), 200);
  mira.post(watching + "/sessions", R"({"sessionDate":"2026-11-01T20:00:00Z","startEpisode":13,"endEpisode":13,"notes":"Space."})");

  const auto shown = page<Dashboard>(mira, space + "/dashboard");
  EXPECT_EQ(shown.compatibility.score, 90);
  EXPECT_EQ(shown.compatibility.average_gap, 1.0);
  EXPECT_EQ(shown.compatibility.rated_together_count, 3);
  ASSERT_THAT(shown.compatibility.pairs, SizeIs(1));
  EXPECT_THAT(shown.compatibility.pairs[0].user_ids, ElementsAre(mira.id, ken.id));
  EXPECT_EQ(shown.stats.total_shows, 4);
  EXPECT_EQ(shown.stats.currently_watching, 1);
  EXPECT_EQ(shown.stats.episodes_watched_together, 13);
  ASSERT_THAT(shown.currently_watching, SizeIs(1));
  EXPECT_EQ(shown.currently_watching[0].progress, 0.5);
  EXPECT_THAT(shown.backlog_highlights, SizeIs(3));
  ASSERT_TRUE(shown.random_pick);
  EXPECT_EQ(shown.random_pick->shared_status, "backlog");
  ASSERT_THAT(shown.rating_gap_highlights, SizeIs(3));
  EXPECT_EQ(shown.rating_gap_highlights[0].gap, 1.0);
  EXPECT_THAT(shown.shared_ratings, SizeIs(3));
  ASSERT_THAT(shown.recent_sessions, SizeIs(1));
  EXPECT_EQ(shown.recent_sessions[0].preferred_title, "Bebop");
  EXPECT_EQ(shown.recent_sessions[0].notes, "Space.");

  ken.del(space + "/members/me");
  const auto alone = page<Dashboard>(mira, space + "/dashboard");
  EXPECT_EQ(alone.compatibility.score, std::nullopt);
  EXPECT_EQ(alone.compatibility.average_gap, std::nullopt);
  EXPECT_EQ(alone.compatibility.rated_together_count, 0);
  EXPECT_EQ(alone.compatibility.label_key, "not-enough-data");
  EXPECT_THAT(alone.rating_gap_highlights, SizeIs(0));
  EXPECT_THAT(alone.shared_ratings, SizeIs(0));
  mira.let_in(space, ken);
  EXPECT_EQ(page<Dashboard>(ken, space + "/dashboard").compatibility.score, 90);
}

TEST(DashboardPage, of_a_group_counts_pairs_and_anime_that_any_two_have_rated) {
  const std::vector<Person> people = {Person("ann"), Person("bob"), Person("cid"), Person("dee")};
  const std::string space = people[0].make_space("Four");
  for (int i = 1; i < 4; ++i) people[0].let_in(space, people[static_cast<std::size_t>(i)]);
  // Rows: anime; columns: people; 0 is not rated.
  const std::vector<std::vector<int>> tenths = {{100, 90, 0, 80}, {50, 55, 60, 0}, {70, 0, 0, 0}, {0, 0, 85, 10},
                                                {30, 30, 30, 30}, {0, 95, 0, 5},   {0, 0, 0, 100}};
  for (std::size_t a = 0; a < tenths.size(); ++a) {
    const std::string anime = people[0].add(space, static_cast<int>(a) + 1, R"(,"preferredTitle":")" + std::to_string(a) + "\"");
    for (std::size_t p = 0; p < people.size(); ++p)
      if (tenths[a][p] != 0) people[p].rate(anime, std::to_string(tenths[a][p] / 10) + (tenths[a][p] % 10 == 5 ? ".5" : ""));
  }
  const auto expect = [&](const std::set<std::size_t>& present) {
    const auto shown = page<Dashboard>(people[0], space + "/dashboard");
    int together = 0;
    std::map<std::set<std::string>, std::pair<int, int>> pairs;
    std::vector<double> gaps;
    for (const auto& row : tenths) {
      std::vector<int> scores;
      for (const std::size_t p : present)
        if (row[p] != 0) scores.push_back(row[p]);
      if (scores.size() < 2) continue;
      ++together;
      const auto [low, high] = std::ranges::minmax(scores);
      if (high > low) gaps.push_back((high - low) / 10.0);
      for (const std::size_t p : present)
        for (const std::size_t q : present)
          if (p < q && row[p] != 0 && row[q] != 0) {
            auto& [rated, gap] = pairs[{people[p].id, people[q].id}];
            ++rated;
            gap += std::abs(row[p] - row[q]);
          }
    }
    EXPECT_EQ(shown.compatibility.rated_together_count, together);
    EXPECT_THAT(shown.shared_ratings, SizeIs(static_cast<std::size_t>(together)));
    ASSERT_THAT(shown.compatibility.pairs, SizeIs(pairs.size()));
    double sum = 0;
    for (const Pair& pair : shown.compatibility.pairs) {
      const auto& [rated, gap] = pairs.at({pair.user_ids[0], pair.user_ids[1]});
      EXPECT_EQ(pair.rated_together_count, rated);
      EXPECT_EQ(pair.score, std::lround(100.0 - static_cast<double>(gap) / rated));
      sum += static_cast<double>(gap) / rated;
    }
    EXPECT_EQ(shown.compatibility.score, std::lround(100.0 - sum / static_cast<double>(pairs.size())));
    std::ranges::sort(gaps, std::greater());
    gaps.resize(std::min<std::size_t>(gaps.size(), 5));
    std::vector<double> highlighted;
    for (const Rated& gap : shown.rating_gap_highlights) highlighted.push_back(*gap.gap);
    EXPECT_EQ(highlighted, gaps);
    const auto lean = dashboard_body(people[0], space, false);
    EXPECT_TRUE(lean);
    EXPECT_EQ(lean, dashboard_body(people[0], space, true));
  };
  expect({0, 1, 2, 3});
  people[3].del(space + "/members/me");
  expect({0, 1, 2});
  people[2].del(space + "/members/me");
  expect({0, 1});
  people[0].let_in(space, people[3]);
  expect({0, 1, 3});
}

TEST(DashboardPage, lists_at_most_five_and_picks_from_the_whole_backlog) {
  const Person mira("mira");
  const std::string space = mira.make_space("Backlog");
  EXPECT_FALSE(page<Dashboard>(mira, space + "/dashboard").random_pick);
  for (int id = 1; id <= 8; ++id) mira.add(space, id);
  EXPECT_THAT(page<Dashboard>(mira, space + "/dashboard").backlog_highlights, SizeIs(5));
  const auto pick_at = [&](Time at) {
    return json::read<Dashboard>(*dashboard_body(mira, space, false, at), json::Unknown::ignored)->random_pick->id;
  };
  std::set<std::string> picked;
  for (int hour = 0; hour < 100 && picked.size() < 8; ++hour) picked.insert(pick_at(Time(std::chrono::hours(hour))));
  EXPECT_THAT(picked, SizeIs(8));
  EXPECT_EQ(pick_at(Time(std::chrono::minutes(60))), pick_at(Time(std::chrono::minutes(119)))) << "a pick stays for an hour";
}

TEST(DashboardPage, shows_a_small_space_and_a_large_one_alike) {
  const Person mira("mira"), ken("ken"), eve("eve");
  const std::string space = mira.make_space("Growing");
  mira.let_in(space, ken);
  mira.let_in(space, eve);
  std::vector<const Person*> people = {&mira, &eve, &ken};
  const std::vector<std::string> statuses = {"backlog", "watching", "finished", "paused", "dropped"};
  unsigned seed = 7;
  const auto random = [&](unsigned below) { return (seed = seed * 1103515245 + 12345) / 65536 % below; };
  for (int id = 1; id <= small_space_anime_max + 1; ++id) {
    const std::string anime = people[random(static_cast<unsigned>(people.size()))]->add(
        space, id, R"(,"episodeCount":12,"mood":"m","sharedStatus":")" + statuses[random(5)] + "\"");
    for (const Person* person : people) {
      if (random(2) == 0) person->rate(anime, std::to_string(1 + random(10)));
      if (random(4) == 0) person->patch(anime + "/participant-progress", R"({"episodesWatched":3,"timesRewatched":1})");
      if (random(4) == 0) person->patch(anime + "/participant-rating", R"({"score":null,"notes":"Hm."})");
    }
    if (random(8) == 0)
      mira.post(anime + "/sessions", R"({"sessionDate":"2026-11-01T20:00:00Z","startEpisode":1,"endEpisode":)" +
                                         std::to_string(1 + random(12)) + R"(,"notes":"Popcorn."})");
    if (id % 16 != 0) continue;
    if (id == 32) {
      ken.del(space + "/members/me");
      people.pop_back();
    } else if (id == 48) {
      mira.let_in(space, ken);
      people.push_back(&ken);
    }
    page<Dashboard>(mira, space + "/dashboard");
    const auto thorough = dashboard_body(mira, space, true);
    // Who has left wrote texts that only the thorough statement brings the key of.
    if (id != 32) EXPECT_EQ(dashboard_body(mira, space, false), thorough);
    EXPECT_EQ(page<Dashboard>(mira, space + "/dashboard").stats.total_shows, id);
  }
  page<Dashboard>(mira, space + "/dashboard");
  EXPECT_EQ(dashboard_body(mira, space, false), std::nullopt);
  EXPECT_EQ(page<Dashboard>(mira, space + "/dashboard").stats.total_shows, small_space_anime_max + 1);
}

TEST(AnimeListPage, shows_the_same_from_either_statement) {
  const Person mira("mira"), ken("ken");
  const std::string space = mira.make_space("Either");
  mira.let_in(space, ken);
  for (int id = 1; id <= 4; ++id) {
    const std::string anime = ken.add(space, id, R"(,"mood":"calm")");
    ken.patch(anime + "/participant-rating", R"({"score":8,"notes":"Mine."})");
    mira.rate(anime, "7");
  }
  page<List<Anime>>(mira, space + "/anime");
  AnimeListPage list;
  list.watch_space = WatchSpaceId(*Uuid::parse(space.substr(space.rfind('/') + 1)));
  list.limit = PageLimit{3};
  const auto lean = show(list, mira, space + "/anime", false);
  EXPECT_TRUE(lean);
  EXPECT_EQ(lean, show(list, mira, space + "/anime", true));
}

TEST(Pages, wait_for_what_they_must_show_and_never_show_an_older_page) {
  const Person mira("mira");
  const std::string space = mira.make_space("Later");
  page<Space>(mira, space);
  World::get().fold(false);
  const Answer added = mira.post(space + "/anime", R"({"anilistMediaId":1})");
  for (const std::string& tail : {std::string(), std::string("/anime"), std::string("/dashboard")}) {
    const Answer behind = mira.get(space + tail + "?atLeast=" + added.at(), "wait=0");
    EXPECT_EQ(behind.status(), 503) << tail;
    EXPECT_EQ(behind.problem(), "/problems/read-model-behind") << tail;
    EXPECT_FALSE(behind.header("Retry-After").empty()) << tail;
    EXPECT_EQ(mira.get(space + tail).status(), 200) << "without the token the page is as it is";
  }
  const auto started = std::chrono::steady_clock::now();
  EXPECT_EQ(mira.get(space + "?atLeast=" + added.at(), "wait=1").status(), 503);
  EXPECT_GE(std::chrono::steady_clock::now() - started, 900ms);
  std::thread later([] {
    std::this_thread::sleep_for(200ms);
    World::get().fold(true);
  });
  const Answer waited = mira.get(space + "/anime?atLeast=" + added.header("Bloomwatch-Position"), "wait=10");
  later.join();
  ASSERT_EQ(waited.status(), 200) << waited.response.body;
  EXPECT_EQ(waited.header("Preference-Applied"), "wait=10");
  EXPECT_THAT(waited.as<List<Anime>>().items, SizeIs(1));
  const std::string position = waited.header("Bloomwatch-Position");
  EXPECT_GE(std::stoll(position.substr(position.find('.') + 1)), added.as<Told>().position);
}

TEST(Pages, that_are_known_to_be_behind_wait_before_they_ask_postgres) {
  const Person mira("mira");
  const std::string space = mira.make_space("Not yet");
  page<List<Anime>>(mira, space + "/anime");  // so that this process has news of the models
  World::get().fold(false);
  const Answer added = mira.post(space + "/anime", R"({"anilistMediaId":1})");
  {
    pg::Connection other({.url = World::get().url()});
    other.script("BEGIN; LOCK TABLE read_tracking.anime IN ACCESS EXCLUSIVE MODE");  // who asks waits for it
    EXPECT_EQ(mira.get(space + "/anime?atLeast=" + added.at(), "wait=1").problem(), "/problems/read-model-behind");
    other.script("ROLLBACK");
  }
  World::get().fold(true);
  EXPECT_THAT(mira.get(space + "/anime?atLeast=" + added.at(), "wait=10").as<List<Anime>>().items, SizeIs(1));
}

TEST(Pages, of_another_epoch_have_ended) {
  const Person mira("mira");
  EXPECT_EQ(mira.get("/api/me?atLeast=ffffffff.1").status(), 410);
  EXPECT_EQ(mira.get("/api/me?atLeast=ffffffff.1").problem(), "/problems/epoch-ended");
}

TEST(Pages, of_a_parked_space_say_so_and_let_nobody_in_when_members_are_not_known) {
  const Person mira("mira"), eve("eve");
  const std::string space = mira.make_space("Parked");
  mira.add(space, 1);
  page<List<Anime>>(mira, space + "/anime");
  const std::string id = space.substr(space.rfind('/') + 1);
  const auto park = [&](const std::string& model, const std::string& position) {
    World::get().database().query("INSERT INTO projection.parked (model, slot, partition_key, position, event_type, reason) VALUES ('" +
                                  model + "', 'live', '" + id + "', " + position + ", 'AnimeAdded', 'a test')");
  };
  const std::string here = newest();
  park("tracking", here);
  const Answer old = mira.get(space + "/anime");
  EXPECT_EQ(old.status(), 200);
  EXPECT_THAT(old.header("Bloomwatch-Position"), testing::EndsWith('.' + std::to_string(std::stoll(here) - 1)));
  EXPECT_EQ(mira.get(space + "/anime?atLeast=" + here).status(), 503);
  EXPECT_EQ(eve.get(space + "/anime?atLeast=" + here).problem(), "/problems/no-such-space");
  EXPECT_EQ(mira.get(space + "?atLeast=" + here).status(), 200) << "the space's own page does not read tracking";
  park("spaces", here);
  for (const std::string& tail : {std::string(), std::string("/anime"), std::string("/dashboard")}) {
    EXPECT_EQ(mira.get(space + tail).status(), 503) << tail;
    EXPECT_EQ(eve.get(space + tail).problem(), "/problems/no-such-space") << tail;
    EXPECT_EQ(eve.get(space + tail + "?atLeast=" + here).problem(), "/problems/no-such-space") << tail;
  }
  EXPECT_THAT(mira.get("/api/watch-spaces").as<List<Space>>().items, SizeIs(0));
  World::get().database().query("DELETE FROM projection.parked WHERE partition_key = '" + id + "'");
}

TEST(Pages, forget_whose_key_is_gone_and_still_answer) {
  const Person mira("mira"), ken("ken");
  const std::string space = mira.make_space("Forgotten");
  mira.let_in(space, ken);
  const std::string anime = ken.add(space, 1, R"(,"preferredTitle":"Bebop","mood":"blue","sharedStatus":"watching")");
  ken.patch(anime + "/participant-rating", R"({"score":9,"notes":"Mine."})");
  ken.post(anime + "/sessions", R"({"sessionDate":"2026-11-01T20:00:00Z","startEpisode":1,"endEpisode":1,"notes":"Ours."})");
  EXPECT_EQ(page<Anime>(mira, anime).mood, "blue");
  World::get().database().query("DELETE FROM secrets.keys WHERE account = '" + ken.id + "'");
  for (const std::string& target :
       {space, space + "/anime", anime, anime + "/sessions", space + "/dashboard", std::string("/api/watch-spaces")}) {
    const Answer answer = mira.get(target + "?atLeast=" + newest());
    ASSERT_EQ(answer.status(), 200) << target;
    for (const std::string secret : {"\"ken\"", "ken@", "blue", "Mine.", "Ours."})
      EXPECT_THAT(answer.response.body, testing::Not(HasSubstr(secret))) << target;
  }
  EXPECT_EQ(page<Space>(mira, space).members.at(1).display_name, std::nullopt);
  EXPECT_EQ(page<Anime>(mira, anime).participants->at(1).score, 9.0);
  const Answer own = ken.get("/api/me");
  EXPECT_EQ(own.status(), 200);
  EXPECT_THAT(own.response.body, HasSubstr("\"displayName\":null"));
}

TEST(Pages, open_the_texts_of_those_who_have_left) {
  const Person mira("mira"), ken("ken");
  const std::string space = mira.make_space("Left");
  mira.let_in(space, ken);
  const std::string anime = ken.add(space, 1, R"(,"preferredTitle":"Bebop","mood":"blue","sharedStatus":"watching")");
  ken.post(anime + "/sessions", R"({"sessionDate":"2026-11-01T20:00:00Z","startEpisode":1,"endEpisode":1,"notes":"Ours."})");
  ken.del(space + "/members/me");
  EXPECT_EQ(page<Anime>(mira, anime).mood, "blue");
  const auto shown = page<Dashboard>(mira, space + "/dashboard");
  EXPECT_EQ(shown.currently_watching.at(0).mood, "blue");
  EXPECT_EQ(shown.recent_sessions.at(0).notes, "Ours.");
}

}  // namespace
}  // namespace bloomwatch::test
