// Media out of AniList's JSON. A field of another type than expected, or beyond what is possible, reads as unknown; nothing else is lost.
#include "query-service/anilist/media.h"

#include <algorithm>
#include <limits>
#include <string_view>

#include "events/title_limits.h"
#include "projector/tracking/tracking.h"
#include "query-service/anilist/protocol.h"
#include "runtime/ascii.h"
#include "runtime/json.h"

namespace bloomwatch::anilist {
namespace {

/// An object of the answer, or what stands in its place.
class Object {
 public:
  explicit Object(std::optional<json::Value> value) : value_(value) {}

  std::optional<json::Value> get(std::string_view name) const {
    if (!value_ || value_->kind() != json::Kind::object) return std::nullopt;
    json::Members members = value_->members();
    std::string_view key;
    json::Value value;
    while (members.next(key, value))
      if (key == name && !value.is_null()) return value;
    return std::nullopt;
  }
  Object object(std::string_view name) const { return Object(get(name)); }
  bool truth(std::string_view name) const {
    const auto value = get(name);
    return value && value->kind() == json::Kind::boolean && value->boolean();
  }
  std::optional<std::int64_t> number(std::string_view name, std::int64_t least, std::int64_t most) const {
    const auto value = get(name);
    if (!value || (value->kind() != json::Kind::integer && value->kind() != json::Kind::number)) return std::nullopt;
    const auto number = value->integer();
    if (!number || *number < least || *number > most) return std::nullopt;
    return number;
  }
  std::optional<std::int32_t> small(std::string_view name, std::int32_t least, std::int32_t most) const {
    const auto found = number(name, least, most);
    if (!found) return std::nullopt;
    return static_cast<std::int32_t>(*found);
  }
  std::optional<std::string> text(std::string_view name, std::size_t bytes_max = title_bytes_max) const {
    return text_of(get(name), bytes_max);
  }
  /// An enumerator.
  std::optional<std::string> word(std::string_view name) const { return text(name, 50); }
  std::optional<std::string> url(std::string_view name) const {
    auto url = text(name, url_bytes_max);
    if (url && !url->starts_with("https://") && !url->starts_with("http://")) url.reset();
    return url;
  }
  std::vector<json::Value> list(std::string_view name) const {
    std::vector<json::Value> all;
    const auto value = get(name);
    if (!value || value->kind() != json::Kind::array) return all;
    json::Elements elements = value->elements();
    json::Value element;
    while (elements.next(element)) all.push_back(element);
    return all;
  }
  std::vector<std::string> texts(std::string_view name) const {
    std::vector<std::string> all;
    for (const json::Value& value : list(name))
      if (auto text = text_of(value, title_bytes_max); text && all.size() < words_max) all.push_back(std::move(*text));
    return all;
  }

 private:
  /// Postgres keeps no U+0000.
  static std::optional<std::string> text_of(const std::optional<json::Value>& value, std::size_t bytes_max) {
    if (!value || value->kind() != json::Kind::string) return std::nullopt;
    const std::string_view text = value->string();
    if (ascii::trimmed(text).empty() || text.size() > bytes_max || text.contains('\0')) return std::nullopt;
    return std::string(text);
  }

