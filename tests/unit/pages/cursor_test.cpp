// Cursors: they go round, and none but one's own of the same list and epoch is taken.
#include "query-service/cursor.h"

#include <gtest/gtest.h>

namespace bloomwatch {
namespace {

struct Place {
  std::string title;
  std::optional<Uuid> id;
};
BOOST_DESCRIBE_STRUCT(Place, (), (title, id))

constexpr std::string_view epoch = "01ab23cd";
constexpr std::string_view list = "/api/watch-spaces/1/anime";

class Cursor : public testing::Test {
 protected:
  Cursors cursors{MasterKeys::derive_from(SecretKey::random())};
  Place place{"Frieren \"beyond\" ☃", Uuid::parse("018f0000-0000-7000-8000-000000000001")};
};

TEST_F(Cursor, goes_round) {
  const auto back = cursors.open<Place>(cursors.make(epoch, list, place), epoch, list);
  ASSERT_TRUE(back);
  EXPECT_EQ(back->title, place.title);
  EXPECT_EQ(back->id, place.id);
}

TEST_F(Cursor, is_refused_when_any_character_was_changed) {
  const std::string cursor = cursors.make(epoch, list, place);
  for (std::size_t i = 0; i < cursor.size(); ++i) {
    std::string changed = cursor;
    changed[i] = changed[i] == 'A' ? 'B' : 'A';
    const auto opened = cursors.open<Place>(changed, epoch, list);
    ASSERT_FALSE(opened) << i;
    EXPECT_EQ(opened.error().status, 400) << i;
  }
  for (const std::string_view wrong : {"", "A", "!!!!", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"})
    EXPECT_EQ(cursors.open<Place>(wrong, epoch, list).error().status, 400);
}

TEST_F(Cursor, is_refused_by_another_list_and_by_another_instance) {
  const std::string cursor = cursors.make(epoch, list, place);
  EXPECT_EQ(cursors.open<Place>(cursor, epoch, "/api/watch-spaces/2/anime").error().status, 400);
  const Cursors others(MasterKeys::derive_from(SecretKey::random()));
  EXPECT_EQ(others.open<Place>(cursor, epoch, list).error().status, 400);
}

TEST_F(Cursor, of_another_epoch_has_ended) {
  const auto opened = cursors.open<Place>(cursors.make("ffffffff", list, place), epoch, list);
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().status, 410);
  EXPECT_EQ(opened.error().type, "epoch-ended");
}

}  // namespace
}  // namespace bloomwatch
