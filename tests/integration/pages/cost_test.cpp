// What a page costs does not grow with the log: it touches about as many rows after four times as much has happened, in the same space and
// in others. Every page is in the list below.
#include <gmock/gmock.h>

#include <array>
#include <map>
#include <set>
#include <utility>

#include "query-service/analytics/pages.h"
#include "query-service/catalog/pages.h"
#include "query-service/dashboard/page.h"
#include "query-service/history/pages.h"
#include "query-service/people/pages.h"
#include "query-service/recaps/pages.h"
#include "query-service/spaces/pages.h"
#include "query-service/tracking/pages.h"
#include "runtime/postgres_joined.h"
#include "tests/integration/pages/any_history.h"

namespace bloomwatch::test {
namespace {

class CostOfPages : public PagesOfAnyHistory {
 protected:
  /// Rows and entries of indexes that Postgres touched for one page, by the pattern of the page; of pages that stand here twice, of all.
  using Costs = std::map<std::string, std::int64_t>;

  Costs costs() {
    // What was overwritten is the server's to sweep, not the page's to pass over; and plans are made anew.
    connection.query("VACUUM (ANALYZE)");
    const std::string space = "/api/watch-spaces/" + history_.spaces()[ours_].id.to_string();
    const std::string anime = space + "/anime/" + history_.anime()[most_watched_].id.to_string();
    Costs costs;
    const auto look = [&]<class P>(std::type_identity<P>, const std::string& target) { costs[std::string(P::pattern)] += cost<P>(target); };
    look(std::type_identity<MePage>(), "/api/me");
    look(std::type_identity<LoginSessionListPage>(), "/api/me/sessions");
    for (const char* filter : {"", "?types=MemberJoined"})
      look(std::type_identity<MyHistoryPage>(), std::string("/api/me/history") + filter);
    look(std::type_identity<MyRecapPage>(), "/api/me/recaps/2025-11");
    look(std::type_identity<RecapShareListPage>(), "/api/me/recap-shares");
    look(std::type_identity<AuditPage>(), "/api/admin/audit?query=" + audit_.to_string());
    look(std::type_identity<SpaceListPage>(), "/api/watch-spaces");
    look(std::type_identity<SpacePage>(), space);
    for (const char* query : {"?sort=added", "?sort=updated", "?sort=title", "?status=watching", "?mine=dropped"})
      look(std::type_identity<AnimeListPage>(), space + "/anime" + query);
    look(std::type_identity<AnimePage>(), anime);
    look(std::type_identity<WatchSessionListPage>(), anime + "/sessions");
    look(std::type_identity<AnimeHistoryPage>(), anime + "/history");
    for (const std::string& filter : {std::string(), "?person=" + people_[1].to_string()})
      look(std::type_identity<SpaceHistoryPage>(), space + "/history" + filter);
    look(std::type_identity<DashboardPage>(), space + "/dashboard");
    look(std::type_identity<CompatibilityPage>(), space + "/analytics/compatibility");
    for (const char* order : {"biggest", "most-aligned"})
      look(std::type_identity<RatingGapsPage>(), space + "/analytics/rating-gaps?order=" + order);
    look(std::type_identity<SharedStatsPage>(), space + "/analytics/shared-stats");
    look(std::type_identity<RandomPickPage>(), space + "/analytics/random-pick?seed=1");
    look(std::type_identity<RatingDistributionPage>(), space + "/analytics/rating-distribution");
    look(std::type_identity<TimelinePage>(), space + "/analytics/timeline");
    look(std::type_identity<SpaceRecapPage>(), space + "/recaps/2025-11");
    look(std::type_identity<TitlePage>(), "/api/titles/" + title_.to_string());
    for (const char* filter : {"", "?genre=drama", "?studio=ghibli", "?year=2010&season=fall"})
      look(std::type_identity<TitleListPage>(), std::string("/api/titles") + filter);
    look(std::type_identity<SeasonPage>(), "/api/seasons/2010/fall");
    look(std::type_identity<StudioPage>(), "/api/studios/ghibli");
    return costs;
  }

  /// That no page was forgotten.
  void expect_every_page(const Costs& looked_at) {
    // Search finds in memory and asks for what it found by ids; a card of a recap is the recap's page, drawn.
    std::set<std::string> others = {"/api/search", "/api/search/suggest", "/api/recap-cards/{card}"};
    for (const http::RouteEntry& route : routes().table())
      EXPECT_TRUE(looked_at.contains(route.pattern) || others.erase(route.pattern) == 1) << route.pattern;
    EXPECT_THAT(others, testing::IsEmpty());
  }

