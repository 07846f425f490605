// One title as a source describes it: what parsers make of a file's row, what an import sends, what a decision compares a title with.
// Bounds are checked where an entry comes in (see check()): what is longer than it should be is cut or left out by name.
#pragma once

#include <boost/describe.hpp>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "events/catalog.h"

namespace bloomwatch {

// Bounds of one entry.
inline constexpr std::size_t references_max = 32;
inline constexpr std::size_t names_max = 200;
inline constexpr std::size_t words_max = 300;       ///< of genres, tags, studios, producers each
inline constexpr std::size_t word_bytes_max = 300;  ///< of one of these
inline constexpr std::size_t related_max = 200;
inline constexpr std::size_t reference_bytes_max = 200;  ///< of a reference's id
inline constexpr std::size_t name_bytes_max = 2'000;     ///< and title_length_max code points
inline constexpr std::size_t synopsis_length_max = 20'000;
inline constexpr std::size_t offers_max = 200;

struct TitleEntry {
  std::vector<MediaReference> media = {};  ///< the best known source first, see order_references()
  std::vector<TitleName> names = {};
  TitleDetails details = {};
  std::vector<std::string> genres = {};
  std::vector<std::string> tags = {};
  std::vector<std::string> studios = {};
  std::vector<std::string> producers = {};
  std::vector<MediaReference> related = {};
  TitleStanding standing = {};

  bool operator==(const TitleEntry&) const = default;
};
BOOST_DESCRIBE_STRUCT(TitleEntry, (), (media, names, details, genres, tags, studios, producers, related, standing))

/// What is not believed is left out; each time a sentence is added to `remarks`. False: nothing is left to be imported.
bool check(TitleEntry& entry, std::vector<std::string>& remarks);

/// How well references of a source keep: anilist first, then mal, kitsu … An id is made from the best, merges and splits follow it.
int order_of_source(std::string_view source);
/// The best first, each once.
void order_references(std::vector<MediaReference>& references);

/// The language that a name's script tells, as far as it does: `ja` for kana, `ko`, `und-Cyrl` …; nothing for Latin.
std::optional<std::string> language_of_script(std::string_view text);

/// Tags that are genres, by the words that AniList and MyAnimeList have for theirs. `word` in lower case.
bool is_genre(std::string_view word);

}  // namespace bloomwatch
