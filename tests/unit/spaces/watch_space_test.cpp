// Making, changing, leaving a watch space, and the rule that it always has an owner.
#include <algorithm>

#include "command-service/spaces/change_member_role.h"
#include "command-service/spaces/change_my_settings.h"
#include "command-service/spaces/change_watch_space.h"
#include "command-service/spaces/create_watch_space.h"
#include "command-service/spaces/leave_watch_space.h"
#include "command-service/spaces/refusals.h"
#include "command-service/spaces/remove_member.h"
#include "command-service/spaces/transfer_ownership.h"
#include "tests/decider.h"

namespace bloomwatch::testing {
namespace {

using spaces::Refusal;

const auto one_invitation = id_of<InvitationId>("invitation");
const auto other_invitation = id_of<InvitationId>("another invitation");

Past invited(InvitationId id, const Actor& by, Time expires_at = noon + std::chrono::days(7)) {
  return stream<WatchSpace>(space_id, MemberInvited{.invitation = id,
                                                    .invitee = id_of<ClaimKey>("late@example.org"),
                                                    .token_claim = id_of<ClaimKey>(id.to_string()),
                                                    .expires_at = expires_at})
      .by(by);
}
Past made_owner(const Actor& who) {
  return stream<WatchSpace>(space_id, MemberRoleChanged{.profile = who.profile, .role = SpaceRole::owner});
}
Past gone(const Actor& who) { return stream<WatchSpace>(space_id, MemberLeft{.profile = who.profile}); }

TEST(CreateWatchSpace, makes_a_space_with_its_first_owner) {
  given()
      .when(CreateWatchSpace{.name = value<SpaceName>(" Mira & Ken "),
                             .time_zone = value<TimeZoneName>("Europe/Berlin"),
                             .theme = value<Theme>("pastel"),
                             .watch_space = {space_id}},
            mira)
      .then(WatchSpaceCreated{.name = "Mira & Ken", .time_zone = "Europe/Berlin", .theme = "pastel"},
            MemberJoined{.profile = mira.profile, .role = SpaceRole::owner})
      .answers(space_id.uuid)
      .once();
}

TEST(CreateWatchSpace, keeps_utc_until_it_is_told_otherwise) {
  given()
      .when(CreateWatchSpace{.name = value<SpaceName>("Ours"), .watch_space = {space_id}}, mira)
      .then(WatchSpaceCreated{.name = "Ours", .time_zone = "UTC"}, MemberJoined{.profile = mira.profile, .role = SpaceRole::owner});
}

TEST(ChangeWatchSpace, writes_one_event_for_each_field_that_differs) {
  given(space_of(mira))
      .when(ChangeWatchSpace{.watch_space = space_id,
                             .name = {value<SpaceName>("Ours")},
                             .time_zone = {value<TimeZoneName>("Asia/Tokyo")},
                             .theme = {true, value<Theme>("dark")}},
            mira)
      .then(WatchSpaceRenamed{"Ours"}, WatchSpaceTimeZoneChanged{"Asia/Tokyo"}, WatchSpaceThemeChanged{"dark"})
      .once();
}

TEST(ChangeWatchSpace, clears_a_theme) {
  given(space_of(mira), stream<WatchSpace>(space_id, WatchSpaceThemeChanged{"dark"}))
      .when(ChangeWatchSpace{.watch_space = space_id, .theme = {true, std::nullopt}}, mira)
      .then(WatchSpaceThemeChanged{})
      .once();
}

TEST(ChangeWatchSpace, says_nothing_when_nothing_changes) {
  given(space_of(mira))
      .when(ChangeWatchSpace{.watch_space = space_id, .name = {value<SpaceName>("Mira & Ken")}, .theme = {true, std::nullopt}}, mira)
      .says_nothing();
}

TEST(ChangeWatchSpace, is_for_owners_only) {
  const ChangeWatchSpace renamed{.watch_space = space_id, .name = {value<SpaceName>("Ours")}};
  given(space_of(mira, ken)).when(renamed, ken).refuses(Refusal::owners_only);
  given(space_of(mira, ken)).when(renamed, stranger).refuses(Refusal::no_such_space);
  given().when(renamed, mira).refuses(Refusal::no_such_space);
}

TEST(LeaveWatchSpace, lets_a_member_go) {
  given(space_of(mira, ken)).when(LeaveWatchSpace{space_id}, ken).then(MemberLeft{.profile = ken.profile});
}

TEST(LeaveWatchSpace, revokes_the_open_invitations_that_the_person_sent_and_no_others) {
  given(space_of(mira, ken), made_owner(ken), invited(one_invitation, ken), invited(other_invitation, mira),
        invited(id_of<InvitationId>("expired"), ken, noon))
      .when(LeaveWatchSpace{space_id}, ken)
      .then(MemberLeft{.profile = ken.profile}, InvitationRevoked{.invitation = one_invitation});
}

TEST(LeaveWatchSpace, is_refused_to_the_last_owner) {
  given(space_of(mira, ken)).when(LeaveWatchSpace{space_id}, mira).refuses(Refusal::last_owner);
  given(space_of(mira)).when(LeaveWatchSpace{space_id}, mira).refuses(Refusal::last_owner);
  given(space_of(mira, ken), made_owner(ken)).when(LeaveWatchSpace{space_id}, mira).then(MemberLeft{.profile = mira.profile});
}

TEST(LeaveWatchSpace, is_refused_to_who_has_left) {
  given(space_of(mira, ken), gone(ken)).when(LeaveWatchSpace{space_id}, ken).refuses(Refusal::no_such_space);
}

RemoveMember remove(const Actor& who) { return {.watch_space = space_id, .user_id = who.profile}; }

TEST(RemoveMember, lets_an_owner_remove_a_member) {
  given(space_of(mira, ken)).when(remove(ken), mira).then(MemberRemoved{.profile = ken.profile}).answers(space_id.uuid);
}

TEST(RemoveMember, revokes_the_open_invitations_that_the_person_sent) {
  given(space_of(mira, ken), made_owner(ken), invited(one_invitation, ken))
      .when(remove(ken), mira)
      .then(MemberRemoved{.profile = ken.profile}, InvitationRevoked{.invitation = one_invitation});
}

TEST(RemoveMember, of_oneself_is_leaving) {
  given(space_of(mira, ken)).when(remove(ken), ken).then(MemberLeft{.profile = ken.profile});
  given(space_of(mira, ken)).when(remove(mira), mira).refuses(Refusal::last_owner);
}

TEST(RemoveMember, is_for_owners_only) {
  given(space_of(mira, ken)).when(remove(mira), ken).refuses(Refusal::owners_only);
  given(space_of(mira, ken)).when(remove(stranger), ken).refuses(Refusal::owners_only);
  given(space_of(mira, ken)).when(remove(ken), stranger).refuses(Refusal::no_such_space);
  given(space_of(mira, ken)).when(remove(stranger), stranger).refuses(Refusal::no_such_space);
}

TEST(RemoveMember, is_refused_where_there_is_no_such_member) {
  given(space_of(mira)).when(remove(ken), mira).refuses(Refusal::no_such_member);
}

ChangeMemberRole make(const Actor& who, SpaceRole role) { return {.watch_space = space_id, .user_id = who.profile, .role = role}; }

TEST(ChangeMemberRole, makes_owners_and_members) {
  given(space_of(mira, ken))
      .when(make(ken, SpaceRole::owner), mira)
      .then(MemberRoleChanged{.profile = ken.profile, .role = SpaceRole::owner})
      .once();
  given(space_of(mira, ken), made_owner(ken))
      .when(make(mira, SpaceRole::member), mira)
      .then(MemberRoleChanged{.profile = mira.profile, .role = SpaceRole::member});
}

TEST(ChangeMemberRole, never_demotes_the_last_owner) {
  given(space_of(mira, ken)).when(make(mira, SpaceRole::member), mira).refuses(Refusal::last_owner);
}

TEST(ChangeMemberRole, says_nothing_when_nothing_changes) {
  given(space_of(mira, ken)).when(make(ken, SpaceRole::member), mira).says_nothing();
}

TEST(ChangeMemberRole, is_for_owners_only) {
  given(space_of(mira, ken)).when(make(ken, SpaceRole::owner), ken).refuses(Refusal::owners_only);
  given(space_of(mira, ken)).when(make(ken, SpaceRole::owner), stranger).refuses(Refusal::no_such_space);
  given(space_of(mira)).when(make(ken, SpaceRole::owner), mira).refuses(Refusal::no_such_member);
}

TransferOwnership hand_to(const Actor& who) { return {.watch_space = space_id, .user_id = who.profile}; }

TEST(TransferOwnership, makes_them_an_owner_and_oneself_a_member) {
  auto world = given(space_of(mira, ken));
  world.when(hand_to(ken), mira).then(OwnershipTransferred{.from = mira.profile, .to = ken.profile});
  EXPECT_TRUE(world.state<WatchSpace>(space_id).is_last_owner(ken.profile));
  EXPECT_FALSE(world.state<WatchSpace>(space_id).is_owner(mira.profile));
}

TEST(TransferOwnership, says_nothing_to_who_hands_it_to_oneself) { given(space_of(mira)).when(hand_to(mira), mira).says_nothing(); }

TEST(TransferOwnership, is_for_owners_and_to_members_only) {
  given(space_of(mira, ken)).when(hand_to(ken), ken).refuses(Refusal::owners_only);
  given(space_of(mira, ken)).when(hand_to(stranger), mira).refuses(Refusal::no_such_member);
  given(space_of(mira, ken)).when(hand_to(ken), stranger).refuses(Refusal::no_such_space);
}

TEST(ChangeMySettings, sets_ones_own_consent) {
  given(space_of(mira, ken))
      .when(ChangeMySettings{.watch_space = space_id, .session_consent = {SessionConsent::ask}}, ken)
      .then(SessionConsentChanged{.profile = ken.profile, .consent = SessionConsent::ask})
      .once();
}

TEST(ChangeMySettings, says_nothing_when_nothing_changes) {
  given(space_of(mira)).when(ChangeMySettings{.watch_space = space_id}, mira).says_nothing();
  given(space_of(mira))
      .when(ChangeMySettings{.watch_space = space_id, .session_consent = {SessionConsent::automatic}}, mira)
      .says_nothing();
}

TEST(ChangeMySettings, is_refused_to_strangers) {
  given(space_of(mira)).when(ChangeMySettings{.watch_space = space_id}, ken).refuses(Refusal::no_such_space);
}

TEST(ChangeMySettings, finds_room_in_a_stream_that_another_has_filled_for_less_consent_only) {
  const auto fits = [](const Past& past, const ChangeMySettings& command) {
    const Outcome outcome = given(space_of(mira, ken), past).when(command, ken);
    EXPECT_EQ(outcome.decided().events.size(), 1U);
    return std::ranges::all_of(outcome.decided().events, &NewEvent::always_fits);
  };
  const auto asked = stream<WatchSpace>(space_id, SessionConsentChanged{.profile = ken.profile, .consent = SessionConsent::ask});
  const auto agreed = stream<WatchSpace>(space_id, RecapConsentChanged{.profile = ken.profile, .consent = true});
  EXPECT_TRUE(fits({}, {.watch_space = space_id, .session_consent = {SessionConsent::ask}}));
  EXPECT_FALSE(fits(asked, {.watch_space = space_id, .session_consent = {SessionConsent::automatic}}));
  EXPECT_TRUE(fits(agreed, {.watch_space = space_id, .recap_consent = {false}}));
  EXPECT_FALSE(fits({}, {.watch_space = space_id, .recap_consent = {true}}));
}

TEST(ChangeMySettings, starts_again_as_automatic_for_who_comes_back) {
  auto world =
      given(space_of(mira, ken), stream<WatchSpace>(space_id, SessionConsentChanged{.profile = ken.profile, .consent = SessionConsent::ask},
                                                    MemberLeft{.profile = ken.profile}, MemberJoined{.profile = ken.profile}));
  EXPECT_EQ(world.state<WatchSpace>(space_id).members.at(ken.profile).consent, SessionConsent::automatic);
}

}  // namespace
}  // namespace bloomwatch::testing
