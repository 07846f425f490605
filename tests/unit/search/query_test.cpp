// What is found, in which order, counted how; and that an index that was changed answers as one that was made anew.
#include "query-service/search/query.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <random>

namespace bloomwatch::search {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;
using testing::UnorderedElementsAre;

Uuid id(int number) {
  Uuid uuid;
  uuid.bytes[14] = static_cast<std::uint8_t>(number >> 8);
  uuid.bytes[15] = static_cast<std::uint8_t>(number);
  return uuid;
}

class Search : public testing::Test {
 protected:
  void put(int number, std::vector<std::string> names, float popularity = 0, std::vector<FacetValue> values = {}, float score = -1) {
    Document document{.id = id(number), .names = std::move(names), .values = std::move(values), .popularity = popularity, .score = score};
    index.put(prepare(std::move(document), normaliser));
  }
  Found find(Query query) { return search::find(index, query, workspace); }
  std::vector<int> numbers(const Found& found) {
    std::vector<int> all;
    for (const Hit& hit : found.hits) all.push_back(hit.id.bytes[14] << 8 | hit.id.bytes[15]);
    return all;
  }
  std::vector<int> find(const std::string& text) { return numbers(find(Query{.text = text})); }

  Index index;
  Normaliser normaliser;
  Workspace workspace;
};

class SearchOfAFew : public Search {
 protected:
  SearchOfAFew() {
    put(1, {"Shingeki no Kyojin", "Attack on Titan", "進撃の巨人", "Атака титанов"}, 0.9F);
    put(2, {"Sousou no Frieren", "Frieren: Beyond Journey's End", "葬送のフリーレン"}, 0.8F);
    put(3, {"Kimi no Na wa.", "Your Name.", "君の名は。"}, 0.9F);
    put(4, {"One Piece", "ワンピース"}, 1.0F);
    put(5, {"One Punch Man", "ワンパンマン"}, 0.9F);
    put(6, {"Sword Art Online", "ソードアート・オンライン"}, 0.9F);
    put(7, {"Hagane no Renkinjutsushi", "Fullmetal Alchemist"}, 0.7F);
    put(8, {"Pokémon"}, 0.8F);
    put(9, {"Spider-Man"}, 0.1F);
  }
};

TEST_F(SearchOfAFew, finds_by_any_name_in_any_case) {
  EXPECT_EQ(find("ATTACK ON TITAN").front(), 1);
  EXPECT_EQ(find("Атака титанов").front(), 1);
  EXPECT_EQ(find("ataka titanov").front(), 1);
  EXPECT_EQ(find("your name").front(), 3);
  EXPECT_EQ(find("pokemon").front(), 8);
}

TEST_F(SearchOfAFew, finds_japanese_whole_in_parts_and_in_kana) {
  EXPECT_EQ(find("進撃の巨人").front(), 1);
  EXPECT_EQ(find("撃の巨").front(), 1);
  EXPECT_EQ(find("フリーレン").front(), 2);
  EXPECT_EQ(find("わんぴーす").front(), 4);
  EXPECT_EQ(find("オンライン").front(), 6);
  EXPECT_EQ(find("ソードアートオンライン").front(), 6);
}

TEST_F(SearchOfAFew, finds_what_is_being_typed) {
  EXPECT_THAT(find("one p"), ElementsAre(4, 5));
  EXPECT_EQ(find("one pu").front(), 5);
  EXPECT_EQ(find("sou").front(), 2);
  EXPECT_EQ(find("frieren beyo").front(), 2);
  // A finished word is no beginning of another.
  EXPECT_THAT(find("on"), testing::Contains(4));
  EXPECT_THAT(find("on "), ElementsAre(1));
}

TEST_F(SearchOfAFew, forgives_a_keystroke_or_two) {
  EXPECT_EQ(find("frieern").front(), 2);
  EXPECT_EQ(find("friren").front(), 2);
  EXPECT_EQ(find("frixreen").front(), 2);
  EXPECT_EQ(find("fulmetal alchmist").front(), 7);
  EXPECT_EQ(find("atack on titn").front(), 1);
  EXPECT_EQ(find("frieer").front(), 2);  // mistyped, and not finished
}

TEST_F(SearchOfAFew, does_not_care_about_the_order_of_words) {
  EXPECT_EQ(find("titan attack").front(), 1);
  EXPECT_EQ(find("online sword art").front(), 6);
  EXPECT_EQ(find("kyojin no shingeki").front(), 1);
}

TEST_F(SearchOfAFew, does_not_care_what_is_written_together) {
  EXPECT_EQ(find("onepiece").front(), 4);
  EXPECT_EQ(find("spiderman").front(), 9);
  EXPECT_EQ(find("full metal alchemist").front(), 7);
}

TEST_F(SearchOfAFew, finds_nothing_where_nothing_is) {
  EXPECT_THAT(find("zzzzqqqq"), IsEmpty());
  EXPECT_THAT(find("!!!"), IsEmpty());
  EXPECT_EQ(find(Query{.text = "zzzzqqqq", .facets = true}).total, 0);
}

TEST_F(SearchOfAFew, without_words_is_everything_by_popularity) {
  EXPECT_THAT(find(""), ElementsAre(4, 1, 3, 5, 6, 2, 8, 7, 9));
  EXPECT_THAT(find("  "), SizeIs(9));
}

TEST_F(SearchOfAFew, says_which_name_and_what_of_it) {
  const auto match = [this](const std::string& text) {
    const Found found = find(Query{.text = text});
    return std::pair(found.hits.at(0).name, found.hits.at(0).matched);
  };
  EXPECT_EQ(match("titan attack"), std::pair(std::string("Attack on Titan"), std::vector<Range>{{0, 6}, {10, 15}}));
  EXPECT_EQ(match("one pie"), std::pair(std::string("One Piece"), std::vector<Range>{{0, 3}, {4, 7}}));
  EXPECT_EQ(match("frieern"), std::pair(std::string("Sousou no Frieren"), std::vector<Range>{{10, 17}}));
  EXPECT_EQ(match("撃の巨"), std::pair(std::string("進撃の巨人"), std::vector<Range>{{1, 4}}));
  EXPECT_EQ(match("poke"), std::pair(std::string("Pokémon"), std::vector<Range>{{0, 7}}));
  EXPECT_EQ(match("spiderman"), std::pair(std::string("Spider-Man"), std::vector<Range>{{0, 10}}));
}

TEST_F(Search, puts_what_was_asked_for_before_what_is_popular) {
  put(1, {"Another One"}, 0);
  put(2, {"Another One Bites"}, 1);
  put(3, {"One Another"}, 0.5F);
  EXPECT_EQ(find("another one").front(), 1);
}

TEST_F(Search, ranks_equals_by_popularity_then_score_then_id) {
  put(1, {"Gate Alpha"}, 0.2F);
  put(2, {"Gate Bravo"}, 0.9F);
  put(3, {"Gate Corps"}, 0.2F, {}, 9);
  put(4, {"Gate Delta"}, 0.2F);
  EXPECT_THAT(find("gate"), ElementsAre(2, 3, 1, 4));
}

TEST_F(Search, sorts_as_it_is_asked_to) {
  put(1, {"Gate Alpha"}, 0.2F, {}, 9);
  put(2, {"Gate Bravo"}, 0.9F, {}, 5);
  put(3, {"Other"}, 1, {}, 10);
  EXPECT_THAT(numbers(find(Query{.text = "gate", .sort = Sort::score})), ElementsAre(1, 2));
  EXPECT_THAT(numbers(find(Query{.text = "gate", .sort = Sort::popularity})), ElementsAre(2, 1));
  EXPECT_THAT(numbers(find(Query{.sort = Sort::score})), ElementsAre(3, 1, 2));
}

// ---------------------------------------------------------------------------------------------------------------------------- facets

class Facets : public Search {
 protected:
  Facets() {
    put(1, {"Gate one"}, 0.5F, {{Facet::format, "TV"}, {Facet::genre, "action"}, {Facet::genre, "drama"}, {Facet::year, "2020"}}, 8);
    put(2, {"Gate two"}, 0.4F, {{Facet::format, "TV"}, {Facet::genre, "action"}, {Facet::year, "2021"}}, 6);
    put(3, {"Gate three"}, 0.3F, {{Facet::format, "MOVIE"}, {Facet::genre, "drama"}, {Facet::year, "2021"}}, 7);
    put(4, {"Other"}, 0.2F, {{Facet::format, "TV"}, {Facet::genre, "comedy"}}, 9);
  }
  static std::map<std::string, std::int64_t> counts(const Found& found, Facet facet) {
    std::map<std::string, std::int64_t> all;
    for (const FacetCount& one : found.facets[static_cast<std::size_t>(facet)]) all[one.value] = one.count;
    return all;
  }
  Query gate() { return Query{.text = "gate", .facets = true}; }
};

TEST_F(Facets, count_what_was_found) {
  const Found found = find(gate());
  EXPECT_EQ(counts(found, Facet::format), (std::map<std::string, std::int64_t>{{"TV", 2}, {"MOVIE", 1}}));
  EXPECT_EQ(counts(found, Facet::genre), (std::map<std::string, std::int64_t>{{"action", 2}, {"drama", 2}}));
  EXPECT_EQ(found.total, 3);
}

TEST_F(Facets, narrow_the_others_and_not_themselves) {
  Query query = gate();
  query.filters[static_cast<std::size_t>(Facet::format)] = {"TV"};
  const Found found = find(query);
  EXPECT_THAT(numbers(found), ElementsAre(1, 2));
  EXPECT_EQ(found.total, 2);
  EXPECT_EQ(counts(found, Facet::format), (std::map<std::string, std::int64_t>{{"TV", 2}, {"MOVIE", 1}}));
  EXPECT_EQ(counts(found, Facet::genre), (std::map<std::string, std::int64_t>{{"action", 2}, {"drama", 1}}));
}

TEST_F(Facets, of_one_kind_are_alternatives_and_of_two_conditions) {
  Query query = gate();
  query.filters[static_cast<std::size_t>(Facet::genre)] = {"action", "drama"};
  EXPECT_THAT(numbers(find(query)), UnorderedElementsAre(1, 2, 3));
  query.filters[static_cast<std::size_t>(Facet::year)] = {"2021"};
  EXPECT_THAT(numbers(find(query)), UnorderedElementsAre(2, 3));
  query.filters[static_cast<std::size_t>(Facet::format)] = {"nothing of the sort"};
  EXPECT_THAT(numbers(find(query)), IsEmpty());
}

TEST_F(Facets, have_a_least_score) {
  Query query = gate();
  query.score_min = 7;
  EXPECT_THAT(numbers(find(query)), UnorderedElementsAre(1, 3));
  query.text = "";
  EXPECT_THAT(numbers(find(query)), UnorderedElementsAre(1, 3, 4));
}

TEST_F(Facets, forget_what_has_gone) {
  index.remove(id(1));
  put(2, {"Gate two"}, 0.4F, {{Facet::format, "OVA"}});
  const Found found = find(gate());
  EXPECT_EQ(counts(found, Facet::format), (std::map<std::string, std::int64_t>{{"OVA", 1}, {"MOVIE", 1}}));
}

// ------------------------------------------------------------------------------------------------- changes, pages, and what is random

/// Names of few words, so that much is alike.
class Anything {
 public:
  explicit Anything(unsigned seed) : random(seed) {}

