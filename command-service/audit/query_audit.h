// An admin looks into what others did. The look is written down first; its answer is the link to what was asked for.
#pragma once

#include "command-service/audit/admins.h"
#include "command-service/audit/audit_query.h"
#include "command-service/values.h"
#include "events/fields.h"

namespace bloomwatch {

inline constexpr std::size_t audit_reason_length_max = 500;
using AuditReason = Text<audit_reason_length_max, Lines::many>;

/// What to look at; all that is given must hold, and nothing given is everything.
/// Refused, in this order: admins_only, no_time_between.
struct QueryAudit {
  std::optional<ProfileId> person = {};
  std::optional<WatchSpaceId> watch_space = {};
  std::optional<AnimeId> anime = {};
  std::optional<EventTypeNames> types = {};
  std::optional<FieldName> field = {};
  std::optional<Time> from = {};
  std::optional<Time> until = {};
  AuditReason reason;
  Minted<AuditQueryId> query = {};

  static constexpr bool creates = true;
  static constexpr bool admins_only = true;
  Decision<AuditQueried> decide(const Actor& by, const AuditQuery&, By<User> admin) const {
    if (const auto refused = audit::refuse_all_but_admins(admin.state)) return *refused;
    if (from && until && *from >= *until) return refuse(audit::Refusal::no_time_between);
    AuditQueried asked{
        .person = person, .watch_space = watch_space, .anime = anime, .from = from, .until = until, .reason = by.seal(reason.text())};
    if (types) asked.types = types->names;
    if (field) asked.field = field->name;
    return asked;
  }
};
BOOST_DESCRIBE_STRUCT(QueryAudit, (), (person, watch_space, anime, types, field, from, until, reason, query))

}  // namespace bloomwatch
