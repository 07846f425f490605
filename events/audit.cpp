// What became of the shapes of audit's events.
#include "events/audit.h"

#include "runtime/json.h"

namespace bloomwatch {

std::string upcast(const AuditQueried&, std::string data, int) {
  auto asked = json::read<AuditQueried>(data);
  if (!asked) return data;  // its reader says what is wrong
  asked->reason.reset();
  return json::to_string(*asked);
}

std::string_view upcast_sql(const AuditQueried&) { return "CASE WHEN e.schema_version >= 2 THEN e.data ELSE e.data - 'reason' END"; }

}  // namespace bloomwatch
