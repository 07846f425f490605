// Waiting until what Postgres has committed is on disk (ops/decisions/0011). The writer commits without waiting, so for about a millisecond
// an event can be seen that a crash of Postgres would take away again. Whoever tells the world of it waits for this first.
#pragma once

#include "runtime/postgres.h"

namespace bloomwatch {

/// A transaction of its own that leaves a note of no meaning in Postgres' log. Under `synchronous_commit` on it ends when that log is on
/// disk up to the note; so what was committed before the statement was sent is on disk, too.
inline const pg::Statement flush_commits("SELECT pg_logical_emit_message(true, 'bloomwatch', '')");

}  // namespace bloomwatch
