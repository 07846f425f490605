// JSON of described structs (Boost.Describe): one description gives what is read from a client, written to it and kept in the log.
// A member `watch_space` is `"watchSpace"` on the wire. Start at read(), write() and read_command(); what a type may be made of is said in
// json_types.h.
#pragma once

#include "runtime/json_read.h"   // IWYU pragma: export
#include "runtime/json_write.h"  // IWYU pragma: export
