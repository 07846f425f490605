// An owner makes a member an owner, or an owner a member.
#pragma once

#include "command-service/decision.h"
#include "command-service/spaces/access.h"

namespace bloomwatch {

/// Refused, in this order: no_such_space, owners_only, no_such_member, last_owner.
struct ChangeMemberRole {
  WatchSpaceId watch_space = {};
  ProfileId user_id = {};
  SpaceRole role = SpaceRole::member;

  Decision<MemberRoleChanged> decide(const Actor& by, const WatchSpace& space) const {
    using spaces::Refusal;
    if (const auto refused = spaces::refuse_all_but_owners(by, space)) return *refused;
    const auto member = space.members.find(user_id);
    if (member == space.members.end()) return refuse(Refusal::no_such_member);
    if (member->second.role == role) return nothing;
    if (space.is_last_owner(user_id)) return refuse(Refusal::last_owner);
    return MemberRoleChanged{.profile = user_id, .role = role};
  }
};
BOOST_DESCRIBE_STRUCT(ChangeMemberRole, (), (watch_space, user_id, role))

}  // namespace bloomwatch
