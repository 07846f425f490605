// Rows of read_catalog.titles into documents.
#include "query-service/search/catalog_rows.h"

#include <algorithm>
#include <cmath>
#include <ranges>
#include <set>

#include "events/title_limits.h"
#include "projector/catalog/catalog.h"
#include "query-service/catalog/pages.h"
#include "runtime/json.h"

namespace bloomwatch::search {
namespace {

constexpr std::int64_t rows_at_once = 1000;
constexpr double members_most = 3e6;  // so many make a title as popular as can be

constexpr const char* columns =
    "t.title, t.name, t.names, t.format, t.season, t.season_year, t.genres, t.studios, t.offers, t.score_hundredths, t.popularity,"
    " t.merged_into IS NOT NULL, t.position";

const pg::Statement& state_statement() {
  static const pg::Statement statement(
      "SELECT e.epoch, c.partition, c.position, c.version, c.generation, coalesce(c.epoch, e.epoch) FROM log.epoch AS e"
      " LEFT JOIN projection.checkpoints AS c ON c.model = 'catalog' AND c.slot = 'live' ORDER BY c.partition");
  return statement;
}

const pg::Statement& all_statement() {
  static const pg::Statement statement(std::string("SELECT ") + columns +
                                       " FROM read_catalog.titles AS t WHERE t.title > $1 ORDER BY t.title LIMIT $2");
  return statement;
}

/// $1 partitions and $2 after which position of each; $3 how many.
const pg::Statement& changes_statement() {
  static const pg::Statement statement(std::string("SELECT ") + columns +
                                       " FROM unnest($1::smallint[], $2::bigint[]) AS c (partition, position), LATERAL (SELECT * FROM"
                                       " read_catalog.titles AS x WHERE x.partition = c.partition AND x.position > c.position"
                                       " ORDER BY x.position LIMIT $3) AS t ORDER BY t.position, t.title LIMIT $3");
  return statement;
}

template <class T>
std::vector<T> list_in(const pg::Row& row, int column) {
  auto read = json::read<std::vector<T>>(row.get<std::string_view>(column), json::Unknown::ignored);
  return read ? std::move(*read) : std::vector<T>{};
}

std::vector<std::string> names_in(const pg::Row& row) {
  std::vector<std::string> names = {row.get<std::string>(1)};
  for (SourcedName& name : list_in<SourcedName>(row, 2))
    if (std::ranges::find(names, name.text) == names.end()) names.push_back(std::move(name.text));
  return names;
}

std::vector<StudioName> studios_in(const pg::Row& row) {
  std::vector<StudioName> studios;
  for (StudioCredit& credit : list_in<StudioCredit>(row, 7))
    if (!credit.slug.empty()) studios.push_back({std::move(credit.slug), std::move(credit.name)});
  std::ranges::sort(studios);
  const auto repeated = std::ranges::unique(studios, {}, &StudioName::slug);
  studios.erase(repeated.begin(), repeated.end());
  return studios;
}

std::vector<FacetValue> facets_in(const pg::Row& row, const std::vector<StudioName>& studios) {
  std::set<FacetValue> values;
  const auto add = [&values](Facet facet, std::string text) { values.insert({facet, std::move(text)}); };
  if (auto format = row.get<std::optional<std::string>>(3)) add(Facet::format, std::move(*format));
  if (auto season = row.get<std::optional<std::string>>(4)) add(Facet::season, std::move(*season));
  if (const auto year = row.get<std::optional<std::int32_t>>(5)) add(Facet::year, std::to_string(*year));
  for (std::string& genre : list_in<std::string>(row, 6)) add(Facet::genre, std::move(genre));
  for (const StudioName& studio : studios) add(Facet::studio, studio.slug);
  for (Offer& offer : list_in<Offer>(row, 8)) add(Facet::streaming, std::move(offer.provider));
  if (const auto hundredths = row.get<std::optional<std::int32_t>>(9)) add(Facet::score, std::to_string(*hundredths / 100));
  return {values.begin(), values.end()};
}

/// Seasons in their order.
std::int32_t premiered(const pg::Row& row) {
  const auto year = row.get<std::optional<std::int32_t>>(5);
  if (!year) return 0;
  const auto season = json::enum_of<Season>(row.get<std::optional<std::string_view>>(4).value_or(""));
  return *year * 4 + (season ? static_cast<std::int32_t>(*season) : 0);
}

TitleChange change_of(const pg::Row& row) {
  TitleChange change;
  change.document.id = row.get<Uuid>(0);
  change.gone = row.get<bool>(11);
  change.position = row.get<Position>(12);
  if (change.gone) return change;
  change.studios = studios_in(row);
  change.document.names = names_in(row);
  change.document.values = facets_in(row, change.studios);
  const auto members = static_cast<double>(std::max<std::int64_t>(row.get<std::int64_t>(10), 0));
  change.document.popularity = static_cast<float>(std::min(1.0, std::log1p(members) / std::log1p(members_most)));
  if (const auto hundredths = row.get<std::optional<std::int32_t>>(9)) change.document.score = static_cast<float>(*hundredths) / 100;
  change.document.premiered = premiered(row);
  return change;
}

std::vector<TitleChange> changes_of(const pg::Result& rows) {
  std::vector<TitleChange> changes;
  for (const pg::Row row : rows) changes.push_back(change_of(row));
  return changes;
}

}  // namespace

CatalogState read_state(pg::Connection& connection) {
  CatalogState state;
  for (const pg::Row row : connection.run(state_statement())) {
    state.epoch = row.get<std::string>(0);
    if (row.null(1)) continue;  // it has not begun
    const auto partition = row.get<std::int16_t>(1);
    state.model.take(partition, row.get<Position>(2));
    state.life +=
        std::to_string(row.get<std::int32_t>(3)) + ':' + std::to_string(row.get<std::int64_t>(4)) + ':' + row.get<std::string>(5) + ' ';
  }
  state.life += state.epoch;
  return state;
}

void read_all(pg::Connection& connection, const std::function<bool(std::vector<TitleChange>)>& take) {
  Uuid last;
  while (true) {
    auto changes = changes_of(connection.run(all_statement(), pg::Params(last, rows_at_once)));
    const bool more = std::ssize(changes) == rows_at_once;
    if (!changes.empty()) last = changes.back().document.id;
    if (!take(std::move(changes)) || !more) return;
  }
}

void read_changes(pg::Connection& connection, const CatalogState& state, const std::function<bool(std::vector<TitleChange>)>& take) {
  Position after = -1;
  while (true) {
    std::vector<std::int16_t> partitions;
    std::vector<Position> positions;
    for (std::int16_t partition = 0; partition < partition_count; ++partition) {
      partitions.push_back(partition);
      positions.push_back(std::max(after, state.checkpoint(static_cast<std::size_t>(partition))));
    }
    pg::Params params;
    params.add_array(partitions).add_array(positions).add(rows_at_once);
    auto changes = changes_of(connection.run(changes_statement(), params));
    const bool more = std::ssize(changes) == rows_at_once;
    // Of the last position there may be more.
    if (more) after = changes.back().position - 1;
    if (!take(std::move(changes)) || !more) return;
  }
}

}  // namespace bloomwatch::search
