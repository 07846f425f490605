// Sharing recaps by links, and taking them back.
#include "command-service/recaps/share_recap.h"

#include "command-service/recaps/refusals.h"
#include "command-service/recaps/revoke_recap_share.h"
#include "command-service/spaces/change_my_settings.h"
#include "command-service/spaces/refusals.h"
#include "tests/decider.h"

namespace bloomwatch::testing {
namespace {

using recaps::Refusal;

const auto share = id_of<RecapShareId>("share");
const auto token = id_of<ClaimKey>("token");

ShareMyRecap my_recap(const std::string& period) {
  return {.period = value<RecapPeriod>(period), .share = {share}, .token_claim = {token}};
}
ShareSpaceRecap our_recap(const std::string& period) {
  return {.watch_space = space_id, .period = value<RecapPeriod>(period), .share = {share}, .token_claim = {token}};
}
Past shared_by(const Actor& who) {
  return stream<RecapShare>(share, RecapShared{.profile = who.profile, .period = "2026", .token_claim = token}).by(who);
}

TEST(ShareMyRecap, makes_a_link) {
  given()
      .when(my_recap("2026-11"), mira)
      .then(RecapShared{.profile = mira.profile, .period = "2026-11", .token_claim = token})
      .takes(token)
      .answers(share.uuid);
}

TEST(ShareMyRecap, waits_for_the_period_to_begin) { given().when(my_recap("2026-12"), mira).refuses(Refusal::period_not_begun); }

TEST(ShareSpaceRecap, makes_a_link_of_a_member) {
  given(space_of(mira, ken))
      .when(our_recap("2026"), ken)
      .then(RecapShared{.watch_space = space_id, .period = "2026", .token_claim = token})
      .takes(token)
      .answers(share.uuid);
}

TEST(ShareSpaceRecap, is_refused_to_strangers_before_all_else) {
  given(space_of(mira)).when(our_recap("2999"), ken).refuses(spaces::Refusal::no_such_space);
  given(space_of(mira)).when(our_recap("2999"), mira).refuses(Refusal::period_not_begun);
}

TEST(RevokeRecapShare, takes_a_link_back_once) {
  given(shared_by(mira)).when(RevokeRecapShare{.share = share}, mira).then(RecapShareRevoked{}).once();
}

TEST(RevokeRecapShare, is_refused_to_others) {
  given(shared_by(mira)).when(RevokeRecapShare{.share = share}, ken).refuses(Refusal::no_such_recap_share);
  given().when(RevokeRecapShare{.share = share}, mira).refuses(Refusal::no_such_recap_share);
}

TEST(ChangeMySettings, agrees_to_be_shown_on_recap_cards) {
  given(space_of(mira, ken))
      .when(ChangeMySettings{.watch_space = space_id, .session_consent = {SessionConsent::ask}, .recap_consent = {true}}, ken)
      .then(SessionConsentChanged{.profile = ken.profile, .consent = SessionConsent::ask},
            RecapConsentChanged{.profile = ken.profile, .consent = true})
      .once();
  given(space_of(mira)).when(ChangeMySettings{.watch_space = space_id, .recap_consent = {false}}, mira).says_nothing();
}

TEST(ChangeMySettings, asks_again_for_recap_consent_of_who_comes_back) {
  auto world = given(space_of(mira, ken), stream<WatchSpace>(space_id, RecapConsentChanged{.profile = ken.profile, .consent = true},
                                                             MemberLeft{.profile = ken.profile}, MemberJoined{.profile = ken.profile}));
  EXPECT_FALSE(world.state<WatchSpace>(space_id).members.at(ken.profile).recap_consent);
}

}  // namespace
}  // namespace bloomwatch::testing
