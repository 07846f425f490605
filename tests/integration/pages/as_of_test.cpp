// A page as of then says what the live page said then: for random histories, undos among them, looked at again from the end.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "query-service/as_of.h"
#include "tests/integration/pages/world.h"

namespace bloomwatch::test {
namespace {

struct Listed {
  std::vector<json::Raw> items;
  std::optional<std::string> next;
};
BOOST_DESCRIBE_STRUCT(Listed, (), (items, next))

struct Fields {
  std::vector<json::FieldError> errors;
};
BOOST_DESCRIBE_STRUCT(Fields, (), (errors))

/// The dashboard picks at random every time it is asked.
std::string without_pick(std::string body) {
  const auto from = body.find("\"randomPick\":");
  if (from != std::string::npos) body.erase(from, body.find("\"sharedRatings\"", from) - from);
  return body;
}

/// A page, when it was looked at, and what it said.
struct Memory {
  std::string page;
  std::string position;
  int status;
  std::string body;
};

class PastHistory : public testing::TestWithParam<unsigned> {
 protected:
  int below(int bound) { return std::uniform_int_distribution(0, bound - 1)(random_); }
  const Person& somebody() { return below(2) == 0 ? mira_ : ken_; }
  std::string any_anime() { return anime_.empty() ? add() : anime_[static_cast<std::size_t>(below(static_cast<int>(anime_.size())))]; }
  std::string status() {
    const char* all[] = {"backlog", "watching", "finished", "paused", "dropped"};
    return '"' + std::string(all[below(5)]) + '"';
  }

  std::string add() {
    const std::string more =
        below(2) == 0 ? "" : R"(,"episodeCount":12,"mood":"calm","preferredTitle":"T)" + std::to_string(below(50)) + '"';
    anime_.push_back(mira_.add(space_, ++added_, more + R"(,"sharedStatus":)" + status()));
    last_ = "";
    return anime_.back();
  }
  void told(const Answer& answer) {
    if (answer.status() < 300) last_ = answer.at();
  }
  void something() {
    switch (below(9)) {
      case 0:
        return static_cast<void>(add());
      case 1:
        return told(
            somebody().patch(any_anime(), R"({"sharedStatus":)" + status() + R"(,"mood":"mood )" + std::to_string(below(9)) + "\"}"));
      case 2:
        return told(somebody().patch(any_anime(), R"({"sharedEpisodesWatched":)" + std::to_string(below(12)) + '}'));
      case 3:
        return told(somebody().patch(any_anime() + "/participant-progress", R"({"status":)" + status() + R"(,"timesRewatched":2})"));
      case 4:
      case 5:
        return told(somebody().patch(any_anime() + "/participant-rating",
                                     R"({"score":)" + std::to_string(1 + below(10)) + R"(,"notes":"n)" + std::to_string(below(9)) + "\"}"));
      case 6:
        return told(somebody().post(any_anime() + "/sessions", R"({"sessionDate":"2025-11-2)" + std::to_string(below(9)) +
                                                                   R"(T20:00:00Z","startEpisode":1,"endEpisode":2,"notes":"Rain."})"));
      case 7:
        return told(mira_.patch(space_, R"({"theme":"theme )" + std::to_string(below(9)) + "\"}"));
      default:
        if (!last_.empty()) told(somebody().post(space_ + "/history/" + last_ + "/undo", {}));
    }
  }
  void remember(const std::string& page) {
    const std::string now = std::to_string(World::get().database().query("SELECT max(position) FROM log.events")[0].get<std::int64_t>(0));
    const std::string query = (page.contains('?') ? "&" : "?") + std::string("atLeast=") + now;
    const Answer answer = mira_.get(page + query);
    memories_.push_back({page, now, answer.status(), without_pick(answer.response.body)});
  }
  void look() {
    remember(space_);
    remember(space_ + "/dashboard");
    remember(space_ + "/anime?sort=title");
    remember(space_ + "/anime?sort=updated&status=watching");
    remember(space_ + "/anime?mine=backlog");
    remember(any_anime());
    remember(any_anime() + "/sessions");
  }

  std::mt19937_64 random_{GetParam()};
  const Person mira_{"mira"}, ken_{"ken"};
  const std::string space_ = mira_.make_space("Then");
  std::vector<std::string> anime_;
  std::vector<Memory> memories_;
  std::string last_;  ///< where the last change was
  int added_ = 0;
};

