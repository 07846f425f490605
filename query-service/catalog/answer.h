// A title as pages show it. Lists in rows are JSON already, and are shown as they stand.
#pragma once

#include <boost/describe.hpp>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "events/ids.h"
#include "query-service/page_rows.h"
#include "runtime/json.h"
#include "runtime/time.h"

namespace bloomwatch {

/// What is said of a title in lists, too.
struct TitleSummary {
  TitleId id;
  std::string_view name;
  json::Raw names;
  std::optional<std::string_view> format = {};
  std::optional<std::string_view> airing = {};
  std::optional<std::string_view> season = {};
  std::optional<std::int32_t> season_year = {};
  std::optional<std::int32_t> episodes = {};
  std::optional<std::int32_t> minutes = {};
  std::optional<std::string_view> picture_url = {};
  std::optional<std::string_view> thumbnail_url = {};
  json::Raw genres;
  json::Raw studios;
  std::optional<double> score = {};  ///< of its source, points of the ten-scale
  std::int64_t popularity = 0;
  std::map<std::string, std::string> sources = {};  ///< who says what, by the names that the title page has
};
BOOST_DESCRIBE_STRUCT(TitleSummary, (),
                      (id, name, names, format, airing, season, season_year, episodes, minutes, picture_url, thumbnail_url, genres, studios,
                       score, popularity, sources))

TitleSummary show_title(const pg::Row& row);

/// A licence, by its name and where it can be read.
struct Licence {
  std::string_view name;
  std::string_view url;
};
BOOST_DESCRIBE_STRUCT(Licence, (), (name, url))

/// Whose data an answer shows.
struct Attribution {
  std::string_view source;
  std::string_view url;
  std::vector<Licence> licences;
};
BOOST_DESCRIBE_STRUCT(Attribution, (), (source, url, licences))

/// What the answer owes to whom: each source that asks to be named, once.
std::vector<Attribution> attribution_of(const std::vector<TitleSummary>& titles);

/// How people here rate a title.
struct VoteCount {
  double score = 0;
  std::int64_t votes = 0;
};
BOOST_DESCRIBE_STRUCT(VoteCount, (), (score, votes))

struct CommunityScore {
  std::optional<double> mean = {};      ///< to two decimals; null: nobody has rated it
  std::optional<double> weighted = {};  ///< drawn towards the middle while few have, see weighted_score()
  std::int64_t votes = 0;
  std::vector<VoteCount> distribution = {};  ///< by score, from the lowest; those that nobody gave are left out
};
BOOST_DESCRIBE_STRUCT(CommunityScore, (), (mean, weighted, votes, distribution))

/// A score with few votes says little: it counts as if so many more people had given `prior_score`.
inline constexpr std::int64_t prior_votes = 5;
inline constexpr double prior_score = 6.5;
double weighted_score(std::int64_t votes, double sum);

/// Of votes by score in tenths; several counts of one score are added.
CommunityScore community_score(const std::vector<std::pair<std::int32_t, std::int64_t>>& votes);

}  // namespace bloomwatch
