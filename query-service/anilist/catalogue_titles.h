// What our own catalogue knows of an anime, in AniList discovery's words: shown when AniList cannot be asked.
// Reads the read model `catalog` (migrations/0030) by key.
#pragma once

#include <string>

#include "query-service/anilist/discovery.h"

namespace bloomwatch::anilist {

/// Titles by their AniList id. Connects when first asked. There is no search in it: that is the search index's.
Catalogue catalogue_titles(const std::string& database_url);

}  // namespace bloomwatch::anilist