TEST(AsOf, shows_invitations_to_who_was_an_owner_and_is_one_today) {
  const Person mira("mira"), ken("ken");
  const std::string space = mira.make_space("Handed over");
  mira.let_in(space, ken);
  const Answer owners = mira.patch(space + "/members/" + ken.id, R"({"role":"owner"})");
  const Answer left = mira.patch(space + "/members/" + mira.id, R"({"role":"member"})");
  ASSERT_EQ(left.status(), 200) << left.response.body;
  const auto then = [&](const Person& person) {
    return person.get(space + "?atLeast=" + left.at() + "&asOf=" + owners.at()).response.body;
  };
  EXPECT_THAT(then(mira), testing::HasSubstr("\"invitations\":null"));
  EXPECT_THAT(then(ken), testing::HasSubstr("\"invitations\":[{"));
}

TEST_P(PastHistory, is_shown_as_it_was_seen) {
  mira_.let_in(space_, ken_);
  for (int i = 0; i < 60; ++i) {
    something();
    if (below(4) == 0) look();
  }
  if (GetParam() % 2 == 0) {  // too many for the lean dashboard
    for (int i = 0; i < 70; ++i) add();
    look();
  }
  for (const Memory& then : memories_) {
    const std::string query = (then.page.contains('?') ? "&" : "?") + std::string("asOf=") + then.position;
    const Answer answer = mira_.get(then.page + query);
    EXPECT_EQ(answer.status(), then.status) << then.page << " at " << then.position;
    if (then.status != 200) continue;
    const std::string body = without_pick(answer.response.body);
    if (then.page.contains("?")) {
      const auto items = [](const std::string& list) { return list.substr(0, list.rfind("\"next\"")); };
      EXPECT_EQ(items(body), items(then.body)) << then.page << " at " << then.position;
    } else {
      EXPECT_EQ(body, then.body) << then.page << " at " << then.position;
    }
    EXPECT_THAT(answer.header("Bloomwatch-Position"), testing::EndsWith('.' + then.position));
  }
}

INSTANTIATE_TEST_SUITE_P(Seeds, PastHistory, testing::Range(1U, 7U));

class AsOfPages : public testing::Test {
 protected:
  /// Who may see the space is looked up as it is now, so that has to be folded first.
  void SetUp() override { ASSERT_EQ(mira_.get(space_ + "?atLeast=" + head()).status(), 200); }
  static std::string head() {
    return std::to_string(World::get().database().query("SELECT max(position) FROM log.events")[0].get<std::int64_t>(0));
  }
  static std::string now_in_words(std::chrono::milliseconds later = {}) { return to_rfc3339(now() + later); }

  const Person mira_{"mira"};
  const std::string space_ = mira_.make_space("Then");
};

TEST_F(AsOfPages, may_be_asked_for_by_time) {
  mira_.add(space_, 1);
  std::this_thread::sleep_until(std::chrono::system_clock::now() + std::chrono::milliseconds(5));  // so that the two are told apart
  const std::string then = now_in_words();
  std::this_thread::sleep_until(std::chrono::system_clock::now() + std::chrono::milliseconds(5));
  mira_.add(space_, 2);
  EXPECT_THAT(mira_.get(space_ + "/anime?asOf=" + then).as<Listed>().items, testing::SizeIs(1));
}

TEST_F(AsOfPages, say_what_is_wrong_with_the_moment) {
  for (const std::string& wrong : {std::string("yesterday"), std::string("999999999"), now_in_words(std::chrono::hours(1))}) {
    const Answer answer = mira_.get(space_ + "/dashboard?asOf=" + wrong);
    EXPECT_EQ(answer.status(), 400) << wrong;
    EXPECT_EQ(answer.as<Fields>().errors.front().pointer, "/asOf");
  }
  EXPECT_EQ(mira_.get(space_ + "/dashboard?asOf=00000000.1").status(), 410);
  EXPECT_EQ(mira_.get(space_ + "/dashboard?asOf=0").problem(), "/problems/no-such-space");
  EXPECT_EQ(mira_.get(space_ + "/dashboard?asOf=1999-01-01T00:00:00Z").problem(), "/problems/no-such-space");
}

