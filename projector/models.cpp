// Read models by slot and by name. The templates of the chassis are made for them here, once.
#include "projector/models.h"

#include <algorithm>

#include "projector/model_list.h"

namespace bloomwatch::projection {

void detail::sort(std::vector<Written>& rows, bool (*is_before)(const void* row, const void* other)) {
  std::ranges::sort(rows, [&](const Written& a, const Written& b) { return is_before(a.row, b.row); });
}

std::string schema_of(std::string_view model, Slot slot) { return "read_" + std::string(model) + (slot == Slot::next ? "_next" : ""); }

std::vector<std::unique_ptr<StoredModel>> all_models(Slot slot) {
  std::vector<std::unique_ptr<StoredModel>> models;
  each_model([&]<class Model> { models.push_back(std::make_unique<StoredModelOf<Model>>(slot)); });
  return models;
}

std::unique_ptr<StoredModel> model_named(std::string_view name, Slot slot) {
  for (auto& model : all_models(slot))
    if (model->name() == name) return std::move(model);
  return nullptr;
}

}  // namespace bloomwatch::projection
