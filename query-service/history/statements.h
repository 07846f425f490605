// The statements of history. Each walks one or two indexes by position, newest first, from a cursor down; what was there before a change,
// what it takes back and who is named come by keyed reads for each row shown. So no page costs more as the log grows.
#pragma once

#include "runtime/postgres.h"

namespace bloomwatch {

/// What is walked. `$1` is the space whose members may look, or the account that asks.
enum class HistoryWalk {
  space,       ///< `$4` the space again; for members
  anime,       ///< `$4` an anime of that space; for members
  own,         ///< `$4` a profile: what they did and what is about them; names of spaces only where they are members
  any_space,   ///< `$4` a space; from here on for admins
  any_anime,   ///< `$4` an anime
  any_person,  ///< `$4` a profile, as for `own`, with every name
  everything,  ///< `$4` is not looked at
};

/// A walk with filters looks at so many changes for one page; a page that found less goes on where it stopped.
inline constexpr int changes_examined_max = 2000;
/// Undos that one page looks at, and undos of undos, to say what is undone: what more there is of them counts as standing.
inline constexpr int undos_examined_max = 2000;

/// `$2` how many, `$3` the position before which it begins. With filters: `$5` types (text[]; empty: any), `$6` person, `$7` since, `$8`
/// until (not included), `$9` a space; null: any.
const pg::Statement& history_statement(HistoryWalk walk, bool filtered);

/// An admin's look: `$1` the account that asks, `$2` the query.
const pg::Statement& audit_query_statement();

}  // namespace bloomwatch
