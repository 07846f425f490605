// The tables of a read model as its fold sees them: rows in memory, and nothing of databases. Three kinds: Rows are read and changed, Sums
// only added to, Puts only overwritten or removed. On their own they know every row, as in tests, `verify` and `asOf`; under
// the projector they know what was loaded, and remember what changed. Start at Rows.
#pragma once

#include <boost/describe.hpp>
#include <boost/mp11.hpp>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <stdexcept>
#include <tuple>
#include <unordered_map>
#include <utility>
#include <vector>

#include "events/ids.h"
#include "runtime/uuid.h"

namespace bloomwatch::projection {

/// The fold needs a row that is not there: an event came that cannot come. Parks the event's key.
struct MissingRow : std::runtime_error {
  using std::runtime_error::runtime_error;
};
/// The fold touched a row whose key no id of the event announced, so it was not loaded: a bug of the model.
struct UnannouncedRow : std::logic_error {
  using std::logic_error::logic_error;
};
/// Events of two partitions write one row: a bug of the model.
struct ForeignPartition : std::logic_error {
  using std::logic_error::logic_error;
};

// ------------------------------------------------------------------------------------------------------------------------------- keys

/// A row is a described struct whose first members are its key, in the order of `Row::Key`: an id, or a tuple of ids.
template <class Row>
using MembersOf = boost::describe::describe_members<Row, boost::describe::mod_public>;

template <class Key>
struct KeyParts {
  static constexpr std::size_t count = 1;
  template <std::size_t>
  using Part = Key;
  template <std::size_t>
  static const Key& get(const Key& key) {
    return key;  // NOLINT(bugprone-return-const-ref-from-parameter): a view of the caller's key, as std::get is of a tuple
  }
};
template <class... Part_>
struct KeyParts<std::tuple<Part_...>> {
  static constexpr std::size_t count = sizeof...(Part_);
  template <std::size_t I>
  using Part = std::tuple_element_t<I, std::tuple<Part_...>>;
  template <std::size_t I>
  static const Part<I>& get(const std::tuple<Part_...>& key) {
    return std::get<I>(key);
  }
};
template <class Row>
inline constexpr std::size_t key_size = KeyParts<typename Row::Key>::count;

/// The I-th member of a row, as its described pointer.
template <class Row, std::size_t I>
inline constexpr auto member_pointer = boost::mp11::mp_at_c<MembersOf<Row>, I>::pointer;

template <class Row>
typename Row::Key key_of(const Row& row) {
  if constexpr (key_size<Row> == 1)
    return row.*member_pointer<Row, 0>;
  else
    return [&]<std::size_t... I>(std::index_sequence<I...>) {
      return typename Row::Key(row.*member_pointer<Row, I>...);
    }(std::make_index_sequence<key_size<Row>>{});
}

template <class Row>
void set_key(Row& row, const typename Row::Key& key) {
  [&]<std::size_t... I>(std::index_sequence<I...>) {
    ((row.*member_pointer<Row, I> = KeyParts<typename Row::Key>::template get<I>(key)), ...);
  }(std::make_index_sequence<key_size<Row>>{});
}

/// A set of people as a key, or a part of one; a column of bytes.
struct ProfileSet {
  std::vector<ProfileId> profiles;  ///< in order, each once

