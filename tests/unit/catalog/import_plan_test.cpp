// Which title a row is, when a source has merged and split its entries since.
#include "command-service/catalog/import_plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

namespace bloomwatch::catalog {
namespace {

MediaReference reference(const std::string& text) {
  const std::size_t colon = text.find(':');
  return {text.substr(0, colon), text.substr(colon + 1)};
}
TitleId id(std::string_view name) { return TitleId(Uuid::v5(Uuid{}, name)); }

/// What the catalogue knows, and a file of rows, each its references.
ImportPlan plan(const std::map<std::string, TitleId>& known, const std::vector<std::vector<std::string>>& rows) {
  std::vector<FileTitle> titles;
  for (const auto& row : rows) {
    FileTitle& title = titles.emplace_back();
    title.row = titles.size();
    for (const std::string& text : row) title.entry.media.push_back(reference(text));
  }
  return plan_import(titles, [&](const MediaReference& wanted) -> std::optional<TitleId> {
    const auto found = known.find(wanted.source + ':' + wanted.id);
    return found == known.end() ? std::nullopt : std::optional(found->second);
  });
}

TEST(ImportPlan, makes_new_titles_with_the_id_that_spaces_use_already) {
  const ImportPlan made = plan({}, {{"anilist:1", "mal:2"}, {"mal:3"}});
  ASSERT_EQ(made.titles.size(), 2u);
  EXPECT_EQ(made.titles[0].title, title_of("anilist", "1"));
  EXPECT_EQ(made.titles[1].title, title_of("mal", "3"));
  EXPECT_TRUE(made.titles[0].fresh && made.titles[1].fresh);
  EXPECT_TRUE(made.merges.empty() && made.releases.empty());
}

TEST(ImportPlan, keeps_ids_when_references_come_and_go) {
  const ImportPlan made = plan({{"mal:2", id("a")}}, {{"anilist:1", "mal:2"}});
  EXPECT_EQ(made.titles[0].title, id("a"));
  EXPECT_FALSE(made.titles[0].fresh);
}

TEST(ImportPlan, merges_titles_whose_references_meet_in_one_row) {
  const ImportPlan made = plan({{"anilist:1", id("a")}, {"mal:2", id("b")}, {"kitsu:3", id("c")}}, {{"anilist:1", "mal:2", "kitsu:3"}});
  EXPECT_EQ(made.titles[0].title, id("a"));
  ASSERT_EQ(made.merges.size(), 2u);
  for (const MergeStep& merge : made.merges) EXPECT_EQ(merge.into, id("a"));
  EXPECT_TRUE(made.releases.empty());
}

TEST(ImportPlan, splits_a_title_so_that_its_best_reference_keeps_the_id) {
  const ImportPlan made =
      plan({{"anilist:1", id("a")}, {"mal:2", id("a")}, {"anilist:5", id("a")}}, {{"mal:2", "anilist:5"}, {"anilist:1"}});
  EXPECT_EQ(made.titles[0].title, title_of("mal", "2"));
  EXPECT_TRUE(made.titles[0].fresh);
  EXPECT_EQ(made.titles[1].title, id("a"));
  EXPECT_TRUE(made.merges.empty());
  ASSERT_EQ(made.releases.size(), 1u);
  EXPECT_EQ(made.releases[0].title, id("a"));
  EXPECT_EQ(made.releases[0].media.size(), 2u);
}

TEST(ImportPlan, moves_a_reference_between_titles_that_both_live_on) {
  const ImportPlan made =
      plan({{"anilist:1", id("a")}, {"mal:2", id("a")}, {"anilist:3", id("b")}}, {{"anilist:1"}, {"anilist:3", "mal:2"}});
  EXPECT_EQ(made.titles[0].title, id("a"));
  EXPECT_EQ(made.titles[1].title, id("b"));
  EXPECT_TRUE(made.merges.empty());
  ASSERT_EQ(made.releases.size(), 1u);
  EXPECT_THAT(made.releases[0].media, ::testing::ElementsAre(MediaReference{"mal", "2"}));
}

TEST(ImportPlan, releases_many_references_of_one_title_in_several_steps) {
  std::map<std::string, TitleId> known = {{"anilist:1", id("a")}, {"anilist:2", id("b")}};
  std::vector<std::string> many = {"anilist:2"};
  for (std::size_t i = 1; i <= 2 * release_references_max; ++i) {
    many.push_back("mal:" + std::to_string(i));
    known[many.back()] = id("a");
  }
  const ImportPlan made = plan(known, {{"anilist:1"}, many});
  ASSERT_EQ(made.releases.size(), 2u);
  for (const ReleaseStep& release : made.releases) {
    EXPECT_EQ(release.title, id("a"));
    EXPECT_EQ(release.media.size(), release_references_max);
  }
}

TEST(ImportPlan, does_not_depend_on_the_order_of_rows) {
  const std::map<std::string, TitleId> known = {{"anilist:1", id("a")}, {"anilist:2", id("b")}, {"mal:3", id("b")}};
  const ImportPlan one = plan(known, {{"anilist:1", "anilist:2"}, {"mal:3"}});
  const ImportPlan other = plan(known, {{"mal:3"}, {"anilist:1", "anilist:2"}});
  EXPECT_EQ(one.titles[0].title, other.titles[1].title);
  EXPECT_EQ(one.titles[1].title, other.titles[0].title);
  EXPECT_EQ(one.merges.size(), other.merges.size());
}

}  // namespace
}  // namespace bloomwatch::catalog
