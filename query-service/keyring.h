// The keys that open what is personal on one page. They come with the page's own rows, wrapped, so that a key that is gone opens nothing
// from then on; only the unwrapping is remembered, by the wrapped bytes.
#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "events/personal.h"
#include "query-service/page_rows.h"
#include "runtime/crypto.h"

namespace bloomwatch {

/// Unwraps data keys and remembers the last `entries_max` or so. Safe from all threads.
class KeyCache {
 public:
  static constexpr std::size_t entries_max = 1 << 16;

  explicit KeyCache(const MasterKeys& keys) : keys_(keys) {}

  /// Null if `wrapped` is no key of this account under our master key.
  std::shared_ptr<const DataKey> unwrap(UserId account, std::string_view wrapped);
  /// For secrets that the master key itself seals (an invitee's address).
  const MasterKeys& master() const { return keys_; }

 private:
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const noexcept { return std::hash<std::string_view>{}(text); }
  };
  using Entries = std::unordered_map<std::string, std::shared_ptr<const DataKey>, Hash, std::equal_to<>>;

  const MasterKeys keys_;
  std::mutex mutex_;
  Entries young_;  // two generations: what is used moves to the young one, the old one is dropped when the young one is full
  Entries old_;
};

/// The keys of one page.
class Keyring {
 public:
  explicit Keyring(KeyCache& cache) : cache_(cache) {}

  /// Takes what a page's rows of row_kind::key bring.
  void take(const PageRows& rows);
  /// Takes a wrapped key that the page's statement read.
  void add(UserId account, std::string_view wrapped);
  /// Whether a box stayed closed: its key is gone, or was not read.
  bool missed() const { return missed_; }

  /// The text of a box; nothing if the key of its person is gone (or was not read).
  std::optional<std::string> open(std::string_view box) const;
  std::optional<std::string> open(const std::optional<std::string_view>& box) const { return box ? open(*box) : std::nullopt; }
  const MasterKeys& master() const { return cache_.master(); }

 private:
  const DataKey* key_of(UserId account) const;

  KeyCache& cache_;
  std::vector<std::pair<UserId, std::shared_ptr<const DataKey>>> keys_;
  mutable bool missed_ = false;
};

}  // namespace bloomwatch
