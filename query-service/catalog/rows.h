// The rows of the read model `catalog` as pages read them: one layout of columns for one title and for lists of them.
#pragma once

#include <string>
#include <string_view>

#include "query-service/page_rows.h"

namespace bloomwatch {

namespace catalog_kind {
inline constexpr std::int16_t title = row_kind::own;
inline constexpr std::int16_t vote = row_kind::own + 1;        ///< number: votes; n1: score in tenths
inline constexpr std::int16_t related = row_kind::own + 2;     ///< of a title: id, text: name, t1, t3, n1
inline constexpr std::int16_t stopped_at = row_kind::own + 3;  ///< of a list: id, number: popularity; the last that was looked at
}  // namespace catalog_kind

/// `id` is the title, `text` its name, `number` its version.
namespace catalog_column {
inline constexpr int t1 = PageRows::own_column;  ///< format
inline constexpr int t2 = t1 + 1;                ///< airing
inline constexpr int t3 = t2 + 1;                ///< season
inline constexpr int t4 = t3 + 1;                ///< picture_url
inline constexpr int t5 = t4 + 1;                ///< thumbnail_url
inline constexpr int t6 = t5 + 1;                ///< synopsis
inline constexpr int t7 = t6 + 1;                ///< content_rating
inline constexpr int n1 = t7 + 1;                ///< season_year
inline constexpr int n2 = n1 + 1;                ///< episodes
inline constexpr int n3 = n2 + 1;                ///< minutes
inline constexpr int n4 = n3 + 1;                ///< score_hundredths
inline constexpr int b1 = n4 + 1;                ///< popularity
inline constexpr int j1 = b1 + 1;                ///< names
inline constexpr int j2 = j1 + 1;                ///< genres
inline constexpr int j3 = j2 + 1;                ///< tags
inline constexpr int j4 = j3 + 1;                ///< studios
inline constexpr int j5 = j4 + 1;                ///< external_ids
inline constexpr int j6 = j5 + 1;                ///< offers
inline constexpr int j7 = j6 + 1;                ///< sources
inline constexpr int j8 = j7 + 1;                ///< starts_on
inline constexpr int j9 = j8 + 1;                ///< ends_on
inline constexpr int at1 = j9 + 1;               ///< added_at
inline constexpr int at2 = at1 + 1;              ///< updated_at
}  // namespace catalog_column

PageSql::Columns catalog_columns();
/// A title `t` of read_catalog.titles; `whole` with what only its own page shows.
PageSql::Values title_values(bool whole);

/// The SQL of the living title that an id leads to: by read_catalog.aliases, also where a title was merged whose references have not come
/// over yet. An id that was once a title's leads to that one or to what it became, whatever a reference makes of it. Null: none. `id` is an
/// expression of type uuid.
std::string living_title(std::string_view id);
/// The SQL of all ids that lead to a living title, for FROM: its column is `alias`.
std::string ids_of_title(std::string_view title);

}  // namespace bloomwatch
