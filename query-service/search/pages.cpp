// From parameters to a query of the index, and from what it found, with the titles' rows, to JSON.
#include "query-service/search/pages.h"

#include <algorithm>
#include <map>

#include "query-service/catalog/answer.h"
#include "query-service/catalog/rows.h"
#include "runtime/ascii.h"

namespace bloomwatch {

using search::CatalogFound;
using search::Facet;
using search::Hit;
using search::StudioCard;

namespace {

/// The name that was found, and which of its characters were looked for.
struct Match {
  std::string_view name;
  std::vector<search::Range> ranges;
};
BOOST_DESCRIBE_STRUCT(Match, (), (name, ranges))

struct FoundTitle : TitleSummary {
  std::optional<Match> match = {};  ///< nothing was looked for: null
};
BOOST_DESCRIBE_STRUCT(FoundTitle, (TitleSummary), (match))

struct FacetValueAnswer {
  std::string_view value;  ///< as the filter takes it
  std::string_view name;   ///< as people read it
  std::int64_t count = 0;
};
BOOST_DESCRIBE_STRUCT(FacetValueAnswer, (), (value, name, count))

struct FacetsAnswer {
  std::vector<FacetValueAnswer> format, season, year, genre, studio, streaming, score;
};
BOOST_DESCRIBE_STRUCT(FacetsAnswer, (), (format, season, year, genre, studio, streaming, score))

struct SearchAnswer {
  std::vector<FoundTitle> items;
  std::optional<std::string> next;
  std::int64_t total = 0;
  FacetsAnswer facets;
  std::vector<StudioCard> studios;
  std::vector<Attribution> attribution;
};
BOOST_DESCRIBE_STRUCT(SearchAnswer, (), (items, next, total, facets, studios, attribution))

struct Suggestion {
  TitleId id;
  std::string_view name;
  std::optional<std::string_view> format = {};
  std::optional<std::int32_t> season_year = {};
  std::optional<std::string_view> thumbnail_url = {};
  std::optional<Match> match = {};
};
BOOST_DESCRIBE_STRUCT(Suggestion, (), (id, name, format, season_year, thumbnail_url, match))

struct SuggestAnswer {
  std::vector<Suggestion> items;
  std::vector<StudioCard> studios;
  std::vector<Attribution> attribution;
};
BOOST_DESCRIBE_STRUCT(SuggestAnswer, (), (items, studios, attribution))

/// $1 the titles.
const pg::Statement& titles_statement() {
  static const pg::Statement statement([] {
    PageSql sql({Model::catalog}, "NULL::uuid", catalog_columns());
    sql.rows(catalog_kind::title, title_values(false),
             "FROM unnest($1::uuid[]) AS w (title), LATERAL (SELECT * FROM read_catalog.titles AS x WHERE x.title = w.title AND"
             " x.merged_into IS NULL OFFSET 0) AS t");
    return sql.text();
  }());
  return statement;
}

Question ask_titles(const CatalogFound& found) {
  pg::Params params;
  params.add_array(found.titles.hits, [](const Hit& hit) { return TitleId(hit.id); });
  return Question{&titles_statement(), std::move(params)};
}

/// The titles that were found, in their order; those whose rows say that they are no more are left out.
std::vector<FoundTitle> show_found(const CatalogFound& found, const PageRows& rows, bool asked) {
  std::map<TitleId, pg::Row> by_title;
  for (const pg::Row row : rows.of(catalog_kind::title)) by_title.emplace(row.get<TitleId>(PageRows::id_column), row);
  std::vector<FoundTitle> titles;
  for (const Hit& hit : found.titles.hits) {
    const auto row = by_title.find(TitleId(hit.id));
    if (row == by_title.end()) continue;
    FoundTitle& title = titles.emplace_back();
    static_cast<TitleSummary&>(title) = show_title(row->second);
    if (asked) title.match = Match{hit.name, hit.matched};
  }
  return titles;
}

std::vector<Attribution> attribution_of_found(const std::vector<FoundTitle>& titles) {
  return attribution_of({titles.begin(), titles.end()});
}

std::vector<FacetValueAnswer> show_facet(const CatalogFound& found, Facet facet) {
  std::vector<FacetValueAnswer> values;
  for (const search::FacetCount& one : found.titles.facets[static_cast<std::size_t>(facet)]) {
    const std::string_view name = facet == Facet::studio ? std::string_view(found.names_of_studios[values.size()]) : one.value;
    values.push_back({one.value, name, one.count});
  }
  return values;
}

FacetsAnswer show_facets(const CatalogFound& found) {
  using enum Facet;
  return {show_facet(found, format), show_facet(found, season),    show_facet(found, year), show_facet(found, genre),
          show_facet(found, studio), show_facet(found, streaming), show_facet(found, score)};
}

/// Where the search goes on, if it does not begin at its beginning. Who repeats the filters repeats them as they were.
std::expected<std::optional<SearchPlace>, Problem> place_of(const SearchPage& page, const SearchFilter& filter, const Visit& visit) {
  if (!page.cursor) return std::nullopt;
  auto opened = visit.cursors->open<SearchPlace>(*page.cursor, visit.epoch, visit.list());
  if (!opened) return std::unexpected(std::move(opened.error()));
  if (filter != SearchFilter{} && filter != opened->filter) return std::unexpected(Cursors::unknown());
  return std::move(*opened);
}

search::Query query_of(const SearchFilter& filter) {
  search::Query query;
  if (filter.q) query.text = filter.q->text;
  const auto choose = [&query](Facet facet, auto values) { query.filters[static_cast<std::size_t>(facet)] = std::move(values); };
  choose(Facet::format, filter.format);
  choose(Facet::genre, filter.genre);
  choose(Facet::studio, filter.studio);
  choose(Facet::streaming, filter.streaming);
  std::vector<std::string> seasons, years;
  for (const Season season : filter.season) seasons.emplace_back(json::name_of(season));
  for (const std::int32_t year : filter.year) years.push_back(std::to_string(year));
  choose(Facet::season, std::move(seasons));
  choose(Facet::year, std::move(years));
  if (filter.min_score) query.score_min = filter.min_score->value;
  query.sort = filter.sort.value_or(search::Sort::relevance);
  query.facets = true;
  return query;
}

/// Has the index answer into `found`, which lives until then, and goes on.
search::CatalogSearch::Answer answer_into(CatalogFound& found, std::move_only_function<void(std::expected<Position, Problem>)> go_on) {
  return [&found, go_on = std::move(go_on)](std::expected<CatalogFound, Problem> answer) mutable {
    if (!answer) return go_on(std::unexpected(std::move(answer.error())));
    found = std::move(*answer);
    go_on(found.position);
  };
}

}  // namespace

std::expected<SearchText, std::string> SearchText::from(Wire wire) {
  const auto characters = std::ranges::count_if(wire, [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; });
  if (static_cast<std::size_t>(characters) > characters_max)
    return std::unexpected("must have at most " + std::to_string(characters_max) + " characters");
  return SearchText{std::move(wire)};
}

void SearchPage::prepare(const Visit& visit, Position at_least_position, std::chrono::steady_clock::time_point deadline,
                         std::move_only_function<void(std::expected<Position, Problem>)> go_on) {
  filter = {q, format, season, year, genre, studio, streaming, min_score, sort};
  for (std::string& word : filter.format) word = ascii::upper_case(word);
  for (std::string& word : filter.genre) word = ascii::lower_case(word);
  auto place = place_of(*this, filter, visit);
  if (!place) return go_on(std::unexpected(std::move(place.error())));
  if (*place) filter = (*place)->filter;
  search::Query query = query_of(filter);
  query.limit = static_cast<std::size_t>(items_max());
  if (*place) query.after = search::Place{(*place)->rank, (*place)->title.uuid};
  search->ask(std::move(query), !cursor, at_least_position, deadline, answer_into(found, std::move(go_on)));
}

std::expected<Question, Problem> SearchPage::ask(const Visit&) const { return ask_titles(found); }

std::expected<Shown, Problem> SearchPage::show(const PageRows& rows, const Visit& visit, Keyring&) const {
  SearchAnswer answer;
  answer.items = show_found(found, rows, filter.q && !filter.q->text.empty());
  if (found.titles.next) answer.next = visit.next(*this, SearchPlace{filter, found.titles.next->rank, TitleId(found.titles.next->id)});
  answer.total = found.titles.total;
  answer.facets = show_facets(found);
  answer.studios = found.studios;
  answer.attribution = attribution_of_found(answer.items);
  return Shown{json::to_string(answer), answer.next};
}

void SuggestPage::prepare(const Visit&, Position at_least_position, std::chrono::steady_clock::time_point deadline,
                          std::move_only_function<void(std::expected<Position, Problem>)> go_on) {
  search::Query query{.text = q.text};
  query.limit = static_cast<std::size_t>(limit.value_or(SuggestLimit{}).value);
  search->ask(std::move(query), true, at_least_position, deadline, answer_into(found, std::move(go_on)));
}

std::expected<Question, Problem> SuggestPage::ask(const Visit&) const { return ask_titles(found); }

std::expected<Shown, Problem> SuggestPage::show(const PageRows& rows, const Visit&, Keyring&) const {
  const std::vector<FoundTitle> titles = show_found(found, rows, true);
  SuggestAnswer answer;
  for (const FoundTitle& title : titles)
    answer.items.push_back({title.id, title.name, title.format, title.season_year, title.thumbnail_url, title.match});
  answer.studios = found.studios;
  answer.attribution = attribution_of_found(titles);
  return Shown{json::to_string(answer)};
}

}  // namespace bloomwatch
