// The filter of recorded keys, see recorded_keys.h.
#include "command-service/recorded_keys.h"

#include <algorithm>
#include <cstring>
#include <new>
#include <utility>

namespace bloomwatch {

namespace {

/// The bit of a word that a key sets: six bits of its hash times an odd number of that word's own.
std::uint64_t bit_of(std::uint64_t hash, std::size_t word) {
  constexpr std::uint32_t odd[8] = {0x9e3779b1U, 0x85ebca6bU, 0xc2b2ae35U, 0x27d4eb2fU, 0x165667b1U, 0xd1b54a33U, 0xa0761d65U, 0xe7037ed1U};
  return std::uint64_t{1} << (static_cast<std::uint32_t>(static_cast<std::uint32_t>(hash) * odd[word]) >> 26);
}

}  // namespace

RecordedKeys::RecordedKeys(std::size_t keys_max, std::size_t page_keys, std::chrono::hours life)
    : block_count_(std::clamp<std::size_t>(keys_max * bytes_per_key / sizeof(Block), 1, std::size_t{1} << 30)),
      page_keys_(page_keys),
      life_(life) {}

void RecordedKeys::begin() {
  end();
  present_ = empty();
  read_again();
}

void RecordedKeys::end() {
  present_.reset();
  former_.reset();
  present_since_.reset();
  ++fill_;
  whole_ = false;
}

void RecordedKeys::read_again() {
  ++fill_;
  read_until_ = {};
  reading_ = whole_ = false;
}

void RecordedKeys::grow_old(Time now) {
  if (!present_since_) present_since_ = now;
  if (!present_ || now < *present_since_ + life_) return;
  former_ = std::exchange(present_, empty());
  present_since_ = now;
}

void RecordedKeys::add(IdempotencyKey key) {
  if (!present_) return;
  const std::uint64_t hash = mix(key);
  Block& block = present_[block_of(hash)];
  for (std::size_t word = 0; word < 8; ++word) block.words[word] |= bit_of(hash, word);
}

bool RecordedKeys::may_hold(IdempotencyKey key) const {
  if (!whole_) return true;
  const std::uint64_t hash = mix(key);
  return held_by(present_, hash) || (former_ && held_by(former_, hash));
}

std::optional<KeyPage> RecordedKeys::next_page() {
  if (!present_ || whole_ || std::exchange(reading_, true)) return std::nullopt;
  return KeyPage{fill_, read_until_, page_keys_};
}

void RecordedKeys::take(const KeyPage& page, std::span<const IdempotencyKey> keys) {
  if (page.fill != fill_) return;
  for (const IdempotencyKey key : keys) add(key);
  reading_ = false;
  whole_ = keys.size() < page.limit;
  if (!keys.empty()) read_until_ = keys.back();
}

void RecordedKeys::give_up(const KeyPage& page) {
  if (page.fill == fill_) reading_ = false;
}

/// Zeroed by the operating system as it is touched, so that an idle writer holds none of it.
RecordedKeys::Blocks RecordedKeys::empty() const {
  void* memory = std::calloc(block_count_, sizeof(Block));
  if (memory == nullptr) throw std::bad_alloc();
  return Blocks(static_cast<Block*>(memory));
}

/// Keys are hashes already, but for the bits that make them a UUID: all of their bytes into 64 well mixed bits.
std::uint64_t RecordedKeys::mix(IdempotencyKey key) {
  std::uint64_t halves[2];
  static_assert(sizeof halves == sizeof key.uuid.bytes);
  std::memcpy(halves, key.uuid.bytes.data(), sizeof halves);
  std::uint64_t hash = halves[0] * 0x9e3779b97f4a7c15U ^ halves[1];
  for (int i = 0; i < 2; ++i) hash = (hash ^ (hash >> 32)) * 0xd6e8feb86659fd93U;
  return hash ^ (hash >> 32);
}

bool RecordedKeys::held_by(const Blocks& blocks, std::uint64_t hash) const {
  const Block& block = blocks[block_of(hash)];
  for (std::size_t word = 0; word < 8; ++word)
    if ((block.words[word] & bit_of(hash, word)) == 0) return false;
  return true;
}

}  // namespace bloomwatch
