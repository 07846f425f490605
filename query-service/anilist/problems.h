// What AniList discovery says when it has nothing to show.
#pragma once

#include <optional>

#include "query-service/anilist/client.h"
#include "runtime/http.h"
#include "runtime/problem.h"

namespace bloomwatch::anilist {

/// 503, with when to come back.
Problem anilist_unavailable(const Failure& failure);
/// 404: no anime of AniList's has that id.
Problem no_such_media();
/// The id in a text; nothing if it can be none of AniList's or MyAnimeList's.
std::optional<std::int32_t> media_id_of(std::string_view text);

}  // namespace bloomwatch::anilist
