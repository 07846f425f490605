// For each way of finding: first a sieve over rows of bits that lets few through, without a branch; then the texts themselves.
#include "query-service/search/texts.h"

#include <algorithm>
#include <array>

#include "query-service/search/edit_distance.h"

namespace bloomwatch::search {
namespace {

constexpr std::size_t head_bytes = 8;

std::uint64_t head_of(std::string_view text) {
  std::uint64_t head = 0;
  for (std::size_t i = 0; i < head_bytes; ++i) head = head << 8 | (i < text.size() ? static_cast<unsigned char>(text[i]) : 0U);
  return head;
}

/// `bits` without its lowest `count` ones: nothing is left of those that have no more.
template <int count>
constexpr std::uint64_t without_lowest(std::uint64_t bits) {
  for (int i = 0; i < count; ++i) bits &= bits - 1;
  return bits;
}

/// Appends the ids of which `might(bits)` is true.
template <class Might>
void sift(const auto& row, std::vector<TextId>& maybe, const Might& might) {
  const std::size_t count = row.ids.size(), before = maybe.size();
  maybe.resize(before + count);
  std::size_t kept = before;
  for (std::size_t i = 0; i < count; ++i) {
    maybe[kept] = row.ids[i];
    kept += might(row.bits[i]) ? 1U : 0U;
  }
  maybe.resize(kept);
}

/// One edit changes two bits of a signature at most.
void sift_similar(const auto& row, std::vector<TextId>& maybe, std::uint64_t signature, int edits) {
  if (edits == 0) return sift(row, maybe, [signature](std::uint64_t bits) { return bits == signature; });
  if (edits == 1) return sift(row, maybe, [signature](std::uint64_t bits) { return without_lowest<2>(bits ^ signature) == 0; });
  sift(row, maybe, [signature](std::uint64_t bits) { return without_lowest<4>(bits ^ signature) == 0; });
}

/// What has something like a text in it lacks none of its letters but those that were mistyped.
void sift_parts(const auto& row, std::vector<TextId>& maybe, std::uint64_t signature, int edits) {
  if (edits == 0) return sift(row, maybe, [signature](std::uint64_t bits) { return (signature & ~bits) == 0; });
  if (edits == 1) return sift(row, maybe, [signature](std::uint64_t bits) { return without_lowest<1>(signature & ~bits) == 0; });
  sift(row, maybe, [signature](std::uint64_t bits) { return without_lowest<2>(signature & ~bits) == 0; });
}

}  // namespace

TextId Texts::add(std::string_view text) {
  text = text.substr(0, bytes_max);
  const auto id = static_cast<TextId>(size());
  bytes_ += text;
  begins_.push_back(static_cast<std::uint32_t>(bytes_.size()));
  Row& by_length = by_length_[std::min(text.size(), lengths - 1)];
  by_length.bits.push_back(letter_signature(text));
  by_length.ids.push_back(id);
  if (text.empty()) return id;
  Row& by_first_byte = by_first_byte_[static_cast<unsigned char>(text[0])];
  by_first_byte.bits.push_back(head_of(text));
  by_first_byte.ids.push_back(id);
  return id;
}

std::size_t Texts::memory() const {
  std::size_t bytes = bytes_.capacity() + begins_.capacity() * sizeof(std::uint32_t);
  const auto add_row = [&bytes](const Row& row) { bytes += row.bits.capacity() * 8 + row.ids.capacity() * sizeof(TextId); };
  std::ranges::for_each(by_first_byte_, add_row);
  std::ranges::for_each(by_length_, add_row);
  return bytes;
}

void Texts::find(const Wanted& wanted, std::vector<TextId>& maybe, std::vector<Near>& found) const {
  if (wanted.prefix) find_beginnings(wanted, maybe, found);
  const bool measurable = wanted.text.size() <= EditPattern::bytes_max;
  if (wanted.distance_max >= 0 && measurable) find_similar(wanted, maybe, found);
  if (wanted.infix || (wanted.prefix_distance_max >= 0 && measurable)) find_parts(wanted, maybe, found);
}

void Texts::find_beginnings(const Wanted& wanted, std::vector<TextId>& maybe, std::vector<Near>& found) const {
  const std::uint64_t head = head_of(wanted.text);
  const std::uint64_t mask = ~std::uint64_t{0} << 8 * (head_bytes - std::min(head_bytes, wanted.text.size()));
  maybe.clear();
  sift(by_first_byte_[static_cast<unsigned char>(wanted.text[0])], maybe, [=](std::uint64_t bits) { return ((bits ^ head) & mask) == 0; });
  for (const TextId id : maybe)
    if ((*this)[id].starts_with(wanted.text)) found.push_back({id, Near::How::begins, 0});
}

void Texts::find_similar(const Wanted& wanted, std::vector<TextId>& maybe, std::vector<Near>& found) const {
  const auto most = static_cast<std::size_t>(wanted.distance_max);
  const std::uint64_t signature = letter_signature(wanted.text);
  maybe.clear();
  for (std::size_t length = wanted.text.size() - std::min(most, wanted.text.size() - 1); length <= wanted.text.size() + most; ++length)
    sift_similar(by_length_[std::min(length, lengths - 1)], maybe, signature, wanted.distance_max);
  const EditPattern pattern(wanted.text);
  for (const TextId id : maybe) {
    const std::string_view text = (*this)[id];
    if (wanted.prefix && text.starts_with(wanted.text)) continue;
    if (const int distance = pattern.to(text).whole; distance <= wanted.distance_max) found.push_back({id, Near::How::differs, distance});
  }
}

void Texts::find_parts(const Wanted& wanted, std::vector<TextId>& maybe, std::vector<Near>& found) const {
  const bool measurable = wanted.text.size() <= EditPattern::bytes_max;
  const int lack = measurable ? std::max(wanted.prefix_distance_max, 0) : 0;
  maybe.clear();
  for (std::size_t length = wanted.text.size() - std::min<std::size_t>(static_cast<std::size_t>(lack), wanted.text.size() - 1);
       length < lengths; ++length)
    sift_parts(by_length_[length], maybe, letter_signature(wanted.text), lack);
  const EditPattern pattern(wanted.text.substr(0, EditPattern::bytes_max));
  for (const TextId id : maybe) {
    const std::string_view text = (*this)[id];
    if (wanted.prefix && text.starts_with(wanted.text)) continue;
    if (measurable) {
      const EditPattern::Distance distance = pattern.to(text);
      if (distance.whole <= wanted.distance_max) continue;
      if (distance.prefix <= wanted.prefix_distance_max) {
        found.push_back({id, Near::How::begins_and_differs, distance.prefix});
        continue;
      }
    }
    if (wanted.infix && text.find(wanted.text) != std::string_view::npos) found.push_back({id, Near::How::holds, 0});
  }
}

}  // namespace bloomwatch::search
