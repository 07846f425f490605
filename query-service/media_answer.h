// References of outside sources as pages show them, which is as commands take them.
#pragma once

#include <boost/describe.hpp>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "events/tracking.h"
#include "runtime/json.h"

namespace bloomwatch {

/// How an outside source names a title: a number, or a string where the source's ids are none (`imdb`). `source` is not owned.
struct MediaAnswer {
  std::string_view source;
  json::Raw id;
};
BOOST_DESCRIBE_STRUCT(MediaAnswer, (), (source, id))

MediaAnswer media_answer(std::string_view source, std::string_view media_id);
/// Of each, in their order; views into `references`.
std::vector<MediaAnswer> media_answers(const std::vector<MediaReference>& references);
/// The number of an AniList reference; nothing for other sources.
std::optional<std::int64_t> anilist_media_id(std::string_view source, std::string_view media_id);

}  // namespace bloomwatch
