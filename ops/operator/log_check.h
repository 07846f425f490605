// What `bloomwatch verify` checks of the log itself and of the claims: positions and versions without a gap or a repeat, and log.claims as
// the fold of the log. Feed it every event in order; ask it for each page of the table. Pure: no I/O, so that its own tests can break a
// log.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "events/batch.h"
#include "ops/operator/breaches.h"

namespace bloomwatch::ops {

/// Collects what is wrong with the log. Holds about 100 bytes a stream, 16 a command and 100 a claim.
class LogCheck {
 public:
  /// The next event of the log, in order of position, from 1.
  void take(const RecordedEvent& event);

  /// One page of log.claims, sorted by key, with all rows after `after` up to and including the last of `rows` (or to the end of the table,
  /// if `last_page`), as it was when the last event taken was the last of the log.
  void compare_claims(std::optional<ClaimKey> after, const std::vector<ClaimChange>& rows, bool last_page);

  Position position() const { return last_.position; }
  std::size_t streams() const { return streams_.size(); }
  std::size_t commands() const { return commands_.size(); }
  std::size_t claims() const { return claims_.size(); }
  const Breaches& found() const { return found_; }
  const std::vector<std::string>& shown() const { return found_.shown; }

 private:
  struct Stream {
    Version version = 0;
    PartitionKey partition_key;
  };

  void take_claims(const RecordedEvent& event);

  LogPoint last_;
  CommandId last_command_;
  std::unordered_map<StreamName, Stream> streams_;
  std::unordered_set<Uuid> commands_;
  std::map<ClaimKey, ClaimHolder> claims_;
  Breaches found_;
};

}  // namespace bloomwatch::ops
