// Problems in the words of a client's reader.
#include "query-service/anilist/problems.h"

#include <algorithm>
#include <charconv>

namespace bloomwatch::anilist {

Problem anilist_unavailable(const Failure& failure) {
  constexpr std::chrono::seconds least{1};
  constexpr std::chrono::seconds most{3600};
  Problem problem;
  problem.status = 503;
  problem.type = "anilist-unavailable";
  problem.title = "AniList cannot be asked at the moment";
  problem.detail = failure.trouble == Trouble::busy || failure.trouble == Trouble::rate_limited
                       ? "It has been asked as often as it lets us. Nothing about this is known here yet."
                       : "It does not answer as it should. Nothing about this is known here yet.";
  problem.retry_after = std::clamp(std::chrono::ceil<std::chrono::seconds>(failure.retry_after), least, most);
  return problem;
}

Problem no_such_media() {
  Problem problem = problems::not_found("AniList has no anime of this id.");
  problem.type = "no-such-media";
  problem.title = "No such media";
  return problem;
}

std::optional<std::int32_t> media_id_of(std::string_view text) {
  std::int32_t id = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), id);
  if (error != std::errc() || end != text.data() + text.size() || id < 1) return std::nullopt;
  return id;
}

}  // namespace bloomwatch::anilist
