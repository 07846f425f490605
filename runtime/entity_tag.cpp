// Making tags and finding them in a list.
#include "runtime/entity_tag.h"

#include <fmt/format.h>
#include <xxhash.h>

#include <algorithm>

namespace bloomwatch::http {
namespace {

constexpr std::string_view weak_mark = "W/";

/// What an entity tag may have between its quotes (etagc).
bool is_tag_character(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte == '!' || (byte >= '#' && byte != 0x7F);
}

void skip_between_tags(std::string_view& list) {
  while (!list.empty() && (list.front() == ',' || list.front() == ' ' || list.front() == '\t')) list.remove_prefix(1);
}

/// The next tag of a list, quoted, without its weakness; nothing at the list's end, or where it is none.
std::optional<std::string_view> next_tag(std::string_view& list) {
  skip_between_tags(list);
  if (list.starts_with(weak_mark)) list.remove_prefix(weak_mark.size());
  if (!list.starts_with('"')) return std::nullopt;
  const auto end = std::find_if_not(list.begin() + 1, list.end(), is_tag_character);
  if (end == list.end() || *end != '"') return std::nullopt;
  const auto size = static_cast<std::size_t>(end - list.begin()) + 1;
  const std::string_view tag = list.substr(0, size);
  list.remove_prefix(size);
  return tag;
}

}  // namespace

std::string entity_tag(std::string_view epoch, const Response& response) {
  const XXH64_hash_t type = XXH3_64bits(response.content_type.data(), response.content_type.size());
  const XXH128_hash_t hash = XXH3_128bits_withSeed(response.body.data(), response.body.size(), type);
  return fmt::format("\"{}-{:016x}{:016x}\"", epoch, hash.high64, hash.low64);
}

bool none_match_has(std::string_view if_none_match, std::string_view tag) {
  if (tag.starts_with(weak_mark)) tag.remove_prefix(weak_mark.size());
  skip_between_tags(if_none_match);
  if (if_none_match == "*") return true;
  while (const auto listed = next_tag(if_none_match))
    if (*listed == tag) return true;
  return false;
}

std::optional<std::string> known_tags(const Request& request) { return request.header_list("If-None-Match"); }

Response kept_privately(Response response, std::string_view epoch, const std::optional<std::string>& known) {
  std::string tag = entity_tag(epoch, response);
  if (known && none_match_has(*known, tag)) {
    response.status = 304;
    response.content_type.clear();
    response.body.clear();
  }
  response.headers.emplace_back("ETag", std::move(tag));
  response.headers.emplace_back("Cache-Control", "private, no-cache");
  return response;
}

}  // namespace bloomwatch::http
