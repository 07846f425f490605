// The read models of projector/model_list.h as the chassis handles them: projector, rebuild and verify go by that list.
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
