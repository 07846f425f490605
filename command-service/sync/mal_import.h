// A MyAnimeList export becomes tracked anime: one ordinary command a row, a bounded number of them in flight. The import has no events of
// its own; its id is the reference in the origin of theirs. A bad row stops nothing, and importing twice appends nothing.
#pragma once

#include <cstddef>
#include <expected>
#include <string>

#include "command-service/edge.h"
#include "command-service/sync/mal_export.h"
#include "command-service/tracking/import_anime.h"
#include "runtime/work_pool.h"

namespace bloomwatch::mal {

inline constexpr std::size_t import_bytes_max = std::size_t{32} << 20;  ///< of a request's body
inline constexpr std::size_t rows_in_flight_max = 64;
/// Of what a report says of its rows, some 25,000 of a usual list; of those beyond it only the outcome is told, and which anime they are.
inline constexpr std::size_t report_bytes_max = std::size_t{8} << 20;
/// Of one account: each may take a thread for seconds, whatever its file holds.
inline constexpr double imports_max = 20;
inline constexpr double imports_per_second = 1.0 / 60;
/// Of one account: each row is a command, and who sends them faster than read models are folded lets everybody's pages wait.
inline constexpr double imported_rows_max = 60'000;
inline constexpr double imported_rows_per_second = 50;
static_assert(imported_rows_max >= rows_max, "else the largest list would never come in");

/// One row as a command, or why it cannot be one. `remarks` grows by what was not believed or had to be cut.
std::expected<ImportAnime, std::string> command_from(const Row& row, std::string& remarks);

/// The handler of POST /api/watch-spaces/{watchSpace}/imports/mal. All references outlive it.
http::Handler import_list(const Edge& edge, WorkPool& pool);

}  // namespace bloomwatch::mal