  auto operator<=>(const ProfileSet&) const = default;
};
BOOST_DESCRIBE_STRUCT(ProfileSet, (), (profiles))

struct KeyHash {
  template <class Tag>
  std::size_t operator()(const Id<Tag>& id) const noexcept {
    return std::hash<Uuid>{}(id.uuid);
  }
  std::size_t operator()(const ProfileSet& set) const noexcept {
    std::size_t hash = 0;
    for (const ProfileId profile : set.profiles) hash = hash * 0x9E3779B97F4A7C15U + (*this)(profile);
    return hash;
  }
  /// A month, a score: parts of keys that are no ids, of tables that are not loaded.
  template <std::integral Number>
  std::size_t operator()(Number number) const noexcept {
    return std::hash<Number>{}(number);
  }
  template <class... Part>
  std::size_t operator()(const std::tuple<Part...>& key) const noexcept {
    std::size_t hash = 0;
    std::apply([&](const auto&... part) { ((hash = hash * 0x9E3779B97F4A7C15U + (*this)(part)), ...); }, key);
    return hash;
  }
};

/// Two profiles as the key of what holds between them: the lower id first.
template <class IdType>
struct Pair {
  IdType low;
  IdType high;
  Pair(const IdType& one, const IdType& other) : low(one < other ? one : other), high(one < other ? other : one) {}
};

// ------------------------------------------------------------------------------------------------------------------------------- Rows

/// Rows that a fold reads and changes. Under the projector those that an event's ids announce are loaded before the fold.
/// References stay good until the batch is flushed. Not for several threads.
template <class Row_>
class Rows {
 public:
  using Row = Row_;
  using Key = typename Row::Key;

  /// The row, to be changed; made (with its key, the rest as default) if there was none.
  Row& operator[](const Key& key) {
    Slot& slot = change(key);
    if (!slot.row) set_key(slot.row.emplace(), key);
    return *slot.row;
  }
  /// The row, to be changed. Throws MissingRow.
  Row& at(const Key& key) {
    Row* row = find(key);
    if (row == nullptr) throw MissingRow("the fold needs a row that is not there");
    return *row;
  }
  /// The row, to be changed; null if there is none.
  Row* find(const Key& key) {
    if (peek(key) == nullptr) return nullptr;
    return &*change(key).row;
  }
  /// The row as it is; null if there is none.
  const Row* peek(const Key& key) const {
    const auto found = slots_.find(key);
    if (found == slots_.end()) {
      if (!whole_) throw UnannouncedRow("the fold looks for a row whose key the event does not announce");
      return nullptr;
    }
    return found->second.row ? &*found->second.row : nullptr;
  }
  void erase(const Key& key) {
    if (peek(key) != nullptr) change(key).row.reset();
  }

  /// Every row that is known, in no order.
  template <class Visitor>
  void each(Visitor&& visit) const {
    for (const auto& [key, slot] : slots_)
      if (slot.row) visit(*slot.row, slot.partition);
  }

  // What follows is the chassis's.

  struct Slot {
    std::optional<Row> row = {};
    std::int16_t partition = -1;  ///< −1: not yet known
    bool stored = false;          ///< the database has it
    bool changed = false;
  };

  void fold_for(std::int16_t partition) { partition_ = partition; }
  /// From now on only what is loaded is known.
  void know_only_loaded() { whole_ = false; }
  /// Notes that the key will be asked for.
  void want(const Key& key) {
    if (slots_.try_emplace(key).second) wanted_.push_back(key);
  }
  const std::vector<Key>& wanted() const { return wanted_; }
  void take_loaded(Row row, std::int16_t partition) {
    Slot& slot = slots_[key_of(row)];
    slot.row = std::move(row);
    slot.partition = partition;
    slot.stored = true;
  }
  void loaded() { wanted_.clear(); }
  /// What has changed since the last flush, each key once.
  const std::vector<std::pair<const Key, Slot>*>& changed() const { return changed_; }
  void flushed() {
    for (auto* entry : changed_) {
      entry->second.changed = false;
      entry->second.stored = entry->second.row.has_value();
    }
    changed_.clear();
  }
  /// Lets go of everything, and of what was not flushed with it.
  void forget() {
    slots_.clear();
    wanted_.clear();
    changed_.clear();
  }
  std::size_t held() const { return slots_.size(); }

 private:
  Slot& change(const Key& key) {
    auto found = slots_.find(key);
    if (found == slots_.end()) {
      if (!whole_) throw UnannouncedRow("the fold changes a row whose key the event does not announce");
      found = slots_.try_emplace(key).first;
    }
    Slot& slot = found->second;
    if (!slot.row && !slot.stored) slot.partition = partition_;
    if (slot.partition != partition_) throw ForeignPartition("a row is written from two partitions");
    if (!slot.changed) {
      slot.changed = true;
      changed_.push_back(&*found);
    }
    return slot;
  }

