// Why a spaces command is refused. The name is the stable type of the problem that a client sees.
#pragma once

#include <boost/describe.hpp>
#include <string_view>

namespace bloomwatch {
struct Problem;
}

namespace bloomwatch::spaces {

enum class Refusal {
  no_such_space,  ///< also for strangers: nobody can tell a space that they are not in from none
  owners_only,
  no_such_member,
  last_owner,
  already_a_member,
  space_full,
  too_many_people,
  invitation_open,
  too_many_invitations,
  no_such_invitation,
  invitation_for_another,
  invitation_accepted,
  invitation_revoked,
  invitation_expired,
};
BOOST_DESCRIBE_ENUM(Refusal, no_such_space, owners_only, no_such_member, last_owner, already_a_member, space_full, too_many_people,
                    invitation_open, too_many_invitations, no_such_invitation, invitation_for_another, invitation_accepted,
                    invitation_revoked, invitation_expired)

/// What a client is shown; null if the name is no refusal of this context.
const Problem* problem_of(std::string_view refusal);

}  // namespace bloomwatch::spaces
