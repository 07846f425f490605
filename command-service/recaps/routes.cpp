// One line for each command about recaps. A link's token is a keyed hash of its command's id, as an invitation's is: shown once, kept
// nowhere, and the same again for a repeat with the same Idempotency-Key.
#include "command-service/recaps/routes.h"

#include <boost/describe.hpp>

#include "command-service/recaps/revoke_recap_share.h"
#include "command-service/recaps/share_recap.h"
#include "events/recap_share_claim.h"

namespace bloomwatch {
namespace {

using http::Access;
using http::Method;

struct Shared {
  Uuid id;
  std::string token;
  std::string url;  ///< of the picture as PNG; the same with `.svg`
  Version version;
  Position position;
};
BOOST_DESCRIBE_STRUCT(Shared, (), (id, token, url, version, position))

std::string token_of(const Edge& edge, CommandId command) {
  return base64_url(as_text(keyed_hash_256(edge.keys.one_time, {"recap-share", as_text(command.uuid.bytes)})));
}

std::string shared(const Edge& edge, const Answer& answer) {
  const std::string token = token_of(edge, answer.command);
  return json::to_string(Shared{.id = answer.id,
                                .token = token,
                                .url = "/api/recap-cards/" + token + ".png",
                                .version = answer.version,
                                .position = answer.position});
}

ClaimKey claim_of(const Edge& edge, const Call& call) { return recap_share_claim(edge.keys, token_of(edge, call.frame.by.command)); }

}  // namespace

static void prepare(ShareMyRecap& command, const Edge& edge, const Call& call) { command.token_claim.value = claim_of(edge, call); }
static void prepare(ShareSpaceRecap& command, const Edge& edge, const Call& call) { command.token_claim.value = claim_of(edge, call); }
static std::string answer_body(const Edge& edge, const Answer& answer, const ShareMyRecap&) { return shared(edge, answer); }
static std::string answer_body(const Edge& edge, const Answer& answer, const ShareSpaceRecap&) { return shared(edge, answer); }

void add_recap_routes(http::Routes& routes, const Edge& edge) {
  constexpr http::RouteOptions no_body{.content = http::Content::none};
  routes.add(Method::post, "/api/me/recaps/{period}/shares", Access::signed_in, command<ShareMyRecap>(edge), no_body);
  routes.add(Method::post, "/api/watch-spaces/{watchSpace}/recaps/{period}/shares", Access::member, command<ShareSpaceRecap>(edge),
             no_body);
  routes.add(Method::del, "/api/me/recap-shares/{share}", Access::signed_in, command<RevokeRecapShare>(edge), no_body);
}

}  // namespace bloomwatch
