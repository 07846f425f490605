// Search over the catalogue: GET /api/search with facets and filters, GET /api/search/suggest while somebody types. The index says which
// titles and in which order; what is shown of them comes from their rows, by one statement, like every page. For whoever is signed in.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "events/title_limits.h"
#include "query-service/catalog/pages.h"
#include "query-service/pages.h"
#include "query-service/search/catalog_search.h"

namespace bloomwatch {

/// What is searched for, as it was typed.
struct SearchText {
  static constexpr std::size_t characters_max = 200;
  std::string text;

  using Wire = std::string;
  static std::expected<SearchText, std::string> from(Wire wire);
  const Wire& wire() const { return text; }
  bool operator==(const SearchText&) const = default;
};

/// A score of ten.
struct ScoreLeast {
  double value = 0;

  using Wire = double;
  static std::expected<ScoreLeast, std::string> from(Wire wire) {
    if (!(wire >= 0 && wire <= 10)) return std::unexpected("must be a number from 0 to 10");
    return ScoreLeast{wire};
  }
  Wire wire() const { return value; }
  bool operator==(const ScoreLeast&) const = default;
};

/// What a search is narrowed by and sorted by. Several values of one name: any of them will do.
struct SearchFilter {
  std::optional<SearchText> q = {};
  std::vector<std::string> format = {};  ///< in upper case
  std::vector<Season> season = {};
  std::vector<std::int32_t> year = {};
  std::vector<std::string> genre = {};      ///< in lower case
  std::vector<std::string> studio = {};     ///< slugs
  std::vector<std::string> streaming = {};  ///< providers
  std::optional<ScoreLeast> min_score = {};
  std::optional<search::Sort> sort = {};

  bool operator==(const SearchFilter&) const = default;
};
BOOST_DESCRIBE_STRUCT(SearchFilter, (), (q, format, season, year, genre, studio, streaming, min_score, sort))

/// Where a search goes on. The filters go with it.
struct SearchPlace {
  SearchFilter filter = {};
  std::int64_t rank = 0;
  TitleId title;
};
BOOST_DESCRIBE_STRUCT(SearchPlace, (), (filter, rank, title))

/// GET /api/search: titles by name, or all that pass the filters; the best first.
struct SearchPage : ListQuery {
  static constexpr std::string_view pattern = "/api/search";
  static constexpr http::Access access = http::Access::signed_in;
  static constexpr std::array models = {Model::catalog};

  std::optional<SearchText> q = {};
  std::vector<std::string> format = {};
  std::vector<Season> season = {};
  std::vector<std::int32_t> year = {};
  std::vector<std::string> genre = {};
  std::vector<std::string> studio = {};
  std::vector<std::string> streaming = {};
  std::optional<ScoreLeast> min_score = {};
  std::optional<search::Sort> sort = {};

  search::CatalogSearch* search = nullptr;
  search::CatalogFound found = {};
  SearchFilter filter = {};

  void prepare(const Visit& visit, Position at_least, std::chrono::steady_clock::time_point deadline,
               std::move_only_function<void(std::expected<Position, Problem>)> go_on);
  std::expected<Question, Problem> ask(const Visit& visit) const;
  std::expected<Shown, Problem> show(const PageRows& rows, const Visit& visit, Keyring& keys) const;
};
BOOST_DESCRIBE_STRUCT(SearchPage, (ListQuery), (q, format, season, year, genre, studio, streaming, min_score, sort))

/// Suggestions.
using SuggestLimit = Limit<20, 8>;

/// GET /api/search/suggest: what somebody may be about to type. The last word may be unfinished, as in every search.
struct SuggestPage : PageQuery {
  static constexpr std::string_view pattern = "/api/search/suggest";
  static constexpr http::Access access = http::Access::signed_in;
  static constexpr std::array models = {Model::catalog};

  SearchText q;
  std::optional<SuggestLimit> limit = {};

  search::CatalogSearch* search = nullptr;
  search::CatalogFound found = {};

  void prepare(const Visit& visit, Position at_least, std::chrono::steady_clock::time_point deadline,
               std::move_only_function<void(std::expected<Position, Problem>)> go_on);
  std::expected<Question, Problem> ask(const Visit& visit) const;
  std::expected<Shown, Problem> show(const PageRows& rows, const Visit& visit, Keyring& keys) const;
};
BOOST_DESCRIBE_STRUCT(SuggestPage, (PageQuery), (q, limit))

}  // namespace bloomwatch
