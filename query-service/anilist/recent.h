// What was answered lately, kept in memory: bounded in entries and bytes, the longest unused go first. An entry is fresh for a while and is
// kept longer, for when there is nothing newer to be had.
#pragma once

#include <cstddef>
#include <list>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "runtime/time.h"

namespace bloomwatch::anilist {

/// Not safe from several threads. Value is cheap to copy (a shared pointer, a few words).
template <class Value>
class Recent {
 public:
  struct Options {
    std::size_t entries_max = 2000;
    std::size_t bytes_max = 32 << 20;  ///< as told by `put`, keys included
    std::chrono::milliseconds fresh_for{600'000};
    std::chrono::milliseconds kept_for{24 * 3'600'000};
  };
  struct Entry {
    Value value;
    Time at;
    bool fresh;
  };

  explicit Recent(Options options) : options_(options) {}

  /// What is kept under the key; nothing if it is older than `kept_for`.
  std::optional<Entry> find(const std::string& key, Time now) {
    const auto found = index_.find(key);
    if (found == index_.end()) return std::nullopt;
    const auto age = now - found->second->at;
    if (age > options_.kept_for) {
      drop(found->second);
      return std::nullopt;
    }
    kept_.splice(kept_.begin(), kept_, found->second);
    return Entry{found->second->value, found->second->at, age < options_.fresh_for};
  }

  /// In place of what was kept under the key. One that is larger than all may be is not kept.
  void put(const std::string& key, Value value, std::size_t bytes, Time now) {
    if (const auto found = index_.find(key); found != index_.end()) drop(found->second);
    if (bytes + key.size() > options_.bytes_max) return;
    kept_.push_front({key, std::move(value), bytes + key.size(), now});
    index_[key] = kept_.begin();
    bytes_ += kept_.front().bytes;
    while (kept_.size() > options_.entries_max || bytes_ > options_.bytes_max) drop(std::prev(kept_.end()));
  }

  std::size_t size() const { return kept_.size(); }
  std::size_t bytes() const { return bytes_; }

 private:
  struct Kept {
    std::string key;
    Value value;
    std::size_t bytes;
    Time at;
  };
  using Place = std::list<Kept>::iterator;

  void drop(Place place) {
    bytes_ -= place->bytes;
    index_.erase(place->key);
    kept_.erase(place);
  }

  Options options_;
  std::list<Kept> kept_;  // the latest used first
  std::unordered_map<std::string, Place> index_;
  std::size_t bytes_ = 0;
};

}  // namespace bloomwatch::anilist
