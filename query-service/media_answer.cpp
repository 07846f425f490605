// References as pages show them.
#include "query-service/media_answer.h"

#include <charconv>

namespace bloomwatch {
namespace {

std::optional<std::int64_t> number_of(std::string_view text) {
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size() || number < 0) return std::nullopt;
  return number;
}

}  // namespace

MediaAnswer media_answer(std::string_view source, std::string_view media_id) {
  MediaAnswer media{source, {}};
  if (number_of(media_id))
    media.id.text = media_id;
  else
    media.id.text = json::to_string(media_id);
  return media;
}

std::vector<MediaAnswer> media_answers(const std::vector<MediaReference>& references) {
  std::vector<MediaAnswer> answers;
  for (const auto& [source, id] : references) answers.push_back(media_answer(source, id));
  return answers;
}

std::optional<std::int64_t> anilist_media_id(std::string_view source, std::string_view media_id) {
  return source == "anilist" ? number_of(media_id) : std::nullopt;
}

}  // namespace bloomwatch
