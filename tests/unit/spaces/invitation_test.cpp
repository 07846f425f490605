// Invitations: for one address, once, for a while.
#include "command-service/spaces/accept_invitation.h"
#include "command-service/spaces/invite_member.h"
#include "command-service/spaces/refusals.h"
#include "command-service/spaces/revoke_invitation.h"
#include "tests/decider.h"

namespace bloomwatch::testing {
namespace {

using spaces::Refusal;

const auto invitation = id_of<InvitationId>("invitation");
const auto ken_email = id_of<ClaimKey>("ken@example.org");
const auto token = id_of<ClaimKey>("token");
const Time next_week = noon + std::chrono::days(7);

InviteMember invite_ken(std::string_view name = "invitation") {
  return {.watch_space = space_id,
          .email = value<EmailAddress>("ken@example.org"),
          .invitation = {id_of<InvitationId>(name)},
          .invitee = {ken_email},
          .token_claim = {id_of<ClaimKey>(name == "invitation" ? "token" : name)},
          .expires_at = {next_week}};
}
MemberInvited ken_invited(SpaceRole role = SpaceRole::member) {
  return {.invitation = invitation, .invitee = ken_email, .token_claim = token, .role = role, .expires_at = next_week};
}
Past sent(SpaceRole role = SpaceRole::member) { return stream<WatchSpace>(space_id, ken_invited(role)).by(mira); }
Past accepted() { return stream<WatchSpace>(space_id, MemberJoined{.profile = ken.profile, .invitation = invitation}).by(ken); }
Past revoked() { return stream<WatchSpace>(space_id, InvitationRevoked{.invitation = invitation}); }
Past account(const Actor& who, ClaimKey email) {
  return stream<User>(
      who.account,
      UserRegistered{
          .profile = who.profile, .email = {}, .email_claim = email, .handle = {}, .handle_claim = {}, .display_name = {}, .password = {}});
}
const Past ken_registered = account(ken, ken_email);

/// Fills a space with members who came by themselves.
Past crowd(std::size_t members) {
  Past past;
  for (std::size_t i = 0; i < members; ++i) {
    const auto more = stream<WatchSpace>(space_id, MemberJoined{.profile = id_of<ProfileId>("member " + std::to_string(i))});
    past.events.push_back(more.events.front());
  }
  return past;
}

/// Former members, who came by themselves.
Past come_and_gone(std::size_t people) {
  Past past = crowd(people);
  for (std::size_t i = 0; i < people; ++i) {
    const auto more = stream<WatchSpace>(space_id, MemberLeft{.profile = id_of<ProfileId>("member " + std::to_string(i))});
    past.events.push_back(more.events.front());
  }
  return past;
}
const Past ken_was_here = stream<WatchSpace>(space_id, MemberJoined{.profile = ken.profile}, MemberLeft{.profile = ken.profile});

TEST(InviteMember, invites_an_address_and_takes_the_tokens_claim) {
  given(space_of(mira)).when(invite_ken(), mira).then(ken_invited()).takes(token).answers(invitation.uuid);
}

TEST(InviteMember, may_invite_an_owner) {
  auto command = invite_ken();
  command.role = SpaceRole::owner;
  given(space_of(mira)).when(command, mira).then(ken_invited(SpaceRole::owner));
}

TEST(InviteMember, is_for_owners_only) {
  given(space_of(mira, ken)).when(invite_ken(), ken).refuses(Refusal::owners_only);
  given(space_of(mira)).when(invite_ken(), stranger).refuses(Refusal::no_such_space);
}

TEST(InviteMember, is_refused_where_the_address_is_a_members) {
  given(space_of(mira, ken)).holding<User>(ken_email, ken.account).when(invite_ken(), mira).refuses(Refusal::already_a_member);
  given(space_of(mira)).holding<User>(ken_email, mira.account).when(invite_ken(), mira).refuses(Refusal::already_a_member);
  given(space_of(mira)).holding<User>(ken_email, ken.account).when(invite_ken(), mira).then(ken_invited());
}

TEST(InviteMember, is_refused_where_the_address_has_an_open_invitation) {
  given(space_of(mira), sent()).when(invite_ken("second"), mira).refuses(Refusal::invitation_open);
}

TEST(InviteMember, may_invite_again_after_expiry_revocation_or_departure) {
  const auto again = [](World world, Time now) { return world.when(invite_ken("second"), later(mira, now)).events().size(); };
  EXPECT_EQ(again(given(space_of(mira), sent()), next_week), 1);
  EXPECT_EQ(again(given(space_of(mira), sent(), revoked()), noon), 1);
  EXPECT_EQ(again(given(space_of(mira), sent(), accepted(), stream<WatchSpace>(space_id, MemberLeft{.profile = ken.profile})), noon), 1);
}

TEST(InviteMember, is_refused_when_the_space_is_full) {
  given(space_of(mira), crowd(members_max - 1)).when(invite_ken(), mira).refuses(Refusal::space_full);
  given(space_of(mira), crowd(members_max - 2)).when(invite_ken(), mira).then(ken_invited());
}

TEST(InviteMember, is_refused_where_too_many_people_were_members_but_to_those) {
  given(space_of(mira), come_and_gone(people_max - 2)).when(invite_ken(), mira).then(ken_invited());
  given(space_of(mira), come_and_gone(people_max - 1)).when(invite_ken(), mira).refuses(Refusal::too_many_people);
  auto world = given(space_of(mira), come_and_gone(people_max - 2), ken_was_here);
  world.when(invite_ken(), mira).refuses(Refusal::too_many_people);  // who holds the address is not known
  world.holding<User>(ken_email, ken.account).when(invite_ken(), mira).then(ken_invited());
}

TEST(InviteMember, keeps_open_invitations_within_their_limit) {
  auto world = given(space_of(mira));
  for (std::size_t i = 0; i < open_invitations_max; ++i) {
    auto event = ken_invited();
    event.invitation = id_of<InvitationId>(std::to_string(i));
    event.invitee = id_of<ClaimKey>(std::to_string(i));
    world.take(stream<WatchSpace>(space_id, event).by(mira));
  }
  world.when(invite_ken(), mira).refuses(Refusal::too_many_invitations);
  world.when(invite_ken(), later(mira, next_week)).then(ken_invited());
}

World ken_holds_the_link(const Past& more = {}) {
  auto world = given(space_of(mira), sent(), ken_registered, more);
  world.holding<WatchSpace>(token, space_id);
  return world;
}

TEST(AcceptInvitation, makes_a_member_with_the_role_that_was_offered) {
  ken_holds_the_link()
      .when(AcceptInvitation{{token}}, ken)
      .then(MemberJoined{.profile = ken.profile, .role = SpaceRole::member, .invitation = invitation})
      .answers(space_id.uuid)
      .once();
  auto owners = given(space_of(mira), sent(SpaceRole::owner), ken_registered);
  owners.holding<WatchSpace>(token, space_id)
      .when(AcceptInvitation{{token}}, ken)
      .then(MemberJoined{.profile = ken.profile, .role = SpaceRole::owner, .invitation = invitation});
}

TEST(AcceptInvitation, is_refused_for_a_token_that_nobody_made) {
  given(space_of(mira), ken_registered).when(AcceptInvitation{{token}}, ken).refuses(Refusal::no_such_invitation);
}

TEST(AcceptInvitation, is_refused_to_whom_it_was_not_sent) {
  ken_holds_the_link(account(stranger, id_of<ClaimKey>("stranger@example.org")))
      .when(AcceptInvitation{{token}}, stranger)
      .refuses(Refusal::invitation_for_another);
}

TEST(AcceptInvitation, is_refused_after_its_time) {
  ken_holds_the_link().when(AcceptInvitation{{token}}, later(ken, next_week)).refuses(Refusal::invitation_expired);
  EXPECT_EQ(ken_holds_the_link().when(AcceptInvitation{{token}}, later(ken, next_week - std::chrono::milliseconds(1))).events().size(), 1);
}

TEST(AcceptInvitation, is_refused_when_it_was_revoked) {
  ken_holds_the_link(revoked()).when(AcceptInvitation{{token}}, ken).refuses(Refusal::invitation_revoked);
}

TEST(AcceptInvitation, makes_no_owner_when_its_sender_is_none_any_more) {
  const auto demoted = stream<WatchSpace>(space_id, OwnershipTransferred{.from = mira.profile, .to = stranger.profile});
  const auto back = stream<WatchSpace>(space_id, MemberRoleChanged{.profile = mira.profile, .role = SpaceRole::owner});
  const auto world = [&](SpaceRole role, const Past& more) {
    auto offered = given(space_of(mira, stranger), sent(role), ken_registered, demoted, more);
    offered.holding<WatchSpace>(token, space_id);
    return offered;
  };
  world(SpaceRole::owner, {}).when(AcceptInvitation{{token}}, ken).refuses(Refusal::invitation_revoked);
  EXPECT_EQ(world(SpaceRole::owner, {}).when(invite_ken("another"), stranger).events().size(), 1);
  EXPECT_EQ(world(SpaceRole::owner, back).when(AcceptInvitation{{token}}, ken).events().size(), 1);
  EXPECT_EQ(world(SpaceRole::member, {}).when(AcceptInvitation{{token}}, ken).events().size(), 1);
}

TEST(AcceptInvitation, opens_once_only_also_to_who_has_left) {
  ken_holds_the_link(accepted()).when(AcceptInvitation{{token}}, ken).says_nothing();
  auto world = ken_holds_the_link(accepted());
  world.take(stream<WatchSpace>(space_id, MemberLeft{.profile = ken.profile}));
  world.when(AcceptInvitation{{token}}, ken).refuses(Refusal::invitation_accepted);
}

TEST(AcceptInvitation, is_refused_to_who_is_a_member_by_other_means) {
  ken_holds_the_link(stream<WatchSpace>(space_id, MemberJoined{.profile = ken.profile}))
      .when(AcceptInvitation{{token}}, ken)
      .refuses(Refusal::already_a_member);
}

TEST(AcceptInvitation, is_refused_when_the_space_is_full) {
  ken_holds_the_link(crowd(members_max - 1)).when(AcceptInvitation{{token}}, ken).refuses(Refusal::space_full);
}

TEST(AcceptInvitation, is_refused_where_too_many_people_were_members_but_to_those) {
  const MemberJoined joined{.profile = ken.profile, .role = SpaceRole::member, .invitation = invitation};
  ken_holds_the_link(come_and_gone(people_max - 2)).when(AcceptInvitation{{token}}, ken).then(joined);
  ken_holds_the_link(come_and_gone(people_max - 1)).when(AcceptInvitation{{token}}, ken).refuses(Refusal::too_many_people);
  auto world = given(space_of(mira), come_and_gone(people_max - 2), ken_was_here, sent(), ken_registered);
  world.holding<WatchSpace>(token, space_id).when(AcceptInvitation{{token}}, ken).then(joined);
}

RevokeInvitation revoke() { return {.watch_space = space_id, .invitation = invitation}; }

TEST(RevokeInvitation, takes_an_open_one_back) {
  given(space_of(mira), sent()).when(revoke(), mira).then(InvitationRevoked{.invitation = invitation}).answers(invitation.uuid).once();
}

TEST(RevokeInvitation, says_nothing_where_it_was_revoked_or_has_expired) {
  given(space_of(mira), sent(), revoked()).when(revoke(), mira).says_nothing();
  given(space_of(mira), sent()).when(revoke(), later(mira, next_week)).says_nothing();
}

TEST(RevokeInvitation, is_refused_when_it_was_accepted) {
  given(space_of(mira), sent(), accepted()).when(revoke(), mira).refuses(Refusal::invitation_accepted);
}

TEST(RevokeInvitation, is_for_owners_only) {
  given(space_of(mira, ken), sent()).when(revoke(), ken).refuses(Refusal::owners_only);
  given(space_of(mira, ken), sent()).when(revoke(), stranger).refuses(Refusal::no_such_space);
  given(space_of(mira)).when(revoke(), mira).refuses(Refusal::no_such_invitation);
}

}  // namespace
}  // namespace bloomwatch::testing
