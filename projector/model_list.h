// Every read model that there is: a new one adds its header and its type here.
#pragma once

#include <boost/mp11.hpp>

#include "projector/analytics/analytics.h"
#include "projector/catalog/catalog.h"
#include "projector/dashboard/dashboard.h"
#include "projector/history/history.h"
#include "projector/people/people.h"
#include "projector/recaps/recaps.h"
#include "projector/spaces/spaces.h"
#include "projector/tracking/tracking.h"

namespace bloomwatch::projection {

using AllModels = boost::mp11::mp_list<People, Spaces, Tracking, Dashboard, Analytics, History, Catalog, Recaps>;

/// Calls `visit.template operator()<Model>()` for each, in their order.
template <class Visit>
void each_model(Visit&& visit) {
  boost::mp11::mp_for_each<boost::mp11::mp_transform<boost::mp11::mp_identity, AllModels>>(
      [&]<class Model>(boost::mp11::mp_identity<Model>) { visit.template operator()<Model>(); });
}

}  // namespace bloomwatch::projection