  std::string word() {
    static const std::vector<std::string> words = {"gate", "gates", "grate", "no",   "ni",   "star", "stars", "the", "of",  "kara",
                                                   "kana", "星",    "の",    "ゼロ", "zero", "art",  "part",  "a",   "air", "x"};
    return words[random() % words.size()];
  }
  std::string name() {
    std::string text = word();
    for (auto n = random() % 4; n > 0; --n) text += ' ' + word();
    return text;
  }
  Document document(int number) {
    Document made{.id = id(number), .names = {name()}, .popularity = static_cast<float>(random() % 10) / 10};
    for (auto n = random() % 3; n > 0; --n) made.names.push_back(name());
    made.values = {{Facet::format, random() % 2 == 0 ? "TV" : "MOVIE"}};
    if (random() % 2 == 0) made.values.push_back({Facet::genre, "g" + std::to_string(random() % 4)});
    made.score = static_cast<float>(random() % 11) - 1;
    return made;
  }

  std::mt19937 random;
};

void expect_same(const Found& a, const Found& b, const std::string& text) {
  ASSERT_EQ(a.hits.size(), b.hits.size()) << text;
  for (std::size_t i = 0; i < a.hits.size(); ++i) {
    EXPECT_EQ(a.hits[i].id, b.hits[i].id) << text;
    EXPECT_EQ(a.hits[i].rank, b.hits[i].rank) << text;
    EXPECT_EQ(a.hits[i].name, b.hits[i].name) << text;
    EXPECT_EQ(a.hits[i].matched, b.hits[i].matched) << text;
  }
  EXPECT_EQ(a.total, b.total) << text;
  EXPECT_EQ(a.facets, b.facets) << text;
}

TEST_F(Search, of_an_index_that_changed_is_that_of_one_made_anew) {
  for (unsigned seed = 1; seed <= 4; ++seed) {
    Anything anything(seed);
    Index changed;
    std::map<int, Document> now;
    for (int i = 0; i < 600; ++i) {
      const int number = static_cast<int>(anything.random() % 120);
      if (anything.random() % 5 == 0) {
        EXPECT_EQ(changed.remove(id(number)), now.erase(number) > 0);
      } else {
        Document document = anything.document(number);
        if (now.contains(number) && anything.random() % 3 == 0) document.names = now[number].names;
        now[number] = document;
        changed.put(prepare(document, normaliser));
      }
    }
    Index fresh;
    for (const auto& [number, document] : now) fresh.put(prepare(document, normaliser));
    const Index compact = changed.compacted();
    EXPECT_EQ(changed.size(), now.size());
    Workspace other;
    for (int i = 0; i < 40; ++i) {
      Query query{.text = i == 0 ? "" : anything.name(), .limit = 200, .facets = true};
      if (i % 3 == 0) query.text = query.text.substr(0, query.text.size() / 2);
      if (i % 4 == 0) query.filters[static_cast<std::size_t>(Facet::format)] = {"TV"};
      const Found found = search::find(changed, query, workspace);
      expect_same(found, search::find(fresh, query, other), query.text);
      expect_same(found, search::find(compact, query, other), query.text);
    }
  }
}

TEST_F(Search, goes_on_where_a_page_ended_until_all_is_shown_once) {
  Anything anything(9);
  for (int i = 0; i < 700; ++i) index.put(prepare(anything.document(i), normaliser));
  for (const Sort sort : {Sort::relevance, Sort::popularity, Sort::score}) {
    for (const std::string text : {"", "gate", "a"}) {
      const Found all = find(Query{.text = text, .sort = sort, .limit = 10'000});
      EXPECT_EQ(all.total, std::ssize(all.hits));
      EXPECT_FALSE(all.next);
      std::vector<int> paged;
      Query query{.text = text, .sort = sort, .limit = 37};
      do {
        const Found page = find(query);
        EXPECT_EQ(page.total, all.total);
        const auto more = numbers(page);
        paged.insert(paged.end(), more.begin(), more.end());
        query.after = page.next;
      } while (query.after);
      EXPECT_EQ(paged, numbers(all));
    }
  }
}

TEST_F(Search, answers_whatever_is_sent) {
  Anything anything(10);
  for (int i = 0; i < 300; ++i) index.put(prepare(anything.document(i), normaliser));
  put(1000, {});
  put(1001, {"\u2606"});
  std::mt19937 random(11);
  for (int i = 0; i < 200; ++i) {
    std::string text(random() % 300, ' ');
    for (char& c : text) c = i % 2 == 0 ? static_cast<char>(random() % 256) : "ab \xe3\x81\xae"[random() % 6];
    const Found found = find(Query{.text = text, .limit = 10, .facets = true});
    for (const Hit& hit : found.hits) {
      std::int32_t before = -1;
      for (const Range& range : hit.matched) {
        EXPECT_LT(before, range.begin);
        EXPECT_LT(range.begin, range.end);
        before = range.end;
      }
    }
  }
  EXPECT_THAT(find(Query{.text = "gate", .limit = 0}).hits, IsEmpty());
}

TEST_F(Search, leaves_out_what_is_no_more_and_finds_what_is_new) {
  put(1, {"Gate"});
  put(1, {"Star"});
  EXPECT_THAT(find("gate"), IsEmpty());
  EXPECT_THAT(find("star"), ElementsAre(1));
  EXPECT_TRUE(index.remove(id(1)));
  EXPECT_FALSE(index.remove(id(1)));
  EXPECT_THAT(find("star"), IsEmpty());
  EXPECT_EQ(index.size(), 0u);
}

}  // namespace
}  // namespace bloomwatch::search
