// The rows that search is made of: what the read model `catalog` has now, and what of it has changed since it was last looked at.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "events/ids.h"
#include "query-service/page_rows.h"
#include "query-service/search/index.h"
#include "runtime/postgres.h"

namespace bloomwatch::search {

/// How far the read model was at one look.
struct CatalogState {
  std::string epoch;
  ModelState model;
  /// Of which life the rows are: when it changes, by a rebuild's switch or a restore, positions say nothing about what has changed.
  std::string life;

  /// Everything of that partition at or before this is in the rows.
  Position checkpoint(std::size_t partition) const { return model.by_partition ? model.by_partition->at(partition) : model.position; }
};

struct StudioName {
  std::string slug;
  std::string name;

  auto operator<=>(const StudioName&) const = default;
};

/// One row.
struct TitleChange {
  Document document;                     ///< only the id, if `gone`
  bool gone = false;                     ///< merged into another
  std::vector<StudioName> studios = {};  ///< by slug, each once
  Position position = 0;
};

CatalogState read_state(pg::Connection& connection);

/// Every row, a few at a time, until `take` says no. Rows that change meanwhile may be as they were or as they are.
void read_all(pg::Connection& connection, const std::function<bool(std::vector<TitleChange>)>& take);
/// Every row that has changed since `state` was read; else the same.
void read_changes(pg::Connection& connection, const CatalogState& state, const std::function<bool(std::vector<TitleChange>)>& take);

}  // namespace bloomwatch::search
