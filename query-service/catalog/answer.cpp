// From rows to what is shown, and the figures of the community.
#include "query-service/catalog/answer.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "events/title_sources.h"
#include "query-service/catalog/rows.h"

namespace bloomwatch {
namespace {

namespace column = catalog_column;

json::Raw raw(const pg::Row& row, int at) { return row.null(at) ? json::Raw{} : json::Raw{std::string(row.get<std::string_view>(at))}; }

/// Rows name facts as events do.
std::map<std::string, std::string> shown_sources(std::string_view stored) {
  std::map<std::string, std::string> shown;
  auto facts = json::read<std::map<std::string, std::string>>(stored).value();
  for (auto& [fact, source] : facts) {
    if (fact == "standing")
      shown["score"] = shown["popularity"] = std::move(source);
    else
      shown[fact == "offers" ? "availability" : json::name_of_member(fact)] = std::move(source);
  }
  return shown;
}

double to_hundredths(double value) { return std::round(value * 100) / 100; }

}  // namespace

TitleSummary show_title(const pg::Row& row) {
  const auto text = [&](int at) { return row.get<std::optional<std::string_view>>(at); };
  const auto number = [&](int at) { return row.get<std::optional<std::int32_t>>(at); };
  TitleSummary title;
  title.id = row.get<TitleId>(PageRows::id_column);
  title.name = row.get<std::string_view>(PageRows::text_column);
  title.names = raw(row, column::j1);
  title.format = text(column::t1);
  title.airing = text(column::t2);
  title.season = text(column::t3);
  title.season_year = number(column::n1);
  title.episodes = number(column::n2);
  title.minutes = number(column::n3);
  title.picture_url = text(column::t4);
  title.thumbnail_url = text(column::t5);
  title.genres = raw(row, column::j2);
  title.studios = raw(row, column::j4);
  if (const auto hundredths = number(column::n4)) title.score = *hundredths / 100.0;
  title.popularity = row.get<std::int64_t>(column::b1);
  title.sources = shown_sources(row.get<std::string_view>(column::j7));
  return title;
}

std::vector<Attribution> attribution_of(const std::vector<TitleSummary>& titles) {
  const std::string quoted = '"' + std::string(offline_database_source) + '"';
  const auto from_it = [&](const TitleSummary& title) {
    return title.names.text.contains(quoted) ||
           std::ranges::any_of(title.sources, [](const auto& source) { return source.second == offline_database_source; });
  };
  if (std::ranges::none_of(titles, from_it)) return {};
  return {{.source = offline_database_source,
           .url = "https://github.com/manami-project/anime-offline-database",
           .licences = {{"Open Database License (ODbL) v1.0", "https://opendatacommons.org/licenses/odbl/1-0/"},
                        {"Database Contents License (DbCL) v1.0", "https://opendatacommons.org/licenses/dbcl/1-0/"}}}};
}

double weighted_score(std::int64_t votes, double sum) {
  return (sum + static_cast<double>(prior_votes) * prior_score) / static_cast<double>(votes + prior_votes);
}

CommunityScore community_score(const std::vector<std::pair<std::int32_t, std::int64_t>>& votes) {
  std::map<std::int32_t, std::int64_t> by_score;
  for (const auto& [tenths, count] : votes) by_score[tenths] += count;
  CommunityScore score;
  double sum = 0;
  for (const auto& [tenths, count] : by_score) {
    if (count <= 0) continue;
    score.votes += count;
    sum += static_cast<double>(count) * tenths / 10.0;
    score.distribution.push_back({tenths / 10.0, count});
  }
  if (score.votes == 0) return score;
  score.mean = to_hundredths(sum / static_cast<double>(score.votes));
  score.weighted = to_hundredths(weighted_score(score.votes, sum));
  return score;
}

}  // namespace bloomwatch
