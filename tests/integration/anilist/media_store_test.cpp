// The table of AniList's media against a real Postgres: what is kept comes back, newer wins, and it stays within its bounds.
#include "query-service/anilist/media_store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>

#include "runtime/json.h"
#include "tests/postgres_cluster.h"

namespace bloomwatch::anilist {
namespace {

using testing::ElementsAre;

const Time today = Time(std::chrono::sys_days(std::chrono::year(2026) / 11 / 28));

Media media(std::int32_t id, std::string title, std::int32_t popularity = 1) {
  Media made;
  made.anilist_media_id = id;
  made.preferred_title = std::move(title);
  made.preferred_title_native = "葬送の" + std::to_string(id);
  made.start_date = PartialDate{2023, 9, {}};
  made.popularity = popularity;
  return made;
}

class MediaStoreTest : public testing::Test {
 protected:
  std::optional<KeptMedia> find(std::int32_t id) {
    std::promise<std::optional<KeptMedia>> promise;
    store_.find(id, [&promise](std::optional<KeptMedia> kept) { promise.set_value(std::move(kept)); });
    return promise.get_future().get();
  }
  std::vector<std::int32_t> found(std::string_view text, std::int64_t limit = 50) {
    std::vector<std::int32_t> ids;
    for (const KeptMedia& kept : store_.search(text, limit)) ids.push_back(kept.media.anilist_media_id);
    return ids;
  }

  std::string url_ = test::fresh_database();
  MediaStore store_{url_};
};

TEST_F(MediaStoreTest, gives_back_what_it_was_given) {
  EXPECT_FALSE(find(7));
  store_.keep(media(7, "Seven"), today);
  const auto kept = find(7);
  ASSERT_TRUE(kept);
  EXPECT_EQ(json::to_string(kept->media), json::to_string(media(7, "Seven")));
  EXPECT_EQ(kept->fetched_at, today);
  store_.forget(7);
  EXPECT_FALSE(find(7));
}

TEST_F(MediaStoreTest, keeps_the_newer_of_two_whoever_comes_last) {
  store_.keep(media(7, "new"), today);
  store_.keep(media(7, "old"), today - std::chrono::hours(1));
  EXPECT_EQ(find(7)->media.preferred_title, "new");
}

TEST_F(MediaStoreTest, finds_by_any_title_the_popular_first) {
  store_.keep(media(1, "The Walk of 100%_Elves", 5), today);
  store_.keep(media(2, "WALKING HOME", 9), today);
  store_.keep(media(3, "Something else", 7), today);
  EXPECT_THAT(found("walk"), ElementsAre(2, 1));
  EXPECT_THAT(found("葬送の3"), ElementsAre(3));
  EXPECT_THAT(found("100%_e"), ElementsAre(1)) << "no text is a pattern";
  EXPECT_THAT(found("walk", 1), ElementsAre(2));
  EXPECT_TRUE(found("nothing of the kind").empty());
}

TEST_F(MediaStoreTest, forgets_what_is_too_old_when_it_writes) {
  pg::Connection connection({.url = url_});
  connection.script("INSERT INTO anilist.media (id, fetched_at, titles, media) VALUES (1, '2026-01-01Z', 'old', '{}')");
  connection.script("INSERT INTO anilist.media (id, fetched_at, titles, media) VALUES (2, '2026-11-01Z', 'new', '{}')");
  store_.keep(media(3, "Three"), today);
  EXPECT_EQ(connection.query("SELECT 1 FROM anilist.media").size(), 2);
  EXPECT_FALSE(find(2)) << "a row that cannot be read is none";
}

TEST_F(MediaStoreTest, is_bounded_in_rows) {
  pg::Connection connection({.url = url_});
  connection.query(
      "INSERT INTO anilist.media (id, fetched_at, titles, media) SELECT n, '2026-11-20Z'::timestamptz + n * interval '1 s', "
      "'', '{}' FROM generate_series(1, $1::bigint) AS n",
      pg::Params(MediaStore::rows_max));
  store_.keep(media(1'000'000, "One more"), today);
  EXPECT_EQ(connection.query("SELECT count(*) FROM anilist.media")[0].get<std::int64_t>(0), MediaStore::rows_max);
  EXPECT_TRUE(connection.query("SELECT 1 FROM anilist.media WHERE id = 1").empty()) << "the one that was fetched longest ago went";
}

}  // namespace
}  // namespace bloomwatch::anilist
