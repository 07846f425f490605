// Which Idempotency-Keys may be recorded in the log, so that a fresh one costs no look: a Bloom filter over the last day, two generations
// of it. It only spares work: a wrong "maybe" costs a load, and a wrong "no" fails the batch by the unique index, after which it is a
// "maybe", since a key is added before its batch is sent. No clock, no I/O: its pages come in from the machine's caller.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <optional>
#include <span>

#include "events/batch.h"

namespace bloomwatch {

/// A page of the recorded keys to be read, in their order, after this one.
struct KeyPage {
  std::uint64_t fill = 0;  ///< pages of an earlier fill are thrown away
  IdempotencyKey after = {};
  std::size_t limit = 0;
};

/// A set of keys that forgets none for `life`, and may take others for its own: one in a thousand with `keys_max` keys in a generation,
/// more and more beyond that. Says "maybe" of every key until it has seen all pages of what was recorded before.
class RecordedKeys {
 public:
  static constexpr std::size_t bytes_per_key = 2;

  /// Takes no memory before `begin`; then `bytes_per_key` × `keys_max` a generation, touched as keys come.
  RecordedKeys(std::size_t keys_max, std::size_t page_keys, std::chrono::hours life);

  /// Begins empty, with everything recorded so far to be read.
  void begin();
  /// Forgets everything and gives the memory back.
  void end();
  /// Somebody else may have recorded keys: all pages are to be read once more. What is known stays.
  void read_again();
  /// Begins a new generation when the present one is as old as `life`; what is older than two is forgotten.
  void grow_old(Time now);

  void add(IdempotencyKey key);
  /// False: the key is not recorded, as far as this process can know.
  bool may_hold(IdempotencyKey key) const;

  /// The page to be read next; nothing while one is being read, or when all are.
  std::optional<KeyPage> next_page();
  /// The keys of a page, in order; fewer than its limit: it was the last.
  void take(const KeyPage& page, std::span<const IdempotencyKey> keys);
  /// The page cannot be had now; it is asked for again.
  void give_up(const KeyPage& page);
  /// Whether all pages were read.
  bool whole() const { return whole_; }

 private:
  struct Free {
    void operator()(void* memory) const { std::free(memory); }
  };
  /// Eight words side by side, as long as a line of the processor's cache; a key sets one bit in each word of one block.
  struct Block {
    std::uint64_t words[8];
  };
  using Blocks = std::unique_ptr<Block[], Free>;

  Blocks empty() const;
  static std::uint64_t mix(IdempotencyKey key);
  std::size_t block_of(std::uint64_t hash) const { return static_cast<std::size_t>((hash >> 32) * block_count_ >> 32); }
  bool held_by(const Blocks& blocks, std::uint64_t hash) const;

  const std::size_t block_count_;
  const std::size_t page_keys_;
  const std::chrono::hours life_;
  Blocks present_, former_;
  std::optional<Time> present_since_;
  std::uint64_t fill_ = 0;
  IdempotencyKey read_until_ = {};
  bool reading_ = false;
  bool whole_ = false;
};

}  // namespace bloomwatch
