// Parked keys: what a model could not fold, for people to look at. They list, retry (after a fix) or discard (leave the event out of the
// model for good; a rebuild leaves it out again). The rest of the model goes on meanwhile.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "events/ids.h"
#include "runtime/postgres.h"
#include "runtime/time.h"

namespace bloomwatch::projection {

/// One partition key that a model does not fold from a position on.
struct ParkedKey {
  std::string model;
  PartitionKey key;
  Position position = 0;  ///< of the event that could not be folded
  std::string event_type;
  std::string reason;
  Time parked_at = {};
};

/// All parked keys of live models, oldest first.
std::vector<ParkedKey> parked_keys(pg::Connection& connection);

/// How a retry ended: the key follows on, or is parked again.
struct RetryOutcome {
  Position events = 0;                   ///< how many were folded
  std::optional<ParkedKey> parked = {};  ///< where it is stuck now
};

/// Folds what a parked key has missed, up to the model's checkpoint, in one transaction under the checkpoint's lock. Throws
/// std::runtime_error if that key is not parked in that model, or folds of another version made the model's rows; pg::Error.
RetryOutcome retry_parked(const std::string& database_url, std::string_view model, PartitionKey key);

/// Forgets the discards of events that the log does not have, as after a restore from a backup: others will come in their positions. To be
/// done before anything is appended.
void forget_lost_discards(pg::Connection& connection);

/// Notes that the event on which the key is stuck is left out of the model, then retries.
RetryOutcome discard_parked(const std::string& database_url, std::string_view model, PartitionKey key, std::string_view reason);

}  // namespace bloomwatch::projection
