// Cursors: `base64url(hash (8 bytes) | epoch (8) | JSON)`; the hash is over list, epoch and JSON.
#include "query-service/cursor.h"

namespace bloomwatch {
namespace {

constexpr std::size_t hash_bytes = 8;
constexpr std::size_t epoch_bytes = 8;
/// A purpose of SecretKey::derive that means this for ever.
constexpr std::uint64_t cursor_purpose = 0x637572736f72;  // "cursor"

}  // namespace

Cursors::Cursors(const MasterKeys& keys) : key_(keys.one_time.derive(cursor_purpose)) {}

std::string Cursors::seal(std::string_view epoch, std::string_view list, std::string_view text) const {
  const auto hash = keyed_hash(key_, {list, epoch, text});
  std::string bytes(as_text(hash).substr(0, hash_bytes));
  bytes += epoch;
  bytes += text;
  return base64_url(bytes);
}

std::expected<std::string, Problem> Cursors::unseal(std::string_view cursor, std::string_view epoch, std::string_view list) const {
  const auto bytes = parse_base64_url(cursor);
  if (!bytes || bytes->size() < hash_bytes + epoch_bytes) return std::unexpected(unknown());
  const std::string_view all = *bytes;
  const std::string_view its_epoch = all.substr(hash_bytes, epoch_bytes);
  const std::string_view text = all.substr(hash_bytes + epoch_bytes);
  const auto hash = keyed_hash(key_, {list, its_epoch, text});
  if (!equal_secrets(as_text(hash).substr(0, hash_bytes), all.substr(0, hash_bytes))) return std::unexpected(unknown());
  if (its_epoch != epoch) return std::unexpected(epoch_ended());
  return std::string(text);
}

Problem Cursors::unknown() {
  return problems::validation({{"/cursor", "must be the cursor of a `next` link of this same list", json::In::query}});
}

Problem epoch_ended() {
  Problem problem =
      problems::gone("The position or cursor is of an epoch that has ended: the service was restored from a backup. Begin anew.");
  problem.type = "epoch-ended";
  problem.title = "This epoch has ended";
  return problem;
}

}  // namespace bloomwatch
