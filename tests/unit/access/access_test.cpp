// Tokens prove themselves and nothing else does; an end takes them back.
#include "events/access.h"

#include <gtest/gtest.h>

#include "events/invitation_address.h"

namespace bloomwatch {
namespace {

using namespace std::chrono_literals;

template <class IdType>
IdType id(std::uint8_t number) {
  IdType made;
  made.uuid.bytes[15] = number;
  return made;
}

const Time noon = *parse_rfc3339("2026-11-21T12:00:00Z");
const Principal mira{.account = id<UserId>(1),
                     .profile = id<ProfileId>(2),
                     .session = id<SessionId>(3),
                     .password = id<PasswordId>(4),
                     .expires_at = noon + access_token_life};
const MasterKeys keys = MasterKeys::derive_from(SecretKey::random());

TEST(AccessTokens, say_who_they_were_made_for) {
  const AccessTokens tokens(keys);
  const std::string token = tokens.mint(mira);
  EXPECT_EQ(tokens.check(token, noon), mira);
  EXPECT_EQ(tokens.check(token, noon + 1s), mira) << "also when remembered";
}

TEST(AccessTokens, are_good_for_15_minutes) {
  const AccessTokens tokens(keys);
  const std::string token = tokens.mint(mira);
  EXPECT_TRUE(tokens.check(token, noon + 15min - 1ms));
  EXPECT_FALSE(tokens.check(token, noon + 15min));
  EXPECT_TRUE(tokens.check(token, noon)) << "a remembered token is checked for its time each time";
}

TEST(AccessTokens, are_refused_when_any_character_is_changed) {
  const AccessTokens tokens(keys);
  const std::string token = tokens.mint(mira);
  ASSERT_TRUE(tokens.check(token, noon));
  for (std::size_t i = 0; i < token.size(); ++i) {
    std::string changed = token;
    changed[i] = changed[i] == 'A' ? 'B' : 'A';
    EXPECT_FALSE(tokens.check(changed, noon)) << i;
  }
  EXPECT_FALSE(tokens.check("", noon));
  EXPECT_FALSE(tokens.check(token + "A", noon));
  EXPECT_FALSE(tokens.check(token.substr(1), noon));
}

TEST(AccessTokens, of_another_key_are_refused_though_their_bytes_are_remembered) {
  const AccessTokens ours(keys);
  const AccessTokens others(MasterKeys::derive_from(SecretKey::random()));
  const std::string token = ours.mint(mira);
  ASSERT_TRUE(ours.check(token, noon));
  EXPECT_FALSE(others.check(token, noon));
}

TEST(RefreshTokens, are_the_same_for_the_same_generation) {
  const RefreshTokens tokens(keys);
  const RefreshClaim claim{id<SessionId>(3), id<UserId>(1), 7};
  EXPECT_EQ(tokens.mint(claim), tokens.mint(claim));
  EXPECT_EQ(tokens.check(tokens.mint(claim)), claim);
  EXPECT_NE(tokens.mint(claim), tokens.mint({claim.session, claim.account, 8}));
}

TEST(RefreshTokens, are_no_access_tokens_and_the_other_way_round) {
  const RefreshTokens refresh(keys);
  const AccessTokens access(keys);
  EXPECT_FALSE(refresh.check(access.mint(mira)));
  EXPECT_FALSE(access.check(refresh.mint({mira.session, mira.account, 0}), noon));
  std::string changed = refresh.mint({mira.session, mira.account, 0});
  changed[30] = changed[30] == 'A' ? 'B' : 'A';
  EXPECT_FALSE(refresh.check(changed));
}

TEST(OperatorTokens, are_good_until_they_expire_and_only_under_their_key) {
  const OperatorTokens tokens(keys);
  const std::string token = tokens.mint(noon);
  EXPECT_TRUE(tokens.admits(token, noon - 1s));
  EXPECT_FALSE(tokens.admits(token, noon));
  EXPECT_FALSE(OperatorTokens(MasterKeys::derive_from(SecretKey::random())).admits(token, noon - 1h));
  std::string changed = token;
  changed[2] = changed[2] == 'A' ? 'B' : 'A';
  for (const std::string& wrong : {std::string(), std::string("AAAA"), changed, token + "AAAA", AccessTokens(keys).mint(mira)})
    EXPECT_FALSE(tokens.admits(wrong, noon - 1h)) << wrong;
  EXPECT_FALSE(AccessTokens(keys).check(token, noon - 1h));
}

TEST(SessionEnds, end_one_session_and_no_other) {
  SessionEnds ends;
  ends.session_ended(mira.session, noon);
  EXPECT_FALSE(ends.allows(mira));
  Principal other = mira;
  other.session = id<SessionId>(9);
  EXPECT_TRUE(ends.allows(other));
}

TEST(SessionEnds, leave_only_the_session_that_changed_the_password) {
  SessionEnds ends;
  ends.password_changed(mira.account, id<PasswordId>(5), id<SessionId>(6), noon);
  EXPECT_FALSE(ends.allows(mira)) << "proved with the old password, in another session";
  Principal continuing = mira;
  continuing.session = id<SessionId>(6);
  EXPECT_TRUE(ends.allows(continuing)) << "its tokens of before are still good";
  Principal later = mira;
  later.password = id<PasswordId>(5);
  EXPECT_TRUE(ends.allows(later)) << "logged in since";
  Principal somebody_else = mira;
  somebody_else.account = id<UserId>(7);
  EXPECT_TRUE(ends.allows(somebody_else));
}

TEST(SessionEnds, hold_to_the_latest_change_though_an_older_one_is_told_again) {
  SessionEnds ends;
  ends.password_changed(mira.account, id<PasswordId>(6), id<SessionId>(6), noon + 1s);
  ends.password_changed(mira.account, mira.password, mira.session, noon);
  EXPECT_FALSE(ends.allows(mira));
}

TEST(SessionEnds, forget_what_no_token_can_outlive) {
  SessionEnds ends;
  ends.session_ended(mira.session, noon);
  ends.password_changed(mira.account, id<PasswordId>(5), id<SessionId>(6), noon + 1min);
  ends.forget_before(noon + 1min);
  EXPECT_EQ(ends.size(), 1U);
  ends.forget_before(noon + 2min);
  EXPECT_EQ(ends.size(), 0U);
}

TEST(InvitationAddress, opens_for_its_invitation_only) {
  const std::string box = seal_invitation_address(keys, id<InvitationId>(1), {id<WatchSpaceId>(2), "ken@example.org"});
  const auto opened = open_invitation_address(keys, id<InvitationId>(1), box);
  ASSERT_TRUE(opened);
  EXPECT_EQ(opened->watch_space, id<WatchSpaceId>(2));
  EXPECT_EQ(opened->email, "ken@example.org");
  EXPECT_FALSE(open_invitation_address(keys, id<InvitationId>(2), box));
}

}  // namespace
}  // namespace bloomwatch
