// The tables that folds work on: what is announced, what is known, whose partition writes.
#include "projector/rows.h"

#include <gmock/gmock.h>

#include "projector/dashboard/dashboard.h"
#include "projector/spaces/spaces.h"
#include "projector/tracking/tracking.h"
#include "tests/unit/projection/folding.h"

namespace bloomwatch::test {
namespace {

using projection::Rows;

Meta meta_of(const Uuid& stream, const Uuid& partition_key) {
  Meta meta;
  meta.stream = {"", stream};
  meta.partition_key = PartitionKey(partition_key);
  return meta;
}

TEST(Rows, refuse_a_fold_that_touches_a_row_which_no_id_announced) {
  Rows<RatedAnimeRow> rows;
  rows.know_only_loaded();
  rows.want(anime(1));
  EXPECT_EQ(rows.peek(anime(1)), nullptr);
  EXPECT_NO_THROW(rows[anime(1)]);
  EXPECT_THROW(rows[anime(2)], projection::UnannouncedRow);
  EXPECT_THROW(rows.find(anime(2)), projection::UnannouncedRow);
  EXPECT_THROW(rows.erase(anime(2)), projection::UnannouncedRow);
}

TEST(Rows, refuse_a_row_that_two_partitions_write) {
  Rows<RatedAnimeRow> rows;
  rows.fold_for(3);
  rows[anime(1)].raters = 1;
  rows.fold_for(4);
  EXPECT_THROW(rows[anime(1)], projection::ForeignPartition);
  projection::Sums<SpaceSum> sums;
  sums.fold_for(3);
  sums[space()].shows = 1;
  sums.fold_for(4);
  EXPECT_THROW(sums[space()], projection::ForeignPartition);
}

TEST(Rows, take_their_key_from_their_first_members) {
  const EntryRow row{.anime = anime(1), .profile = person(2)};
  EXPECT_EQ(projection::key_of(row), EntryRow::Key(anime(1), person(2)));
  Rows<EntryRow> rows;
  EXPECT_EQ((rows[{anime(3), person(4)}].profile), person(4));
}

TEST(Rows, are_changed_once_however_often_they_are_touched) {
  Rows<RatedAnimeRow> rows;
  rows[anime(1)].raters = 1;
  rows[anime(1)].raters = 2;
  rows[anime(2)];
  EXPECT_THAT(rows.changed(), testing::SizeIs(2));
  rows.flushed();
  EXPECT_THAT(rows.changed(), testing::IsEmpty());
  rows.erase(anime(2));
  EXPECT_THAT(rows.changed(), testing::SizeIs(1));
}

TEST(Announcing, makes_keys_of_the_ids_that_an_event_names) {
  Tracking tracking;
  tracking.anime.know_only_loaded();
  const Meta meta = meta_of(anime(1).uuid, space().uuid);
  projection::announce(tracking, AnyEvent(AnimeRated{.profile = person(2), .title = title(1)}), meta);
  EXPECT_THAT(tracking.anime.wanted(), testing::ElementsAre(anime(1)));
  EXPECT_THAT(tracking.entries.wanted(), testing::ElementsAre(EntryRow::Key(anime(1), person(2))));
  EXPECT_THAT(tracking.sessions.wanted(), testing::IsEmpty());
}

TEST(Announcing, asks_for_nothing_that_is_held_already) {
  Tracking tracking;
  const Meta meta = meta_of(anime(1).uuid, space().uuid);
  for (int i = 0; i < 2; ++i) projection::announce(tracking, AnyEvent(SharedProgressChanged{.episodes = 1}), meta);
  EXPECT_THAT(tracking.anime.wanted(), testing::SizeIs(1));
  tracking.anime.loaded();
  projection::announce(tracking, AnyEvent(SharedProgressChanged{.episodes = 2}), meta);
  EXPECT_THAT(tracking.anime.wanted(), testing::IsEmpty());
}

TEST(Announcing, finds_ids_in_lists_and_options) {
  Spaces spaces;
  const Meta meta = meta_of(space().uuid, space().uuid);
  projection::announce(spaces, AnyEvent(OwnershipTransferred{person(1), person(2)}), meta);
  EXPECT_THAT(spaces.members.wanted(), testing::SizeIs(2));
  projection::announce(spaces, AnyEvent(MemberJoined{person(3), SpaceRole::member, InvitationId(uuid_of(6, 1))}), meta);
  EXPECT_THAT(spaces.invitations.wanted(), testing::SizeIs(1));
  EXPECT_THAT(spaces.spaces.wanted(), testing::ElementsAre(space()));
}

}  // namespace
}  // namespace bloomwatch::test
