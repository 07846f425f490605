// Columns and look-ups that the pages of titles share.
#include "query-service/catalog/rows.h"

#include <fmt/format.h>

namespace bloomwatch {
namespace {

/// The title that `alias` leads to, which lives or, if `merged`, does not: the one whose own id it is, else the one that absorbed that,
/// else the one that has the reference. A keyed read of aliases, then one of titles for each.
std::string title_of_alias(std::string_view alias, std::string_view wanted, bool merged) {
  return fmt::format(
      "(SELECT f.{} FROM read_catalog.aliases AS l, LATERAL (SELECT x.title, x.merged_into, x.absorbed FROM read_catalog.titles AS x WHERE"
      " x.title = l.title OFFSET 0) AS f WHERE l.alias = {} AND f.merged_into IS {} ORDER BY f.title = l.alias DESC, f.absorbed ?"
      " l.alias::text DESC LIMIT 1)",
      wanted, alias, merged ? "NOT NULL" : "NULL");
}

}  // namespace

PageSql::Columns catalog_columns() {
  return {{"t1", "text"},  {"t2", "text"},    {"t3", "text"},    {"t4", "text"},         {"t5", "text"},        {"t6", "text"},
          {"t7", "text"},  {"n1", "integer"}, {"n2", "integer"}, {"n3", "integer"},      {"n4", "integer"},     {"b1", "bigint"},
          {"j1", "jsonb"}, {"j2", "jsonb"},   {"j3", "jsonb"},   {"j4", "jsonb"},        {"j5", "jsonb"},       {"j6", "jsonb"},
          {"j7", "jsonb"}, {"j8", "jsonb"},   {"j9", "jsonb"},   {"at1", "timestamptz"}, {"at2", "timestamptz"}};
}

PageSql::Values title_values(bool whole) {
  PageSql::Values values = {{"id", "t.title"},       {"text", "t.name"},    {"number", "t.version"}, {"t1", "t.format"},
                            {"t2", "t.airing"},      {"t3", "t.season"},    {"t4", "t.picture_url"}, {"t5", "t.thumbnail_url"},
                            {"n1", "t.season_year"}, {"n2", "t.episodes"},  {"n3", "t.minutes"},     {"n4", "t.score_hundredths"},
                            {"b1", "t.popularity"},  {"j1", "t.names"},     {"j2", "t.genres"},      {"j4", "t.studios"},
                            {"j7", "t.sources"},     {"at1", "t.added_at"}, {"at2", "t.updated_at"}};
  if (whole)
    values.insert(values.end(), {{"t6", "t.synopsis"},
                                 {"t7", "t.content_rating"},
                                 {"j3", "t.tags"},
                                 {"j5", "t.external_ids"},
                                 {"j6", "t.offers"},
                                 {"j8", "t.starts_on"},
                                 {"j9", "t.ends_on"}});
  return values;
}

std::string living_title(std::string_view id) {
  return fmt::format("COALESCE({}, {})", title_of_alias(id, "title", false),
                     title_of_alias(title_of_alias(id, "merged_into", true), "title", false));
}

std::string ids_of_title(std::string_view title) {
  return fmt::format("(SELECT a.alias FROM read_catalog.aliases AS a WHERE a.title = {0} AND {1} = {0} OFFSET 0)", title,
                     living_title("a.alias"));
}

}  // namespace bloomwatch
