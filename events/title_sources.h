// Who knows better: the rank of a source of the catalogue. A fact of a higher rank stands; one of a lower only fills what is open.
// Part of what folds mean, so fixed once events were written by it. See ops/decisions/0007.
#pragma once

#include <string_view>

namespace bloomwatch {

inline constexpr std::string_view manual_source = "manual";
inline constexpr std::string_view offline_database_source = "anime-offline-database";

/// 3: people here; 2: anime-offline-database; 1: everyone else.
constexpr int rank_of_source(std::string_view source) {
  if (source == manual_source) return 3;
  if (source == offline_database_source) return 2;
  return 1;
}

}  // namespace bloomwatch
