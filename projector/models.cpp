// The list of read models. The templates of the chassis are made for them here, once.
#include "projector/models.h"

#include "projector/analytics/analytics.h"
#include "projector/catalog/catalog.h"
#include "projector/dashboard/dashboard.h"
#include "projector/history/history.h"
#include "projector/people/people.h"
#include "projector/recaps/recaps.h"
#include "projector/spaces/spaces.h"
#include "projector/tracking/tracking.h"

namespace bloomwatch::projection {

std::string schema_of(std::string_view model, Slot slot) { return "read_" + std::string(model) + (slot == Slot::next ? "_next" : ""); }

std::vector<std::unique_ptr<StoredModel>> all_models(Slot slot) {
  std::vector<std::unique_ptr<StoredModel>> models;
  models.push_back(std::make_unique<StoredModelOf<People>>(slot));
  models.push_back(std::make_unique<StoredModelOf<Spaces>>(slot));
  models.push_back(std::make_unique<StoredModelOf<Tracking>>(slot));
  models.push_back(std::make_unique<StoredModelOf<Dashboard>>(slot));
  models.push_back(std::make_unique<StoredModelOf<Analytics>>(slot));
  models.push_back(std::make_unique<StoredModelOf<History>>(slot));
  models.push_back(std::make_unique<StoredModelOf<Catalog>>(slot));
  models.push_back(std::make_unique<StoredModelOf<Recaps>>(slot));
  return models;
}

std::unique_ptr<StoredModel> model_named(std::string_view name, Slot slot) {
  for (auto& model : all_models(slot))
    if (model->name() == name) return std::move(model);
  return nullptr;
}

}  // namespace bloomwatch::projection