  std::unordered_map<Key, Slot, KeyHash> slots_;
  std::vector<Key> wanted_;
  std::vector<std::pair<const Key, Slot>*> changed_;
  std::int16_t partition_ = 0;
  bool whole_ = true;
};

// ------------------------------------------------------------------------------------------------------------------------------- Sums

/// Rows that are only ever added to: every member beside the key is a number. Never loaded; flushed as `x = x + delta`.
template <class Row_>
class Sums {
 public:
  using Row = Row_;
  using Key = typename Row::Key;

  /// What is to be added; on its own, the sum.
  Row& operator[](const Key& key) {
    const auto [found, fresh] = deltas_.try_emplace(key);
    if (fresh) {
      set_key(found->second.row, key);
      found->second.partition = partition_;
    }
    if (found->second.partition != partition_) throw ForeignPartition("a sum is written from two partitions");
    return found->second.row;
  }
  /// Null if nothing was added.
  const Row* peek(const Key& key) const {
    const auto found = deltas_.find(key);
    return found == deltas_.end() ? nullptr : &found->second.row;
  }
  template <class Visitor>
  void each(Visitor&& visit) const {
    for (const auto& [key, delta] : deltas_) visit(delta.row, delta.partition);
  }

  // What follows is the chassis's.

  struct Delta {
    Row row = {};
    std::int16_t partition = 0;
  };
  void fold_for(std::int16_t partition) { partition_ = partition; }
  void know_only_loaded() {}
  const std::unordered_map<Key, Delta, KeyHash>& deltas() const { return deltas_; }
  void flushed() { deltas_.clear(); }
  void forget() { deltas_.clear(); }
  std::size_t held() const { return deltas_.size(); }

 private:
  std::unordered_map<Key, Delta, KeyHash> deltas_;
  std::int16_t partition_ = 0;
};

// ------------------------------------------------------------------------------------------------------------------------------- Puts

/// Rows that are only ever overwritten or removed, never read by the fold. Never loaded.
template <class Row_>
class Puts {
 public:
  using Row = Row_;
  using Key = typename Row::Key;

  void put(Row row) {
    Change& change = change_of(key_of(row));
    change.row = std::move(row);
  }
  void remove(const Key& key) {
    if (whole_)
      changes_.erase(key);
    else
      change_of(key).row.reset();
  }
  /// Null if there is none that is known.
  const Row* peek(const Key& key) const {
    const auto found = changes_.find(key);
    return found == changes_.end() || !found->second.row ? nullptr : &*found->second.row;
  }
  template <class Visitor>
  void each(Visitor&& visit) const {
    for (const auto& [key, change] : changes_)
      if (change.row) visit(*change.row, change.partition);
  }

  // What follows is the chassis's.

  struct Change {
    std::optional<Row> row = {};  ///< none: removed
    std::int16_t partition = 0;
  };
  void fold_for(std::int16_t partition) { partition_ = partition; }
  void know_only_loaded() { whole_ = false; }
  const std::unordered_map<Key, Change, KeyHash>& changes() const { return changes_; }
  void flushed() { changes_.clear(); }
  void forget() { changes_.clear(); }
  std::size_t held() const { return changes_.size(); }

 private:
  Change& change_of(const Key& key) {
    const auto [found, fresh] = changes_.try_emplace(key);
    if (fresh) found->second.partition = partition_;
    if (found->second.partition != partition_) throw ForeignPartition("a row is put from two partitions");
    return found->second;
  }

  std::unordered_map<Key, Change, KeyHash> changes_;
  std::int16_t partition_ = 0;
  bool whole_ = true;
};

template <class T>
inline constexpr bool is_rows = false;
template <class Row>
inline constexpr bool is_rows<Rows<Row>> = true;
template <class T>
inline constexpr bool is_sums = false;
template <class Row>
inline constexpr bool is_sums<Sums<Row>> = true;
template <class T>
inline constexpr bool is_puts = false;
template <class Row>
inline constexpr bool is_puts<Puts<Row>> = true;

}  // namespace bloomwatch::projection