  std::optional<json::Value> value_;
};

/// `NOT_YET_RELEASED` → `not-yet-released`.
std::optional<std::string> lower_word(std::optional<std::string> word) {
  if (!word) return word;
  for (char& c : *word) c = c == '_' ? '-' : ascii::lower(c);
  return word;
}

std::optional<Time> time_of(std::optional<std::int64_t> unix_seconds) {
  if (!unix_seconds) return std::nullopt;
  return Time(std::chrono::seconds(*unix_seconds));
}

constexpr std::int64_t unix_seconds_max = 253'402'300'799;  // the end of the year 9999

std::optional<AiringEpisode> airing_of(const Object& airing) {
  const auto at = time_of(airing.number("airingAt", 1, unix_seconds_max));
  const auto episode = airing.small("episode", 1, episodes_max);
  if (!at || !episode) return std::nullopt;
  return AiringEpisode{*at, *episode};
}

std::optional<PartialDate> date_of(const Object& object) {
  const auto part = [&](std::string_view name, std::int32_t most) -> std::optional<std::int16_t> {
    const auto value = object.small(name, 1, most);
    if (!value) return std::nullopt;
    return static_cast<std::int16_t>(*value);
  };
  const auto year = part("year", 9999);
  if (!year) return std::nullopt;
  PartialDate date{*year, part("month", 12), {}};
  if (date.month) date.day = part("day", 31);
  if (!date.is_possible()) date.day.reset();
  if (!date.is_possible()) return std::nullopt;
  return date;
}

/// Cut where a character ends.
std::optional<std::string> cut(std::optional<std::string> text, std::size_t bytes_max) {
  if (!text || text->size() <= bytes_max) return text;
  std::size_t end = bytes_max;
  while (end > 0 && (static_cast<unsigned char>((*text)[end]) & 0xc0U) == 0x80U) --end;
  text->resize(end);
  return text;
}

/// Fills `media`; false if it has no id.
bool read_summary(const Object& object, MediaSummary& media) {
  const auto id = object.small("id", 1, std::numeric_limits<std::int32_t>::max());
  if (!id) return false;
  media.anilist_media_id = *id;
  media.mal_media_id = object.small("idMal", 1, std::numeric_limits<std::int32_t>::max());
  const Object title = object.object("title");
  media.preferred_title_english = title.text("english");
  media.preferred_title_native = title.text("native");
  const TitleSnapshot titles = {
      .romaji = title.text("romaji"), .english = media.preferred_title_english, .native = media.preferred_title_native};
  media.preferred_title = preferred_title_of(titles, {"anilist", std::to_string(*id)});
  media.synonyms = object.texts("synonyms");
  media.format = object.word("format");
  media.status = lower_word(object.word("status"));
  media.episode_count = object.small("episodes", 1, episodes_max);
  media.episode_minutes = object.small("duration", 1, minutes_max);
  media.season = lower_word(object.word("season"));
  media.season_year = object.small("seasonYear", year_min, year_max);
  media.genres = object.texts("genres");
  media.average_score = object.small("averageScore", 1, 100);
  media.popularity = object.small("popularity", 0, std::numeric_limits<std::int32_t>::max());
  media.cover_image_url = object.object("coverImage").url("large");
  media.next_airing_episode = airing_of(object.object("nextAiringEpisode"));
  media.is_adult = object.truth("isAdult");
  return true;
}

}  // namespace

std::optional<SearchPage> read_search(std::string_view body) {
  json::Document document;
  if (document.parse(body)) return std::nullopt;
  const Object page = Object(document.root()).object("data").object("Page");
  const auto media = page.get("media");
  if (!media || media->kind() != json::Kind::array) return std::nullopt;
  SearchPage found;
  found.has_next = page.object("pageInfo").truth("hasNextPage");
  for (const json::Value& value : page.list("media")) {
    MediaSummary item;
    if (found.items.size() < page_items && read_summary(Object(value), item)) found.items.push_back(std::move(item));
  }
  return found;
}

std::optional<Media> read_media(std::string_view body) {
  json::Document document;
  if (document.parse(body)) return std::nullopt;
  const Object object = Object(document.root()).object("data").object("Media");
  Media media;
  if (!read_summary(object, media)) return std::nullopt;
  media.description = cut(object.text("description", answer_bytes_max), description_bytes_max);
  media.cover_image_medium_url = object.object("coverImage").url("medium");
  media.banner_image_url = object.url("bannerImage");
  media.start_date = date_of(object.object("startDate"));
  media.end_date = date_of(object.object("endDate"));
  for (const json::Value& studio : object.object("studios").list("nodes"))
    if (auto name = Object(studio).text("name"); name && media.studios.size() < words_max) media.studios.push_back(std::move(*name));
  media.site_url = object.url("siteUrl");
  media.source_updated_at = time_of(object.number("updatedAt", 1, unix_seconds_max));
  return media;
}

}  // namespace bloomwatch::anilist
