// One line for each command about an anime in a space.
#include "command-service/tracking/routes.h"

#include "command-service/edge.h"
#include "command-service/tracking/add_anime.h"
#include "command-service/tracking/change_anime.h"
#include "command-service/tracking/change_participant_progress.h"
#include "command-service/tracking/change_watch_session.h"
#include "command-service/tracking/confirm_attendance.h"
#include "command-service/tracking/decline_attendance.h"
#include "command-service/tracking/rate_anime.h"
#include "command-service/tracking/record_watch_session.h"

namespace bloomwatch {

using http::Access;
using http::Method;

void add_tracking_routes(http::Routes& routes, const Edge& edge) {
  constexpr http::RouteOptions no_body{.content = http::Content::none};
  const std::string anime = "/api/watch-spaces/{watchSpace}/anime";
  const std::string one = anime + "/{anime}";
  const std::string session = one + "/sessions/{session}";
  routes.add(Method::post, anime, Access::member, command<AddAnime>(edge));
  routes.add(Method::patch, one, Access::member, command<ChangeAnime>(edge));
  routes.add(Method::patch, one + "/participant-progress", Access::member, command<ChangeParticipantProgress>(edge));
  routes.add(Method::patch, one + "/participant-rating", Access::member, command<RateAnime>(edge));
  routes.add(Method::post, one + "/sessions", Access::member, command<RecordWatchSession>(edge));
  routes.add(Method::patch, session, Access::member, command<ChangeWatchSession>(edge));
  routes.add(Method::post, session + "/confirm", Access::member, command<ConfirmAttendance>(edge), no_body);
  routes.add(Method::post, session + "/decline", Access::member, command<DeclineAttendance>(edge), no_body);
}

}  // namespace bloomwatch
