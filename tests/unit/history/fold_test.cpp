// What the history model keeps of events: who is in it, what gives a thing its value, and what was there before.
#include <gmock/gmock.h>

#include <set>

#include "events/fields.h"
#include "projector/history/history.h"
#include "tests/unit/projection/folding.h"

namespace bloomwatch::test {
namespace {

using ::testing::UnorderedElementsAre;

class HistoryFold : public Folding<History> {
 public:
  const ChangeRow& row(Position position) const { return *model.changes.peek({position, 0}); }
  /// The last event before that gave its value to what the event at the position changed; 0: none.
  Position before(Position position) const {
    Position found = 0;
    model.changes.each([&](const ChangeRow& other, std::int16_t) {
      if (other.sets && other.sets == row(position).looks_at && other.position < position) found = std::max(found, other.position);
    });
    return found;
  }
  /// Everybody by whom the event is found.
  std::set<ProfileId> people(Position position) const {
    std::set<ProfileId> found;
    model.changes.each([&](const ChangeRow& each, std::int16_t) {
      if (each.position != position) return;
      if (each.actor) found.insert(*each.actor);
      if (each.person) found.insert(*each.person);
    });
    return found;
  }
};

TEST(HistoryFold, knows_who_did_what_to_whom_and_where) {
  HistoryFold fold;
  fold.by = person(1);
  fold.added(1).undoing(1).rated(1, person(2), 80);
  const ChangeRow& row = fold.row(2);
  EXPECT_EQ(row.type, "AnimeRated");
  EXPECT_EQ(row.actor, person(1));
  EXPECT_EQ(row.person, person(2));
  EXPECT_EQ(row.watch_space, space());
  EXPECT_EQ(row.anime, anime(1));
  EXPECT_TRUE(row.undoes);
  EXPECT_EQ(row.at, minute(2));
}

TEST(HistoryFold, finds_the_value_before_by_anime_field_and_person) {
  HistoryFold fold;
  fold.added(1).added(2);                                                                                         // 1, 2
  fold.rated(1, person(1), 80).rated(1, person(2), 70).rated(2, person(1), 60);                                   // 3, 4, 5
  fold.in_anime(1, RatingCleared{person(1), title(1)}).rated(1, person(1), 85);                                   // 6, 7
  fold.in_anime(1, SharedStatusChanged{TrackingStatus::watching, {}}).in_anime(1, SharedProgressChanged{3, {}});  // 8, 9
  EXPECT_EQ(fold.before(3), 0);
  EXPECT_EQ(fold.before(4), 0);
  EXPECT_EQ(fold.before(6), 3);
  EXPECT_EQ(fold.before(7), 6);
  EXPECT_EQ(fold.before(8), 1);  // what it was added as
  EXPECT_EQ(fold.before(9), 0);
}

TEST(HistoryFold, finds_what_joining_and_making_gave_a_value) {
  HistoryFold fold;
  fold.in_space(WatchSpaceCreated{"A", "UTC", {}}).in_space(MemberJoined{person(1), SpaceRole::owner, {}});                       // 1, 2
  fold.in_space(MemberJoined{person(2), SpaceRole::member, {}}).in_space(WatchSpaceRenamed{"B"});                                 // 3, 4
  fold.in_space(SessionConsentChanged{person(2), SessionConsent::ask}).in_space(OwnershipTransferred{person(1), person(2)});      // 5, 6
  fold.in_space(MemberRoleChanged{person(1), SpaceRole::owner}).in_space(MemberLeft{person(2)});                                  // 7, 8
  fold.in_space(MemberJoined{person(2), SpaceRole::member, {}}).in_space(SessionConsentChanged{person(2), SessionConsent::ask});  // 9, 10
  EXPECT_EQ(fold.before(4), 1);
  EXPECT_EQ(fold.before(5), 3);
  EXPECT_EQ(fold.before(6), 3);
  EXPECT_EQ(fold.before(7), 6);
  EXPECT_EQ(fold.before(8), 6);
  EXPECT_EQ(fold.before(9), 8);
  EXPECT_EQ(fold.before(10), 9);
}

TEST(HistoryFold, is_found_once_by_everybody_whom_it_is_about) {
  HistoryFold fold;
  fold.added(1);
  WatchSessionRecorded session;
  session.session = evening(1);
  session.participants = {{person(1), Attendance::present}, {person(2), Attendance::invited}, {person(2), Attendance::present}};
  fold.in_anime(1, session);
  EXPECT_THAT(fold.people(2), UnorderedElementsAre(person(1), person(2)));
  std::size_t of_two = 0;
  fold.model.changes.each([&](const ChangeRow& each, std::int16_t) { of_two += each.person == person(2) ? 1U : 0U; });
  EXPECT_EQ(of_two, 1U);
}

TEST(HistoryFold, tells_a_session_taken_back_from_what_was_recorded) {
  HistoryFold fold;
  WatchSessionRecorded session;
  session.session = evening(1);
  fold.added(1).in_anime(1, session).in_anime(1, WatchSessionRemoved{evening(1), title(1)});
  fold.in_anime(1, WatchSessionRestored{evening(1), title(1)}).in_anime(1, WatchSessionRemoved{evening(1), title(1)});
  for (const Position position : {3, 4, 5}) EXPECT_EQ(fold.before(position), 2);
}

TEST(HistoryFold, finds_log_in_sessions_by_their_account_and_keeps_looks_into_audits) {
  HistoryFold fold;
  fold.happens(uuid_of(8, 1), account(3).uuid, LoginSessionRefreshed{1});
  EXPECT_EQ(fold.row(1).person, person(3));
  fold.happens(uuid_of(9, 1), account(1).uuid, AuditQueried{.person = person(3)});
  EXPECT_EQ(fold.row(2).person, person(3));
  const AuditQueryRow* query = fold.model.queries.peek(AuditQueryId(uuid_of(9, 1)));
  ASSERT_NE(query, nullptr);
  EXPECT_EQ(query->admin, person(1));
  EXPECT_EQ(query->person, person(3));
}

TEST(Fields, lead_to_their_types_and_back) {
  EXPECT_THAT(types_of_field("rating"), UnorderedElementsAre("AnimeRated", "RatingCleared"));
  EXPECT_TRUE(types_of_field("no such field").empty());
  EXPECT_TRUE(EventTypeName::from("AnimeRated"));
  EXPECT_FALSE(EventTypeName::from("animeRated"));
  EXPECT_FALSE(FieldName::from(""));
  EXPECT_FALSE(EventTypeNames::from(std::vector(event_types_max + 1, EventTypeName{"AnimeRated"})));
}

}  // namespace
}  // namespace bloomwatch::test
