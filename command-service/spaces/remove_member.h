// An owner removes a member. The open invitations that the member sent are revoked in the same decision.
#pragma once

#include "command-service/decision.h"
#include "command-service/spaces/access.h"

namespace bloomwatch {

/// Refused, in this order: no_such_space, owners_only, no_such_member, last_owner (oneself). Removing oneself is leaving, which every
/// member may.
struct RemoveMember {
  WatchSpaceId watch_space = {};
  ProfileId user_id = {};

  using Departure = Decision<MemberRemoved, MemberLeft, InvitationRevoked>;
  Departure decide(const Actor& by, const WatchSpace& space) const {
    using spaces::Refusal;
    const bool oneself = user_id == by.profile;
    if (const auto refused = oneself ? spaces::refuse_strangers(by, space) : spaces::refuse_all_but_owners(by, space)) return *refused;
    if (!space.has(user_id)) return refuse(Refusal::no_such_member);
    if (space.is_last_owner(user_id)) return refuse(Refusal::last_owner);
    Departure departure;
    if (oneself)
      departure.add(MemberLeft{.profile = user_id});
    else
      departure.add(MemberRemoved{.profile = user_id});
    for (const InvitationId id : space.open_invitations_of(user_id, by.now)) departure.add(InvitationRevoked{.invitation = id});
    return departure;
  }
};
BOOST_DESCRIBE_STRUCT(RemoveMember, (), (watch_space, user_id))

}  // namespace bloomwatch
