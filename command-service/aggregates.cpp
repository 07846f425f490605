// A new aggregate adds its name to the list here.
#include "command-service/aggregates.h"

#include <boost/mp11.hpp>
#include <type_traits>

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
namespace {

using Aggregates = boost::mp11::mp_list<Anime, WatchSpace, Title, User, AuditQuery, LoginSession, RecapShare>;

template <class Visit>
void for_each_aggregate(const Visit& visit) {
  boost::mp11::mp_for_each<boost::mp11::mp_transform<std::type_identity, Aggregates>>(visit);
}

}  // namespace

std::unique_ptr<StreamState> make_state(std::string_view category) {
  std::unique_ptr<StreamState> made;
  for_each_aggregate([&]<class State>(std::type_identity<State>) {
    if (category == State::category) made = std::make_unique<dispatch::Holder<State>>();
  });
  invariant(made != nullptr, "every category of the log has a state");
  return made;
}

const SnapshotShapes& snapshot_shapes() {
  static const SnapshotShapes shapes = [] {
    SnapshotShapes of_all;
    for_each_aggregate([&]<class State>(std::type_identity<State>) {
      if constexpr (dispatch::has_snapshots<State>) of_all.emplace(State::category, State::snapshot_shape);
    });
    return of_all;
  }();
  return shapes;
}

}  // namespace bloomwatch
