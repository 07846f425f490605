// The pages of the catalogue: one title, lists of them by season, genre, studio, year and format. For whoever is signed in. What comes from
// anime-offline-database is shown with its name and licences (ODbL 1.0, DbCL 1.0).
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "events/title_limits.h"
#include "query-service/catalog/rows.h"
#include "query-service/pages.h"

namespace bloomwatch {

/// What a list of titles can be narrowed by: all that is given holds.
struct TitleFilter {
  std::optional<std::int32_t> year = {};
  std::optional<Season> season = {};
  std::optional<std::string> genre = {};
  std::optional<std::string> studio = {};  ///< its slug
  std::optional<std::string> format = {};

  bool operator==(const TitleFilter&) const = default;
};
BOOST_DESCRIBE_STRUCT(TitleFilter, (), (year, season, genre, studio, format))

/// Titles that one page looks at where no index has all that is asked for. A page that found less goes on where it stopped, also if it
/// found none.
inline constexpr int titles_examined_max = 1000;

/// Where a list of titles goes on: after this one, the most popular first. The filters go with it.
struct TitlePlace {
  TitleFilter filter = {};
  std::int64_t popularity = 0;
  TitleId title;
};
BOOST_DESCRIBE_STRUCT(TitlePlace, (), (filter, popularity, title))

/// GET /api/titles/{title}: by any id that leads to it: its own, the UUIDv5 of a reference, that of a title merged into it. The answer's
/// `id` is the living title's.
struct TitlePage : PageQuery {
  static constexpr std::string_view pattern = "/api/titles/{title}";
  static constexpr http::Access access = http::Access::signed_in;
  static constexpr std::array models = {Model::catalog, Model::analytics};

  TitleId title;

  std::expected<Question, Problem> ask(const Visit& visit) const;
  std::expected<Shown, Problem> show(const PageRows& rows, const Visit& visit, Keyring& keys) const;
};
BOOST_DESCRIBE_STRUCT(TitlePage, (PageQuery), (title))

/// GET /api/titles, the most popular first.
struct TitleListPage : ListQuery {
  static constexpr std::string_view pattern = "/api/titles";
  static constexpr http::Access access = http::Access::signed_in;
  static constexpr std::array models = {Model::catalog};

  std::optional<std::int32_t> year = {};
  std::optional<Season> season = {};
  std::optional<std::string> genre = {};
  std::optional<std::string> studio = {};
  std::optional<std::string> format = {};

  std::expected<Question, Problem> ask(const Visit& visit);
  std::expected<Shown, Problem> show(const PageRows& rows, const Visit& visit, Keyring& keys) const;
};
BOOST_DESCRIBE_STRUCT(TitleListPage, (ListQuery), (year, season, genre, studio, format))

/// GET /api/seasons/{year}/{season}: what was new then.
struct SeasonPage : ListQuery {
  static constexpr std::string_view pattern = "/api/seasons/{year}/{season}";
  static constexpr http::Access access = http::Access::signed_in;
  static constexpr std::array models = {Model::catalog};

  std::int32_t year = 0;
  Season season = Season::winter;

  std::expected<Question, Problem> ask(const Visit& visit);
  std::expected<Shown, Problem> show(const PageRows& rows, const Visit& visit, Keyring& keys) const;
};
BOOST_DESCRIBE_STRUCT(SeasonPage, (ListQuery), (year, season))

/// GET /api/studios/{slug}: what it made or produced.
struct StudioPage : ListQuery {
  static constexpr std::string_view pattern = "/api/studios/{slug}";
  static constexpr http::Access access = http::Access::signed_in;
  static constexpr std::array models = {Model::catalog};

  std::string slug;

  std::expected<Question, Problem> ask(const Visit& visit);
  std::expected<Shown, Problem> show(const PageRows& rows, const Visit& visit, Keyring& keys) const;
};
BOOST_DESCRIBE_STRUCT(StudioPage, (ListQuery), (slug))

}  // namespace bloomwatch
