// Every read model there is: a new one adds a line here. Projector, rebuild and verify go by this list.
#pragma once

#include <memory>
#include <string_view>
#include <vector>

#include "projector/stored_model.h"

namespace bloomwatch::projection {

/// All models, each with the tables of its slot.
std::vector<std::unique_ptr<StoredModel>> all_models(Slot slot = Slot::live);
/// One of them; null if none is called so.
std::unique_ptr<StoredModel> model_named(std::string_view name, Slot slot);

}  // namespace bloomwatch::projection
