// What our own catalogue knows of an anime, in AniList discovery's words: shown when AniList cannot be asked.
// Reads the read model `catalog` (migrations/0030) by key, and asks the search index.
#pragma once

#include <string>

#include "query-service/anilist/discovery.h"
#include "query-service/search/catalog_search.h"

namespace bloomwatch::anilist {

/// Titles by their AniList id, and by the index's search. Connects when first asked; `index` outlives it.
Catalogue catalogue_titles(const std::string& database_url, search::CatalogSearch& index);

}  // namespace bloomwatch::anilist