  /// A space of three with more of everything than a page shows, and somebody who was an admin's question.
  void begin() {
    for (int i = 0; i < 3; ++i) people_.push_back(history_.register_user());
    ours_ = history_.create_space(people_[0]);
    for (const ProfileId person : {people_[1], people_[2]}) history_.join(ours_, person);
    for (int i = 0; i < 70; ++i) anime_.push_back(history_.add_anime(ours_));
    most_watched_ = anime_[0];
    history_.change_role(people_[0], AccountRole::admin);
    for (int i = 0; i < 60; ++i) history_.share_recap(people_[0]), history_.log_in(people_[0]);
    add_titles(60);
    audit_ = history_.query_audit(people_[0], {.person = people_[1]});
    live(2);
    take();
  }

  /// The same people go on and come back to the same scores; others do what they do.
  void go_on() {
    live(8);
    add_titles(600);
    take();
    append(others_.next(3000));
    fold_all(follower_);
  }

  /// One person, of whom nothing is to be told.
  void begin_alone() {
    people_.push_back(history_.register_user());
    take();
  }
  /// Titles of a genre, of a season and of a format, of which few have what else is asked for: one in `apart`.
  void list_titles(int titles, int apart) {
    connection.query(
        "INSERT INTO read_catalog.titles (title, name, names, format, season, season_year, genres, tags, studios, related, external_ids,"
        " offers, popularity, sources, added_at, updated_at, version, position, partition) SELECT gen_random_uuid(), 'T', '[]', CASE WHEN "
        "n %"
        " $2 = 0 THEN 'OVA' ELSE 'TV' END, CASE WHEN n % $2 = 0 THEN 'fall' ELSE 'spring' END, 2010, '[\"drama\"]', '[]', '[]', '[]', "
        "'[]', '[]', n / 3,"
        " '{}', now(), now(), 1, n, 0 FROM generate_series(1, $1) AS n",
        pg::Params(titles, apart));
    for (const auto& [kind, name] : {std::pair("genre", "drama"), std::pair("studio", "ghibli")})
      connection.query(
          "INSERT INTO read_catalog.listings (listing, title, popularity, partition) SELECT $1, title, popularity, 0 FROM "
          "read_catalog.titles"
          " WHERE $2 OR format = 'OVA'",
          pg::Params(listing_of(kind, name), kind == std::string_view("genre")));
  }

  /// Of one page. Asks as Pages does, again where a lean statement does not suffice.
  template <class P>
  std::int64_t cost(const std::string& target) {
    http::Routes route;
    route.add(http::Method::get, P::pattern, P::access, [](http::Request, http::Responder) {});
    http::Request request = request_for(target);
    request.path_params = route.find(http::Method::get, request.path).path_params;
    auto page = read_page<P>(request);
    if (!page) throw std::runtime_error("no page " + target);
    Visit visit;
    visit.by = {UserId(people_[0].uuid), people_[0], {}, {}, {}};
    visit.path = request.path;
    visit.epoch = "00000000";
    visit.now = start + std::chrono::minutes(30);
    visit.cursors = &cursors_;
    std::int64_t touched = 0;
    for (bool again = true; again;) {
      auto asked = page->ask(visit);
      if (!asked) throw std::runtime_error("no question of " + target);
      const auto [result, alone] = run(*asked->statement, asked->params);
      touched += alone;
      const std::array together = {&std::as_const(asked->params), &std::as_const(asked->params)};
      if (const auto joined = pg::Params::joined(together))
        touched += run(*joined_.of(*asked->statement, asked->params.size()), *joined).second;
      const PageRows rows(result);
      Keyring keys(key_cache_);
      keys.take(rows);
      const auto shown = page->show(rows, visit, keys);
      if (!shown) throw std::runtime_error("not shown: " + target + ": " + shown.error().title);
      again = shown->ask_again;
    }
    return touched;
  }

  /// Of the dashboard's first question, whatever it answers.
  std::int64_t cost_of_lean_dashboard() {
    DashboardPage page;
    page.watch_space = history_.spaces()[ours_].id;
    const auto asked = page.ask(Visit{});
    return run(*asked->statement, asked->params).second;
  }

  std::vector<ProfileId> people_;

 private:
  /// Each gives each anime any score and in the end always the same; more evenings of each day than a page looks at.
  void live(std::size_t rounds) {
    for (std::size_t round = 0; round < 20 * rounds; ++round) {
      for (std::size_t i = 0; i < 50; ++i) history_.watch(i % 5 == 0 ? most_watched_ : anime_[(round + i) % anime_.size()], 10);
      for (std::size_t i = round % 10; i < anime_.size(); i += 10)
        for (std::size_t p = 0; p < people_.size(); ++p) rate(anime_[i], p, round + i);
    }
    for (std::size_t i = 0; i < anime_.size(); ++i)
      for (std::size_t p = 0; p < people_.size(); ++p) rate(anime_[i], p, i * (p + 3) + p);
  }
  void rate(std::size_t anime, std::size_t person, std::size_t half) {
    history_.rate(anime, people_[person], static_cast<std::int16_t>(5 * (1 + half % 20)));
  }
  void add_titles(int titles) {
    TitleDetails details;
    details.season = "fall";
    details.season_year = 2010;
    for (int i = 0; i < titles; ++i) title_ = history_.add_title(details, {"Ghibli"});
  }
  void take() {
    append(history_.take());
    fold_all(follower_);
  }

