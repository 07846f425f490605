// The rules of one entry: bounds, the order of sources, what a script tells of a language.
#include "command-service/catalog/title_entry.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>

#include "command-service/values.h"
#include "runtime/json.h"

namespace bloomwatch {
namespace {

constexpr auto sources_in_order = std::to_array<std::string_view>(
    {"anilist", "mal", "kitsu", "anidb", "anisearch", "ann", "anime-planet", "livechart", "simkl", "notify-moe", "animecountdown"});

constexpr auto genre_words = std::to_array<std::string_view>(
    {"action",    "adult cast", "adventure",     "avant garde",   "award winning", "boys love", "cars",        "comedy",       "dementia",
     "demons",    "detective",  "drama",         "ecchi",         "erotica",       "fantasy",   "game",        "girls love",   "gore",
     "gourmet",   "harem",      "hentai",        "historical",    "horror",        "idols",     "isekai",      "iyashikei",    "josei",
     "kids",      "magic",      "mahou shoujo",  "martial arts",  "mecha",         "military",  "music",       "mystery",      "mythology",
     "parody",    "police",     "psychological", "romance",       "samurai",       "school",    "sci-fi",      "seinen",       "shoujo",
     "shoujo ai", "shounen",    "shounen ai",    "slice of life", "space",         "sports",    "super power", "supernatural", "survival",
     "suspense",  "thriller",   "time travel",   "vampire",       "video game",    "yaoi",      "yuri"});
static_assert(std::ranges::is_sorted(genre_words));

/// The next code point of valid UTF-8, and on to the one after it.
char32_t next_code_point(std::string_view text, std::size_t& at) {
  const auto lead = static_cast<unsigned char>(text[at]);
  const std::size_t size = lead < 0x80 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
  char32_t point = size == 1 ? lead : lead & (0xFFU >> (size + 1));
  for (std::size_t i = 1; i < size && at + i < text.size(); ++i) point = point << 6 | (static_cast<unsigned char>(text[at + i]) & 0x3FU);
  at += size;
  return point;
}

/// A number is written as its source writes it, an id has no spaces.
bool is_reference(const MediaReference& reference) {
  const auto plain = [](char c) { return c > ' ' && c < 0x7f; };
  return !reference.source.empty() && reference.source.size() <= 40 && !reference.id.empty() &&
         reference.id.size() <= reference_bytes_max && std::ranges::all_of(reference.source, plain) &&
         std::ranges::all_of(reference.id, plain);
}

void keep_references(std::vector<MediaReference>& references, std::size_t most, std::string_view what, std::vector<std::string>& remarks) {
  const std::size_t odd = std::erase_if(references, [](const MediaReference& reference) { return !is_reference(reference); });
  if (odd > 0) remarks.push_back(fmt::format("{} of {} cannot be references and were left out", odd, what));
  if (references.size() > most) {
    remarks.push_back(fmt::format("{} has more than {} and was cut", what, most));
    references.resize(most);
  }
}

void keep_words(std::vector<std::string>& words, std::string_view what, std::vector<std::string>& remarks) {
  std::set<std::string> seen;
  std::vector<std::string> kept;
  for (std::string& word : words) {
    auto checked = checked_text(word, word_bytes_max, Lines::one);
    if (!checked || checked->size() > word_bytes_max) {
      remarks.push_back(fmt::format("one of {} was left out: it {}", what, checked ? "is too long" : checked.error()));
    } else if (seen.insert(*checked).second) {
      kept.push_back(std::move(*checked));
    }
  }
  if (kept.size() > words_max) {
    remarks.push_back(fmt::format("{} has more than {} and was cut", what, words_max));
    kept.resize(words_max);
  }
  words = std::move(kept);
}

void keep_names(std::vector<TitleName>& names, std::vector<std::string>& remarks) {
  std::set<std::string> seen;
  std::vector<TitleName> kept;
  for (TitleName& name : names) {
    std::ranges::replace_if(name.text, [](char c) { return c == '\n' || c == '\r' || c == '\t'; }, ' ');  // a name has one line
    auto checked = TitleText::from(name.text);
    if (!checked) {
      remarks.push_back("a name was left out: it " + checked.error());
    } else if (seen.insert(checked->text()).second) {
      name.text = checked->text();
      kept.push_back(std::move(name));
    }
  }
  if (kept.size() > names_max) {
    remarks.push_back(fmt::format("it has more than {} names; the others were left out", names_max));
    kept.resize(names_max);
  }
  names = std::move(kept);
}

/// Leaves out a value that its type does not allow.
template <class Checked, class T>
void keep(std::optional<T>& value, std::string_view what, std::vector<std::string>& remarks) {
  if (!value) return;
  const auto checked = Checked::from(*value);
  if (checked) {
    value = checked->wire();
  } else {
    remarks.push_back(fmt::format("{} was left out: it {}", what, checked.error()));
    value.reset();
  }
}

void keep_details(TitleDetails& details, std::vector<std::string>& remarks) {
  keep<FormatText>(details.format, "format", remarks);
  keep<SeasonYear>(details.season_year, "year", remarks);
  keep<EpisodeCount>(details.episodes, "episodes", remarks);
  keep<EpisodeMinutes>(details.minutes, "duration", remarks);
  keep<Url>(details.picture_url, "picture", remarks);
  keep<Url>(details.thumbnail_url, "thumbnail", remarks);
  keep<Text<synopsis_length_max, Lines::many>>(details.synopsis, "synopsis", remarks);
  keep<PossibleDate>(details.starts_on, "start date", remarks);
  keep<PossibleDate>(details.ends_on, "end date", remarks);
  keep<FormatText>(details.content_rating, "content rating", remarks);
  if (details.season && !json::enum_of<Season>(*details.season)) {
    remarks.push_back("season was left out: it is none");
    details.season.reset();
  }
}

}  // namespace

bool check(TitleEntry& entry, std::vector<std::string>& remarks) {
  order_references(entry.media);
  keep_references(entry.media, references_max, "references", remarks);
  keep_references(entry.related, related_max, "related titles", remarks);
  keep_names(entry.names, remarks);
  keep_words(entry.genres, "genres", remarks);
  keep_words(entry.tags, "tags", remarks);
  keep_words(entry.studios, "studios", remarks);
  keep_words(entry.producers, "producers", remarks);
  keep_details(entry.details, remarks);
  if (entry.standing.score_hundredths && (*entry.standing.score_hundredths < 1 || *entry.standing.score_hundredths > 1000)) {
    remarks.emplace_back("score was left out: it is not within 0.01 and 10");
    entry.standing.score_hundredths.reset();
  }
  if (entry.standing.members && *entry.standing.members < 0) entry.standing.members.reset();
  return !entry.names.empty() && !entry.media.empty();
}

int order_of_source(std::string_view source) {
  return static_cast<int>(std::ranges::find(sources_in_order, source) - sources_in_order.begin());
}

void order_references(std::vector<MediaReference>& references) {
  std::ranges::sort(references, {}, [](const MediaReference& reference) {
    return std::tuple(order_of_source(reference.source), std::string_view(reference.source), std::string_view(reference.id));
  });
  const auto again = std::ranges::unique(references);
  references.erase(again.begin(), again.end());
}

std::optional<std::string> language_of_script(std::string_view text) {
  struct Script {
    char32_t first, last;
    std::string_view language;
  };
  // Blocks of Unicode that name one language, or one script.
  static constexpr std::array<Script, 14> scripts = {{{0x3041, 0x30FF, "ja"},        // kana
                                                      {0x31F0, 0x31FF, "ja"},        // kana, small
                                                      {0xAC00, 0xD7A3, "ko"},        // Hangul
                                                      {0x1100, 0x11FF, "ko"},        // Hangul letters
                                                      {0x0E00, 0x0E7F, "th"},        // Thai
                                                      {0x0590, 0x05FF, "he"},        // Hebrew
                                                      {0x0370, 0x03FF, "el"},        // Greek
                                                      {0x10A0, 0x10FF, "ka"},        // Georgian
                                                      {0x0530, 0x058F, "hy"},        // Armenian
                                                      {0x0400, 0x052F, "und-Cyrl"},  // Russian, Ukrainian, Bulgarian …
                                                      {0x0600, 0x06FF, "und-Arab"},  // Arabic, Persian …
                                                      {0x0900, 0x097F, "und-Deva"},
                                                      {0x3400, 0x4DBF, "und-Hani"},  // Chinese or Japanese
                                                      {0x4E00, 0x9FFF, "und-Hani"}}};
  std::optional<std::string> found;
  for (std::size_t at = 0; at < text.size();) {
    const char32_t c = next_code_point(text, at);
    const auto script = std::ranges::find_if(scripts, [&](const Script& s) { return c >= s.first && c <= s.last; });
    if (script == scripts.end()) continue;
    // Kana beside Chinese characters say that it is Japanese; a stray letter of another script says nothing more.
    if (!found || script->language == "ja") found = script->language;
    if (found == "ja") break;
  }
  return found;
}

bool is_genre(std::string_view word) { return std::ranges::binary_search(genre_words, word); }

}  // namespace bloomwatch