TEST_F(AsOfPages, are_for_who_may_see_the_space_today) {
  const Person ken("ken"), stranger("stranger");
  mira_.let_in(space_, ken);
  const std::string added = mira_.post(space_ + "/anime", R"({"anilistMediaId":1})").at();
  const Answer left = ken.del(space_ + "/members/me");
  const std::string at_least = "&atLeast=" + left.at();
  EXPECT_EQ(ken.get(space_ + "?asOf=" + added + at_least).problem(), "/problems/no-such-space");
  EXPECT_EQ(stranger.get(space_ + "?asOf=" + added + at_least).problem(), "/problems/no-such-space");
  EXPECT_THAT(mira_.get(space_ + "?asOf=" + added + at_least).response.body, testing::HasSubstr(ken.id));
}

TEST_F(AsOfPages, go_on_as_of_the_same_moment) {
  std::string then;
  for (int i = 1; i <= 5; ++i) then = mira_.post(space_ + "/anime", R"({"anilistMediaId":)" + std::to_string(i) + '}').at();
  mira_.add(space_, 6);
  std::string page = space_ + "/anime?limit=2&asOf=" + then;
  std::vector<std::string> seen;
  for (int pages = 1; pages <= 3; ++pages) {
    const auto list = mira_.get(page).as<Listed>();
    for (const json::Raw& item : list.items) seen.push_back(item.text);
    if (pages == 3) EXPECT_EQ(list.next, std::nullopt);
    if (list.next) page = *list.next;
  }
  EXPECT_THAT(seen, testing::SizeIs(5));
  const std::string live = *mira_.get(space_ + "/anime?limit=2").as<Listed>().next;
  EXPECT_EQ(mira_.get(live + "&asOf=" + then).status(), 400) << "a cursor of the present is none of the past";
}

TEST_F(AsOfPages, leave_others_their_turn_whatever_one_account_asks_for) {
  const Person ken("ken");
  mira_.let_in(space_, ken);
  const std::string then = head();
  ASSERT_EQ(ken.get(space_ + "?atLeast=" + then).status(), 200);
  const auto ask = [&](const Person& person) {
    return std::async(std::launch::async, [&] { return person.get(space_ + "?asOf=" + then).status(); });
  };
  pg::Connection& database = World::get().database();
  database.query("BEGIN");
  database.query("LOCK TABLE log.events IN ACCESS EXCLUSIVE MODE");
  std::vector<std::future<int>> asked;
  for (std::size_t i = 0; i <= as_of_queue_of_one_max + as_of_threads; ++i) asked.push_back(ask(mira_));
  std::vector<int> refused;
  for (const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(5);
       refused.empty() && std::chrono::steady_clock::now() < end; std::this_thread::sleep_for(std::chrono::milliseconds(1)))
    for (auto& page : asked)
      if (page.valid() && page.wait_for(std::chrono::seconds(0)) == std::future_status::ready) refused.push_back(page.get());
  EXPECT_THAT(refused, testing::Not(testing::IsEmpty()));
  EXPECT_THAT(refused, testing::Each(503));
  auto another = ask(ken);
  database.query("COMMIT");
  EXPECT_EQ(another.get(), 200);
  for (auto& page : asked)
    if (page.valid()) page.wait();
}

TEST_F(AsOfPages, are_refused_where_too_much_would_have_to_be_replayed) {
  const std::string id = space_.substr(space_.rfind('/') + 1);
  const std::string then = mira_.post(space_ + "/anime", R"({"anilistMediaId":1})").at();
  // As long a past as nobody has the time to make: renamed again and again.
  World::get().database().query(
      "INSERT INTO log.events (position, recorded_at, version, schema_version, partition, event_id, stream_id, partition_key, command_id,"
      " correlation_id, category, type, origin, data) SELECT h.position + i, h.recorded_at, s.version + i, 1, s.partition,"
      " gen_random_uuid(), s.stream_id, s.partition_key, gen_random_uuid(), gen_random_uuid(), s.category, 'WatchSpaceRenamed', 'app',"
      R"( '{"name": "Again"}' FROM (SELECT position, recorded_at FROM log.events ORDER BY position DESC LIMIT 1) AS h,)"
      " (SELECT * FROM log.events WHERE category = 'watch-space' AND stream_id = '" +
      id + "' ORDER BY version DESC LIMIT 1) AS s, generate_series(1, " + std::to_string(as_of_events_max) + ") AS i");
  const Answer answer = mira_.get(space_ + "?asOf=" + to_rfc3339(now()));
  EXPECT_EQ(answer.status(), 422);
  EXPECT_EQ(answer.problem(), "/problems/history-too-long");
  EXPECT_EQ(mira_.get(space_ + "?asOf=" + then).status(), 200) << "what was before it is not too long ago";
}

}  // namespace
}  // namespace bloomwatch::test
