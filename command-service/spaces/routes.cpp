// One line for each command about a watch space.
#include "command-service/spaces/routes.h"

#include "command-service/edge.h"
#include "command-service/spaces/accept_invitation.h"
#include "command-service/spaces/change_member_role.h"
#include "command-service/spaces/change_my_settings.h"
#include "command-service/spaces/change_watch_space.h"
#include "command-service/spaces/create_watch_space.h"
#include "command-service/spaces/invitation.h"
#include "command-service/spaces/leave_watch_space.h"
#include "command-service/spaces/remove_member.h"
#include "command-service/spaces/revoke_invitation.h"
#include "command-service/spaces/transfer_ownership.h"

namespace bloomwatch {

using http::Access;
using http::Method;

/// The claim of the token in the path.
static void prepare(AcceptInvitation& command, const Edge& edge, const Call& call) {
  command.token.value = invitation_claim(edge.keys, call.request.path_param("token").value_or(""));
}

void add_space_routes(http::Routes& routes, const Edge& edge, Secrets& secrets, WorkPool& pool) {
  constexpr http::RouteOptions no_body{.content = http::Content::none};
  routes.add(Method::post, "/api/watch-spaces", Access::signed_in, command<CreateWatchSpace>(edge));
  routes.add(Method::post, "/api/watch-spaces/invitations/{token}/accept", Access::signed_in, command<AcceptInvitation>(edge), no_body);
  routes.add(Method::patch, "/api/watch-spaces/{watchSpace}", Access::owner, command<ChangeWatchSpace>(edge));
  routes.add(Method::post, "/api/watch-spaces/{watchSpace}/invitations", Access::owner, spaces::invite(edge, secrets, pool));
  routes.add(Method::del, "/api/watch-spaces/{watchSpace}/invitations/{invitation}", Access::owner, command<RevokeInvitation>(edge),
             no_body);
  routes.add(Method::del, "/api/watch-spaces/{watchSpace}/members/me", Access::member, command<LeaveWatchSpace>(edge), no_body);
  routes.add(Method::patch, "/api/watch-spaces/{watchSpace}/members/me", Access::member, command<ChangeMySettings>(edge));
  // Members may name themselves here, which is leaving; everybody else is an owner's to remove.
  routes.add(Method::del, "/api/watch-spaces/{watchSpace}/members/{userId}", Access::owner, command<RemoveMember>(edge), no_body);
  routes.add(Method::patch, "/api/watch-spaces/{watchSpace}/members/{userId}", Access::owner, command<ChangeMemberRole>(edge));
  routes.add(Method::post, "/api/watch-spaces/{watchSpace}/transfer-ownership", Access::owner, command<TransferOwnership>(edge));
}

}  // namespace bloomwatch
