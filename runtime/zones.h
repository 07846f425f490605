// Calendars of time zones: which date it is somewhere, and when a date begins there. The rules are the machine's (/usr/share/zoneinfo),
// read through Howard Hinnant's date library, which <chrono> took over as it is; libstdc++ 12 does not have that part yet. After 2037,
// where the files no longer list changes one by one, the last one stays.
#pragma once

#include <string_view>

#include "runtime/time.h"

namespace bloomwatch {

/// A date on a wall calendar, wherever that hangs.
using Date = std::chrono::local_days;

/// The date that it is at `time` in the zone of that IANA name; in UTC if this machine does not know it. Safe from all threads.
Date date_in(std::string_view zone, Time time);

/// The first moment of a date in a zone: midnight, or what comes in its place where clocks skip it. UTC as above.
Time start_of(std::string_view zone, Date date);

}  // namespace bloomwatch
