// Ids derived from what they name.
#include "events/ids.h"

namespace bloomwatch {
namespace {

/// RFC 9562 §6.6: the name space for domain names.
constexpr Uuid dns_name_space{{0x6b, 0xa7, 0xb8, 0x10, 0x9d, 0xad, 0x11, 0xd1, 0x80, 0xb4, 0x00, 0xc0, 0x4f, 0xd4, 0x30, 0xc8}};

const Uuid& bloomwatch_name_space() {
  static const Uuid name_space = Uuid::v5(dns_name_space, "bloomwatch.invalid");
  return name_space;
}

}  // namespace

std::int16_t partition_of(PartitionKey key) {
  std::uint64_t hash = 0xcbf29ce484222325;
  for (const std::uint8_t byte : key.uuid.bytes) hash = (hash ^ byte) * 0x100000001b3;
  const auto folded = static_cast<std::uint32_t>(hash ^ (hash >> 32));
  return static_cast<std::int16_t>(folded % partition_count);
}

TitleId title_of(std::string_view source, std::string_view id) {
  std::string name(source);
  name += ':';
  name += id;
  return TitleId(Uuid::v5(bloomwatch_name_space(), name));
}

std::optional<TitleId> own_title_of(std::string_view source, std::string_view id) {
  const auto own = source == own_source ? Uuid::parse(id) : std::nullopt;
  return own ? std::optional(TitleId(*own)) : std::nullopt;
}

ClaimKey reference_claim(std::string_view source, std::string_view id) {
  return ClaimKey(Uuid::v5(title_of(source, id).uuid, "reference"));
}

ListingId listing_of(std::string_view kind, std::string_view value) {
  std::string name(kind);
  name += ':';
  name += value;
  return ListingId(Uuid::v5(bloomwatch_name_space(), "listing:" + name));
}

ClaimKey title_claim(WatchSpaceId watch_space, TitleId title) { return ClaimKey(Uuid::v5(watch_space.uuid, "title:" + title.to_string())); }

}  // namespace bloomwatch
