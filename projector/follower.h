// Folds batches of a feed into models and flushes them, each batch in one transaction with the checkpoints that it moves.
// No threads and no waiting: Projector and rebuild drive it, tests too. Every effect is exactly once, also when two followers believe that
// a model is theirs: the one whose checkpoint was moved by another gets StaleCheckpoint and has written nothing.
#pragma once

#include <cstddef>
#include <memory>
#include <set>
#include <span>
#include <stdexcept>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "events/feed.h"
#include "projector/checkpoints.h"
#include "projector/stored_model.h"
#include "runtime/postgres.h"

namespace bloomwatch::projection {

/// Somebody else has moved a checkpoint, or changed rows, since it was read. Nothing was written; open() again.
struct StaleCheckpoint : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// Partition keys that a model does not fold, by the position of the event that failed.
using ParkedKeys = std::unordered_map<PartitionKey, Position>;

/// The settings of a connection that folds: rows and checkpoint are lost together if at all, so commits need not wait for the disk; and
/// rows are looked up by their keys, whatever the planner believes of a table that has just begun to fill.
pg::Options folding_options(std::string database_url);

class Follower {
 public:
  /// Rows that models hold in memory between batches, all together, before they let go of them.
  static constexpr std::size_t held_rows_max = 400'000;

  Follower(std::string database_url, Slot slot, std::vector<std::unique_ptr<StoredModel>> models);
  ~Follower();
  Follower(Follower&&) noexcept;

  /// Connects if needed and reads the checkpoints, parked keys and discards of its models, whose rows in memory are let go. `partitions`
  /// is {whole_log}, or those of the 16 that are this follower's share. Makes checkpoints where there are none; where they are of the
  /// other form, an installation has changed its feed: they change too (projector/checkpoints.h). Empties models that were folded from a
  /// log that has ended (another epoch). Throws pg::Error.
  void open(std::span<const std::int16_t> partitions);

  /// From where the feed must be read: in each partition the least that a model has folded. Without positions: there is nothing to read.
  Cursor cursor() const;
  /// Folds the events that follow `cursor()` and flushes; what a model has folded already it leaves out. A poison event parks its key in
  /// the model that could not fold it. Throws pg::Error (then open() again) and StaleCheckpoint.
  void fold(std::span<const RecordedEvent> events);

  /// How far a model has folded: the least of the partitions that are followed; −1 if it is not followed.
  Position position(std::string_view model) const;
  std::vector<std::string_view> followed() const;
  /// Models whose stored version is less than this program's: a rebuild must make them anew.
  const std::vector<std::string>& outdated() const { return outdated_; }
  const ParkedKeys& parked(std::string_view model) const;
  /// Of the last batch.
  RowCount touched(std::string_view model) const;
  pg::Connection& connection() { return *connection_; }

 private:
  struct Followed;
  struct Decoded;
  struct Poison;

  bool reads_whole_log() const;
  void open_model(Followed& followed);
  void read_exceptions(Followed& followed);
  void begin_epoch(Followed& followed);
  void become_whole(Followed& followed);
  void decode_all(std::span<const RecordedEvent> events);
  void fold_together(std::span<Followed*> models, std::span<const Decoded> events);
  void fold_apart(std::span<Followed*> models, std::span<const Decoded> events);
  void load(std::span<Followed*> models, std::span<const Decoded> events);
  static void log_parked(std::string_view model, const Decoded& event, std::string_view reason);
  void fold_one(Followed& followed, std::span<const Decoded> events, std::vector<Poison>& poisons);
  static bool concerns(const Followed& followed, const Meta& meta);
  void flush(std::span<Followed*> models, std::span<const Decoded> events, const std::vector<Poison>& poisons);
  Cursor end_of(std::span<const Decoded> events) const;
  const Followed* followed_named(std::string_view model) const;

  std::string database_url_;
  Slot slot_;
  std::string epoch_;
  std::vector<std::int16_t> partitions_;
  std::vector<std::unique_ptr<StoredModel>> models_;
  std::unique_ptr<pg::Connection> connection_;
  std::vector<std::unique_ptr<Followed>> followed_;
  std::vector<std::string> outdated_;
  std::vector<Decoded> decoded_;  ///< the present batch; kept for its room, which a rebuild would ask the kernel for again and again
};

}  // namespace bloomwatch::projection
