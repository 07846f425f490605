// From the release's JSON to entries.
#include "command-service/catalog/offline_database.h"

#include <fmt/format.h>
#include <simdjson.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "runtime/ascii.h"

namespace bloomwatch::catalog {
namespace {

namespace dom = simdjson::dom;

struct Provider {
  std::string_view host;
  std::string_view path;  ///< what stands before the id
  std::string_view source;
};
constexpr auto providers = std::to_array<Provider>({{"anilist.co", "/anime/", "anilist"},
                                                    {"myanimelist.net", "/anime/", "mal"},
                                                    {"kitsu.app", "/anime/", "kitsu"},
                                                    {"kitsu.io", "/anime/", "kitsu"},
                                                    {"anidb.net", "/anime/", "anidb"},
                                                    {"anisearch.com", "/anime/", "anisearch"},
                                                    {"animenewsnetwork.com", "/encyclopedia/anime.php?id=", "ann"},
                                                    {"anime-planet.com", "/anime/", "anime-planet"},
                                                    {"livechart.me", "/anime/", "livechart"},
                                                    {"simkl.com", "/anime/", "simkl"},
                                                    {"notify.moe", "/anime/", "notify-moe"},
                                                    {"animecountdown.com", "/", "animecountdown"}});

constexpr auto required = std::to_array<std::string_view>(
    {"sources", "title", "type", "episodes", "status", "animeSeason", "picture", "thumbnail", "synonyms", "relatedAnime", "tags"});

std::optional<std::string> text_of(dom::element value) {
  std::string_view text;
  if (value.get_string().get(text) != simdjson::SUCCESS) return std::nullopt;
  return std::string(text);
}

std::optional<std::string> text_at(dom::object object, std::string_view name) {
  dom::element value;
  if (object[name].get(value) != simdjson::SUCCESS) return std::nullopt;
  return text_of(value);
}

std::optional<double> number_at(dom::object object, std::string_view name) {
  double number = 0;
  if (object[name].get_double().get(number) != simdjson::SUCCESS) return std::nullopt;
  return number;
}

/// The texts of a list; nothing if it is no list of texts. Lists that are not there are empty.
std::expected<std::vector<std::string>, std::string> texts_at(dom::object object, std::string_view name) {
  std::vector<std::string> texts;
  dom::element value;
  if (object[name].get(value) != simdjson::SUCCESS) return texts;
  dom::array list;
  if (value.get_array().get(list) != simdjson::SUCCESS) return std::unexpected(fmt::format("its {} are no list", name));
  for (const dom::element item : list) {
    auto text = text_of(item);
    if (!text) return std::unexpected(fmt::format("its {} are no list of texts", name));
    texts.push_back(std::move(*text));
  }
  return texts;
}

std::vector<MediaReference> references_of(const std::vector<std::string>& urls) {
  std::vector<MediaReference> references;
  for (const std::string& url : urls)
    if (auto reference = reference_of_url(url)) references.push_back(std::move(*reference));
  return references;
}

std::optional<AiringStatus> airing_of(std::string_view status) {
  if (status == "FINISHED") return AiringStatus::finished;
  if (status == "ONGOING") return AiringStatus::airing;
  if (status == "UPCOMING") return AiringStatus::upcoming;
  return std::nullopt;
}

/// A whole number within what an int can hold.
std::optional<std::int32_t> whole(std::optional<double> number) {
  if (!number || !(*number >= 1) || *number > 1'000'000'000) return std::nullopt;
  return static_cast<std::int32_t>(std::lround(*number));
}

TitleDetails details_of(dom::object object) {
  TitleDetails details;
  if (auto type = text_at(object, "type"); type && *type != "UNKNOWN") details.format = std::move(type);
  if (const auto status = text_at(object, "status")) details.airing = airing_of(*status);
  details.episodes = whole(number_at(object, "episodes"));
  dom::object part;
  if (object["animeSeason"].get_object().get(part) == simdjson::SUCCESS) {
    if (auto season = text_at(part, "season"); season && *season != "UNDEFINED") {
      std::ranges::transform(*season, season->begin(), ascii::lower);
      details.season = std::move(season);
    }
    details.season_year = whole(number_at(part, "year"));
  }
  if (object["duration"].get_object().get(part) == simdjson::SUCCESS) {
    if (const auto seconds = number_at(part, "value"); seconds && *seconds > 0 && *seconds < 1'000'000)
      details.minutes = std::max<std::int32_t>(1, static_cast<std::int32_t>(std::lround(*seconds / 60)));
  }
  // The providers' placeholders are no pictures.
  const auto picture = [&](std::string_view name) -> std::optional<std::string> {
    auto url = text_at(object, name);
    if (!url || url->empty() || url->find("no_pic") != std::string::npos) return std::nullopt;
    return url;
  };
  details.picture_url = picture("picture");
  details.thumbnail_url = picture("thumbnail");
  return details;
}

/// The title first, then its synonyms; the first in Japanese script is the native one.
std::vector<TitleName> names_of(std::string title, std::vector<std::string> synonyms) {
  std::vector<TitleName> names;
  auto language = language_of_script(title);
  bool native = language == "ja";
  names.push_back({std::move(title), std::move(language), NameKind::main});
  std::ranges::sort(synonyms);  // their order is nothing to tell one release from another by
  for (std::string& synonym : synonyms) {
    auto of_script = language_of_script(synonym);
    const bool is_native = !native && of_script == "ja";
    native = native || is_native;
    names.push_back({std::move(synonym), std::move(of_script), is_native ? NameKind::native : NameKind::synonym});
  }
  return names;
}

std::expected<TitleEntry, std::string> entry_of(dom::element element) {
  dom::object object;
  if (element.get_object().get(object) != simdjson::SUCCESS) return std::unexpected("it is no JSON object");
  for (const std::string_view name : required)
    if (object[name].error() != simdjson::SUCCESS) return std::unexpected(fmt::format("it has no {}", name));
  auto title = text_at(object, "title");
  if (!title) return std::unexpected("its title is no text");
  TitleEntry entry;
  std::vector<std::string> synonyms;
  std::vector<std::string> sources;
  std::vector<std::string> related;
  std::vector<std::string> tags;
  for (const auto& [name, list] : std::to_array<std::pair<std::string_view, std::vector<std::string>*>>({{"sources", &sources},
                                                                                                         {"synonyms", &synonyms},
                                                                                                         {"studios", &entry.studios},
                                                                                                         {"producers", &entry.producers},
                                                                                                         {"relatedAnime", &related},
                                                                                                         {"tags", &tags}})) {
    auto texts = texts_at(object, name);
    if (!texts) return std::unexpected(std::move(texts.error()));
    *list = std::move(*texts);
  }
  entry.media = references_of(sources);
  if (entry.media.empty()) return std::unexpected("none of its sources is one that we know");
  entry.related = references_of(related);
  entry.names = names_of(std::move(*title), std::move(synonyms));
  entry.details = details_of(object);
  for (std::string& tag : tags) {
    std::ranges::transform(tag, tag.begin(), ascii::lower);
    (is_genre(tag) ? entry.genres : entry.tags).push_back(std::move(tag));
  }
  for (auto* list : {&entry.genres, &entry.tags, &entry.studios, &entry.producers}) std::ranges::sort(*list);
  std::ranges::sort(entry.related, {}, [](const MediaReference& reference) { return std::tie(reference.source, reference.id); });
  dom::object score;
  if (object["score"].get_object().get(score) == simdjson::SUCCESS)
    if (const auto mean = number_at(score, "arithmeticMean"); mean && *mean > 0 && *mean <= 10)
      entry.standing.score_hundredths = static_cast<std::int32_t>(std::lround(*mean * 100));
  return entry;
}

std::optional<OfflineHeader> header_of(dom::object object) {
  dom::object license;
  if (object["license"].get_object().get(license) != simdjson::SUCCESS) return std::nullopt;
  const auto name = text_at(license, "name");
  const auto updated = text_at(object, "lastUpdate");
  if (!name || !updated || !text_at(object, "repository")) return std::nullopt;
  return OfflineHeader{.last_update = *updated, .license = *name};
}

}  // namespace

struct OfflineReader::State {
  dom::parser parser;
  std::vector<dom::element> entries;  ///< of the document
};

OfflineReader::OfflineReader() : state_(std::make_unique<State>()) {}
OfflineReader::~OfflineReader() = default;

std::optional<MediaReference> reference_of_url(std::string_view url) {
  for (const std::string_view scheme : {"https://", "http://"})
    if (url.starts_with(scheme)) url.remove_prefix(scheme.size());
  if (url.starts_with("www.")) url.remove_prefix(4);
  for (const Provider& provider : providers) {
    if (!url.starts_with(provider.host) || !url.substr(provider.host.size()).starts_with(provider.path)) continue;
    std::string_view id = url.substr(provider.host.size() + provider.path.size());
    id = id.substr(0, id.find_first_of("/?#&,"));
    if (id.empty()) return std::nullopt;
    return MediaReference{std::string(provider.source), std::string(id)};
  }
  return std::nullopt;
}

std::optional<OfflineHeader> OfflineReader::header(std::string_view line) {
  dom::object object;
  if (state_->parser.parse(simdjson::padded_string(line)).get_object().get(object) != simdjson::SUCCESS) return std::nullopt;
  return header_of(object);
}

std::expected<TitleEntry, std::string> OfflineReader::entry(std::string_view line) {
  dom::element element;
  const simdjson::padded_string padded(line);
  if (const auto error = state_->parser.parse(padded).get(element); error != simdjson::SUCCESS)
    return std::unexpected(fmt::format("it is no JSON: {}", simdjson::error_message(error)));
  return entry_of(element);
}

std::expected<OfflineHeader, std::string> OfflineReader::open_document(const std::string& text) {
  dom::object object;
  if (const auto error = state_->parser.parse(text).get_object().get(object); error != simdjson::SUCCESS)
    return std::unexpected(fmt::format("the file is no JSON document: {}", simdjson::error_message(error)));
  auto header = header_of(object);
  dom::array data;
  if (!header || object["data"].get_array().get(data) != simdjson::SUCCESS)
    return std::unexpected("the file is no release of anime-offline-database: it has no license, repository, lastUpdate and data");
  state_->entries.assign(data.begin(), data.end());
  return std::move(*header);
}

std::size_t OfflineReader::document_size() const { return state_->entries.size(); }

std::expected<TitleEntry, std::string> OfflineReader::document_entry(std::size_t index) const { return entry_of(state_->entries[index]); }

}  // namespace bloomwatch::catalog
