// A new aggregate adds its line here.
#include "command-service/aggregates.h"

#include "command-service/accounts/login_session.h"
#include "command-service/accounts/user.h"
#include "command-service/audit/audit_query.h"
#include "command-service/catalog/title.h"
#include "command-service/dispatch.h"
#include "command-service/recaps/recap_share.h"
#include "command-service/spaces/watch_space.h"
#include "command-service/tracking/anime.h"
#include "runtime/invariant.h"

namespace bloomwatch {

std::unique_ptr<StreamState> make_state(std::string_view category) {
  if (category == Anime::category) return std::make_unique<dispatch::Holder<Anime>>();
  if (category == WatchSpace::category) return std::make_unique<dispatch::Holder<WatchSpace>>();
  if (category == Title::category) return std::make_unique<dispatch::Holder<Title>>();
  if (category == User::category) return std::make_unique<dispatch::Holder<User>>();
  if (category == AuditQuery::category) return std::make_unique<dispatch::Holder<AuditQuery>>();
  if (category == LoginSession::category) return std::make_unique<dispatch::Holder<LoginSession>>();
  if (category == RecapShare::category) return std::make_unique<dispatch::Holder<RecapShare>>();
  invariant(false, "every category of the log has a state");
  return nullptr;
}

}  // namespace bloomwatch
