// The list of all pages.
#include "query-service/service.h"

#include "query-service/analytics/pages.h"
#include "query-service/catalog/pages.h"
#include "query-service/dashboard/page.h"
#include "query-service/history/pages.h"
#include "query-service/pages.h"
#include "query-service/people/pages.h"
#include "query-service/recaps/card_route.h"
#include "query-service/recaps/pages.h"
#include "query-service/search/pages.h"
#include "query-service/spaces/pages.h"
#include "query-service/tracking/pages.h"

namespace bloomwatch {

QueryService::QueryService(const std::string& database_url, const MasterKeys& keys, const Authenticator& who, Hub& hub, Metrics& metrics,
                           std::size_t connections)
    : who_(who),
      pages_(std::make_unique<Pages>(Pages::Options{database_url, connections}, keys, who, hub, metrics)),
      search_(std::make_unique<search::CatalogSearch>(database_url, hub, metrics)),
      recap_cards_(std::make_unique<RecapCards>(database_url, keys, metrics)) {}

QueryService::~QueryService() = default;

void QueryService::add_routes(http::Routes& routes) {
  pages_->add<MePage>(routes);
  pages_->add<LoginSessionListPage>(routes);
  pages_->add<SpaceListPage>(routes);
  pages_->add<SpacePage>(routes);
  pages_->add<AnimeListPage>(routes);
  pages_->add<AnimePage>(routes);
  pages_->add<WatchSessionListPage>(routes);
  pages_->add<DashboardPage>(routes);
  pages_->add<CompatibilityPage>(routes);
  pages_->add<RatingGapsPage>(routes);
  pages_->add<SharedStatsPage>(routes);
  pages_->add<RandomPickPage>(routes);
  pages_->add<RatingDistributionPage>(routes);
  pages_->add<TimelinePage>(routes);
  pages_->add<SpaceHistoryPage>(routes);
  pages_->add<AnimeHistoryPage>(routes);
  pages_->add<MyHistoryPage>(routes);
  pages_->add<AuditPage>(routes);
  pages_->add<TitlePage>(routes);
  pages_->add<TitleListPage>(routes);
  pages_->add<SeasonPage>(routes);
  pages_->add<StudioPage>(routes);
  const auto equip = [this](auto& page) { page.search = search_.get(); };
  pages_->add<SearchPage>(routes, equip);
  pages_->add<SuggestPage>(routes, equip);
  pages_->add<MyRecapPage>(routes);
  pages_->add<SpaceRecapPage>(routes);
  pages_->add<RecapShareListPage>(routes);
  recap_cards_->add_route(routes);
}

std::optional<std::string> QueryService::not_ready() const {
  if (!pages_->ready()) return "the database cannot be reached";
  if (!who_.ready()) return "it does not know yet which log-in sessions have ended";
  if (!search_->ready()) return "the search index is being filled";
  return std::nullopt;
}

}  // namespace bloomwatch
