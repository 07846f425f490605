// Keyed reads: the alias of an AniList id, then its title; titles that the search index has found.
#include "query-service/anilist/catalogue_titles.h"

#include <algorithm>
#include <chrono>
#include <future>
#include <limits>
#include <map>
#include <memory>

#include "events/ids.h"
#include "events/tracking.h"
#include "query-service/anilist/problems.h"
#include "runtime/json.h"
#include "runtime/postgres.h"

namespace bloomwatch::anilist {
namespace {

// What is read of the catalogue's rows; they hold more.
struct KnownName {
  std::string text;
  std::string kind;  ///< main, english, native, synonym
};
BOOST_DESCRIBE_STRUCT(KnownName, (), (text, kind))

struct KnownStudio {
  std::string name;
  std::string role;  ///< studio, producer
};
BOOST_DESCRIBE_STRUCT(KnownStudio, (), (name, role))

/// The catalogue's columns of one title, as one JSON object: its lists are JSON already.
struct KnownTitle {
  std::string name;
  std::vector<KnownName> names;
  std::optional<std::string> format = {};
  std::optional<std::string> airing = {};  ///< upcoming, airing, finished
  std::optional<std::string> season = {};
  std::optional<std::int32_t> season_year = {};
  std::optional<std::int32_t> episodes = {};
  std::optional<std::int32_t> minutes = {};
  std::optional<std::string> picture_url = {};
  std::optional<std::string> thumbnail_url = {};
  std::optional<std::string> synopsis = {};
  std::optional<PartialDate> starts_on = {};
  std::optional<PartialDate> ends_on = {};
  std::vector<std::string> genres;
  std::vector<KnownStudio> studios;
  std::vector<MediaReference> external_ids;
  std::optional<std::int32_t> score_hundredths = {};
  std::int64_t popularity = 0;
};
BOOST_DESCRIBE_STRUCT(KnownTitle, (),
                      (name, names, format, airing, season, season_year, episodes, minutes, picture_url, thumbnail_url, synopsis, starts_on,
                       ends_on, genres, studios, external_ids, score_hundredths, popularity))

/// How long the index may take.
constexpr std::chrono::seconds search_max{2};

constexpr const char* known_columns =
    "jsonb_build_object('name', t.name, 'names', t.names, 'format', t.format, 'airing', t.airing, 'season', t.season, "
    "'seasonYear', t.season_year, 'episodes', t.episodes, 'minutes', t.minutes, 'pictureUrl', t.picture_url, "
    "'thumbnailUrl', t.thumbnail_url, 'synopsis', t.synopsis, 'startsOn', t.starts_on, 'endsOn', t.ends_on, 'genres', t.genres, "
    "'studios', t.studios, 'externalIds', t.external_ids, 'scoreHundredths', t.score_hundredths, 'popularity', t.popularity)";

/// $1 is the id that the reference makes, $2 AniList's: an alias also leads to a title whose own id it is, though another has the
/// reference.
const pg::Statement& title_statement() {
  static const pg::Statement statement(std::string("SELECT ") + known_columns +
                                       " FROM read_catalog.aliases AS a JOIN read_catalog.titles AS t ON t.title = a.title"
                                       " WHERE a.alias = $1 AND t.merged_into IS NULL AND t.external_ids @>"
                                       " jsonb_build_array(jsonb_build_object('source', 'anilist', 'id', $2::text))");
  return statement;
}

const pg::Statement& titles_statement() {
  static const pg::Statement statement(std::string("SELECT t.title, ") + known_columns +
                                       " FROM read_catalog.titles AS t WHERE t.title = ANY($1::uuid[]) AND t.merged_into IS NULL");
  return statement;
}

std::optional<std::string> name_of_kind(const KnownTitle& title, std::string_view kind) {
  const auto found = std::ranges::find(title.names, kind, &KnownName::kind);
  if (found == title.names.end()) return std::nullopt;
  return found->text;
}

/// In AniList's words.
std::optional<std::string> status_of(const std::optional<std::string>& airing) {
  if (airing == "upcoming") return "not-yet-released";
  if (airing == "airing") return "releasing";
  return airing;
}

std::optional<std::int32_t> id_at(const KnownTitle& title, std::string_view source) {
  const auto found = std::ranges::find(title.external_ids, source, &MediaReference::source);
  if (found == title.external_ids.end()) return std::nullopt;
  return media_id_of(found->id);
}

void add_names(Media& media, const KnownTitle& title) {
  media.preferred_title = title.name;
  media.preferred_title_english = name_of_kind(title, "english");
  media.preferred_title_native = name_of_kind(title, "native");
  for (const KnownName& name : title.names)
    if (name.kind == "synonym" && media.synonyms.size() < words_max) media.synonyms.push_back(name.text);
}

Media media_of(std::int32_t id, KnownTitle title) {
  Media media;
  media.anilist_media_id = id;
  media.mal_media_id = id_at(title, "mal");
  add_names(media, title);
  media.format = std::move(title.format);
  media.status = status_of(title.airing);
  media.episode_count = title.episodes;
  media.episode_minutes = title.minutes;
  media.season = std::move(title.season);
  media.season_year = title.season_year;
  media.genres = std::move(title.genres);
  if (title.score_hundredths) media.average_score = std::clamp((*title.score_hundredths + 5) / 10, 1, 100);
  if (title.popularity > 0)
    media.popularity = static_cast<std::int32_t>(std::min<std::int64_t>(title.popularity, std::numeric_limits<std::int32_t>::max()));
  media.cover_image_url = std::move(title.picture_url);
  media.cover_image_medium_url = std::move(title.thumbnail_url);
  media.description = std::move(title.synopsis);
  media.start_date = title.starts_on;
  media.end_date = title.ends_on;
  for (KnownStudio& studio : title.studios)
    if (studio.role == "studio") media.studios.push_back(std::move(studio.name));
  return media;
}

/// The ids that the index finds, the best first. Waits for it.
std::vector<TitleId> find(search::CatalogSearch& index, std::string_view text, std::size_t most) {
  auto told = std::make_shared<std::promise<std::vector<TitleId>>>();
  auto ids = told->get_future();
  index.ask({.text = std::string(text), .limit = most}, false, index.reached(), std::chrono::steady_clock::now() + search_max,
            [told](auto found) {
              std::vector<TitleId> titles;
              if (found)
                for (const search::Hit& hit : found->titles.hits) titles.emplace_back(hit.id);
              told->set_value(std::move(titles));
            });
  return ids.get();
}

/// What the index finds and AniList has an id for, in the index's order.
std::vector<MediaSummary> search_titles(pg::Pool& pool, search::CatalogSearch& index, std::string_view text, std::size_t most) {
  const std::vector<TitleId> ids = find(index, text, most);
  if (ids.empty()) return {};
  pg::Params params;
  params.add_array(ids, [](const TitleId& id) { return id; });
  std::map<TitleId, MediaSummary> known;
  const auto rows = pool.checkout()->run(titles_statement(), params);
  for (const pg::Row row : rows) {
    auto title = json::read<KnownTitle>(row.get<std::string_view>(1), json::Unknown::ignored);
    if (!title) continue;
    if (const auto id = id_at(*title, "anilist")) known.emplace(row.get<TitleId>(0), media_of(*id, std::move(*title)));
  }
  std::vector<MediaSummary> shown;
  for (const TitleId& id : ids)
    if (const auto found = known.find(id); found != known.end()) shown.push_back(std::move(found->second));
  return shown;
}

}  // namespace

Catalogue catalogue_titles(const std::string& database_url, search::CatalogSearch& index) {
  pg::Options options;
  options.url = database_url;
  options.application_name = "bloomwatch anilist";
  options.settings = {{"default_transaction_read_only", "on"}};
  auto pool = std::make_shared<pg::Pool>(std::move(options), pg::Pool::Limits{.connections_max = Discovery::threads});
  return {.media = [pool](std::int32_t id) -> std::optional<Media> {
            const std::string known_as = std::to_string(id);
            const auto rows = pool->checkout()->run(title_statement(), pg::Params(title_of("anilist", known_as), known_as));
            if (rows.empty()) return std::nullopt;
            auto title = json::read<KnownTitle>(rows[0].get<std::string_view>(0), json::Unknown::ignored);
            if (!title) return std::nullopt;
            return media_of(id, std::move(*title));
          },
          .search = [pool, &index](std::string_view text, std::size_t most) { return search_titles(*pool, index, text, most); }};
}

}  // namespace bloomwatch::anilist
