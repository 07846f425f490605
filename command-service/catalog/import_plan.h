// Which title each row of a file is: by the references that lead to titles already. Where a source has merged or split its entries since,
// ours follow, and keep their ids. Pure. The rules, with examples: ops/decisions/0007.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <unordered_map>
#include <vector>

#include "command-service/catalog/catalog_file.h"
#include "command-service/catalog/import_batch.h"

namespace bloomwatch::catalog {

/// The title that a reference leads to; nothing: to none.
using KnownTitle = std::function<std::optional<TitleId>(const MediaReference&)>;

/// A row's title. `fresh`: one that is to be made.
struct PlannedTitle {
  std::size_t index = 0;  ///< in the file's titles
  TitleId title = {};
  bool fresh = false;
};

struct ImportPlan {
  std::vector<ReleaseStep> releases = {};  ///< references that leave their title for another row's; very many in several steps
  std::vector<MergeStep> merges = {};
  std::vector<PlannedTitle> titles = {};  ///< in the order of the file
};

/// Every title lives on in one row, its heir: the one that has the best of its references. A row that is the heir of several is where they
/// become one: the one with the best reference lives, the others are merged into it. A row that is nobody's heir is a new title; what it
/// has of others' references it takes from them.
ImportPlan plan_import(const std::vector<FileTitle>& titles, const KnownTitle& known);

}  // namespace bloomwatch::catalog