  /// What it answers, and how many rows it touches. It may keep no table in a hash, which would read all of it.
  std::pair<pg::Result, std::int64_t> run(const pg::Statement& statement, const pg::Params& params) {
    page_connection_.query("BEGIN");
    const std::int64_t before = touched_rows();
    pg::Result result = page_connection_.run(statement, params);
    const std::int64_t touched = touched_rows() - before;
    std::string nulls;
    for (std::size_t i = 0; i < params.size(); ++i) nulls += i == 0 ? "NULL" : ", NULL";
    for (const pg::Row line : page_connection_.query("EXPLAIN EXECUTE \"" + statement.name() + "\"(" + nulls + ')'))
      EXPECT_THAT(line.get<std::string>(0), testing::Not(testing::HasSubstr("hashed"))) << statement.sql();
    page_connection_.query("COMMIT");
    return {std::move(result), touched};
  }

  /// In this transaction, of all tables of ours.
  std::int64_t touched_rows() {
    return page_connection_
        .query(
            "SELECT sum(pg_stat_get_xact_tuples_returned(c.oid) + pg_stat_get_xact_tuples_fetched(c.oid))::bigint FROM pg_class AS c JOIN"
            " pg_namespace AS n ON n.oid = c.relnamespace WHERE c.relkind IN ('r', 'i') AND n.nspname !~ '^(pg_|information_schema)'")[0]
        .get<std::int64_t>(0);
  }

  static constexpr Time start = std::chrono::sys_days(std::chrono::year(2025) / 11 / 30);
  History history_{1, start};
  History others_{2, start};
  Follower follower_ = open_follower();
  std::size_t ours_ = 0;
  std::vector<std::size_t> anime_;
  std::size_t most_watched_ = 0;
  TitleId title_;
  AuditQueryId audit_;
  MasterKeys page_keys_ = MasterKeys::derive_from(SecretKey::random());
  KeyCache key_cache_{page_keys_};
  Cursors cursors_{page_keys_};
  pg::Connection page_connection_{page_connection(url)};
  pg::JoinedStatements joined_;  // as pages that are asked for at once are
};

TEST_F(CostOfPages, does_not_grow_with_the_log) {
  begin();
  const Costs before = costs();
  expect_every_page(before);
  const Position then = reader.head().position;
  go_on();
  ASSERT_GT(reader.head().position, 4 * then);
  for (const auto& [pattern, touched] : costs()) {
    EXPECT_GT(touched, 0) << pattern;
    EXPECT_LE(touched, before.at(pattern) * 3 / 2) << pattern;  // not four times; what is newest may be of a dearer kind
  }
}

TEST_F(CostOfPages, sees_that_a_space_is_large_without_reading_its_anime) {
  begin();
  EXPECT_LE(cost_of_lean_dashboard(), small_space_anime_max);
}

TEST_F(CostOfPages, is_bounded_where_few_titles_have_what_is_asked_for) {
  constexpr int titles = 5 * titles_examined_max, apart = 700, found = titles / apart;
  begin_alone();
  list_titles(titles, apart);
  for (const std::string filter :
       {"?genre=drama&format=OVA", "?genre=drama&season=fall&year=2010", "?genre=drama&studio=ghibli", "?format=TV&season=fall",
        "?season=fall", "?year=2010&format=OVA", "?year=2010&season=spring&format=OVA"}) {
    const bool none = filter.find("TV") != std::string::npos || filter.find("spring") != std::string::npos;
    // Alone and joined, of each an entry, where it leads and that title; of the last one that was looked at once more.
    EXPECT_LE(cost<TitleListPage>("/api/titles" + filter), 20 * titles_examined_max) << filter;
    for (const char* limit : {"200", "2"}) {
      const std::string shown = items(people_[0], "/api/titles" + filter + "&limit=" + limit);
      EXPECT_EQ(value("SELECT count(DISTINCT value ->> 'id')::text FROM jsonb_array_elements($1::text::jsonb)", {shown}),
                std::to_string(none ? 0 : found))
          << filter;
      EXPECT_EQ(
          value("SELECT COALESCE(jsonb_agg(value ORDER BY (value ->> 'popularity')::bigint DESC, (value ->> 'id')::uuid DESC), '[]')::text"
                " FROM jsonb_array_elements($1::text::jsonb)",
                {shown}),
          shown)
          << filter;
    }
  }
}

}  // namespace
}  // namespace bloomwatch::test
