// The names of things: one strong id type for each kind that events, commands and rows speak of.
// The chassis routes by these types (which stream, which row, which path parameter), so nobody writes that down twice.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "runtime/uuid.h"

namespace bloomwatch {

using UserId = Id<struct UserTag>;                  ///< an account: who signs in
using ProfileId = Id<struct ProfileTag>;            ///< a person who watches and rates; an account's first profile has the account's UUID
using SessionId = Id<struct SessionTag>;            ///< a log-in session of an account
using PasswordId = Id<struct PasswordTag>;          ///< a row of secrets.passwords; valid once an event names it
using WatchSpaceId = Id<struct WatchSpaceTag>;      ///< a watch space, and the partition key of all that happens in it
using InvitationId = Id<struct InvitationTag>;      ///< an invitation, and its row of secrets.invitation_addresses
using AnimeId = Id<struct AnimeTag>;                ///< one title as tracked in one space
using WatchSessionId = Id<struct WatchSessionTag>;  ///< one evening of watching one anime together
using TitleId = Id<struct TitleTag>;                ///< the only canonical id of a title, see title_of()
using ListingId = Id<struct ListingTag>;            ///< a list of titles that share something, see listing_of()
using RecapShareId = Id<struct RecapShareTag>;      ///< a link to somebody's recap
using AuditQueryId = Id<struct AuditQueryTag>;      ///< one look of an admin into an audit
using ImportId = Id<struct ImportTag>;              ///< an import, as the origin reference of its events

using EventId = Id<struct EventTag>;
using CommandId = Id<struct CommandTag>;
using CorrelationId = Id<struct CorrelationTag>;
using PartitionKey = Id<struct PartitionKeyTag>;  ///< whose events stay in order for consumers: watch space, else account, else title
using ClaimKey = Id<struct ClaimTag>;             ///< a unique key held by a stream: a keyed hash where it is personal, a UUIDv5 else

/// A place in the log: 1, 2, 3 … with no gaps; 0 is the genesis row and stands for "before everything".
using Position = std::int64_t;
/// A place in a stream: 1, 2, 3 … with no gaps; 0 is a stream that does not exist yet.
using Version = std::int64_t;

/// How many partitions the log has for consumers, for ever: Kafka's topic and its checkpoints are cut by it.
inline constexpr std::int16_t partition_count = 16;

/// The partition of a key: FNV-1a (64 bit) of its 16 bytes, folded to 32, modulo 16. Fixed for ever.
std::int16_t partition_of(PartitionKey key);

/// The canonical id of a title that an outside source names: the UUIDv5 of `<source>:<id>` in our name space.
TitleId title_of(std::string_view source, std::string_view id);

/// The source of a reference that is a title's own id.
inline constexpr std::string_view own_source = "bloomwatch";
/// The title whose own id the reference is, be there one or not; nothing: it is no such reference.
std::optional<TitleId> own_title_of(std::string_view source, std::string_view id);

/// The claim "this reference means that title": held by the title's stream.
ClaimKey reference_claim(std::string_view source, std::string_view id);

/// The titles of a genre, a studio: `genre`, `slice of life`.
ListingId listing_of(std::string_view kind, std::string_view value);

/// The claim "this title is tracked in this space".
ClaimKey title_claim(WatchSpaceId watch_space, TitleId title);

}  // namespace bloomwatch
