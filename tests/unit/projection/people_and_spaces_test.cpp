// The folds of people and of spaces: who there is, who is a member now, who is invited.
#include <gmock/gmock.h>

#include "projector/people/people.h"
#include "projector/spaces/spaces.h"
#include "tests/unit/projection/folding.h"

namespace bloomwatch::test {
namespace {

UserRegistered registered(std::uint8_t number) {
  return {.profile = person(number),
          .email = Personal{"email"},
          .email_claim = {},
          .handle = Personal{"handle"},
          .handle_claim = {},
          .display_name = Personal{"name"},
          .password = PasswordId(uuid_of(9, 1))};
}

TEST(People, keeps_account_and_profile_apart) {
  Folding<People> fold;
  const Uuid id = account(1).uuid;
  fold.happens(id, id, registered(1)).happens(id, id, DisplayNameChanged{person(1), Personal{"new name"}});
  fold.happens(id, id, AvatarChanged{person(1), Personal{"url"}}).happens(id, id, PrivacyChanged{person(1), Privacy::private_});
  const AccountRow& row = *fold.model.accounts.peek(account(1));
  EXPECT_EQ(row.version, 4);
  EXPECT_EQ(row.email, Personal{"email"});
  const ProfileRow& profile = *fold.model.profiles.peek(person(1));
  EXPECT_EQ(profile.display_name, Personal{"new name"});
  EXPECT_EQ(profile.avatar_url, Personal{"url"});
  EXPECT_EQ(profile.privacy, Privacy::private_);
  EXPECT_EQ(profile.time_zone, "UTC");
  EXPECT_EQ(profile.account, account(1));
}

TEST(People, tells_which_session_goes_on_after_a_new_password) {
  Folding<People> fold;
  const Uuid id = account(1).uuid;
  const SessionId session(uuid_of(8, 1));
  fold.happens(id, id, registered(1));
  fold.happens(session.uuid, id, LoginSessionStarted{person(1), PasswordId(uuid_of(9, 1)), std::nullopt});
  fold.happens(id, id, PasswordChanged{PasswordId(uuid_of(9, 2)), session});
  EXPECT_EQ(fold.model.accounts.peek(account(1))->continuing_session, session);
  EXPECT_EQ(fold.model.accounts.peek(account(1))->password, PasswordId(uuid_of(9, 2)));
  fold.happens(session.uuid, id, LoginSessionRefreshed{1}).happens(session.uuid, id, LoginSessionEnded{});
  const LoginSessionRow& row = *fold.model.login_sessions.peek(session);
  EXPECT_EQ(row.account, account(1));
  EXPECT_EQ(row.started_at, minute(2));
  EXPECT_EQ(row.last_refreshed_at, minute(4));
  EXPECT_EQ(row.ended_at, minute(5));
}

TEST(Spaces, hold_present_members_only_and_take_them_back) {
  Folding<Spaces> fold;
  fold.in_space(WatchSpaceCreated{.name = "Us", .time_zone = "UTC"}).in_space(MemberJoined{person(1), SpaceRole::owner, std::nullopt});
  fold.in_space(MemberJoined{person(2), SpaceRole::member, std::nullopt}).in_space(SessionConsentChanged{person(2), SessionConsent::ask});
  fold.in_space(MemberLeft{person(2)});
  EXPECT_EQ(fold.model.members.peek({space(), person(2)}), nullptr);
  fold.in_space(MemberJoined{person(2), SpaceRole::member, std::nullopt});
  const MemberRow& back = *fold.model.members.peek({space(), person(2)});
  EXPECT_EQ(back.joined_at, minute(6));
  EXPECT_EQ(back.session_consent, SessionConsent::automatic);
  fold.in_space(OwnershipTransferred{person(1), person(2)});
  EXPECT_EQ(fold.model.members.peek({space(), person(1)})->role, SpaceRole::member);
  EXPECT_EQ(fold.model.members.peek({space(), person(2)})->role, SpaceRole::owner);
  EXPECT_EQ(fold.model.spaces.peek(space())->version, 7);
}

TEST(Spaces, follow_an_invitation_to_its_end) {
  Folding<Spaces> fold;
  const InvitationId taken(uuid_of(6, 1)), other(uuid_of(6, 2));
  fold.in_space(WatchSpaceCreated{.name = "Us", .time_zone = "UTC"});
  fold.in_space(MemberInvited{.invitation = taken, .invitee = {}, .token_claim = {}, .expires_at = minute(100)});
  fold.in_space(MemberInvited{.invitation = other, .invitee = {}, .token_claim = {}, .expires_at = minute(100)});
  fold.in_space(MemberJoined{person(2), SpaceRole::member, taken}).in_space(InvitationRevoked{other});
  EXPECT_EQ(fold.model.invitations.peek(taken)->accepted_by, person(2));
  EXPECT_EQ(fold.model.invitations.peek(taken)->accepted_at, minute(4));
  EXPECT_EQ(fold.model.invitations.peek(taken)->invited_by, person(1));
  EXPECT_EQ(fold.model.invitations.peek(other)->revoked_at, minute(5));
  EXPECT_EQ(fold.model.invitations.peek(other)->accepted_at, std::nullopt);
}

}  // namespace
}  // namespace bloomwatch::test
