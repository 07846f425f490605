// GET …/dashboard: a space at a glance.
#pragma once

#include <array>
#include <string_view>

#include "query-service/pages.h"

namespace bloomwatch {

inline constexpr int highlights_max = 5;  ///< of every list of highlights, and of recent sessions
inline constexpr int shared_ratings_max = 50;
/// Of a longer backlog, a random pick is one of so many that changed last, here and in analytics.
inline constexpr int random_pick_among_max = 1000;
/// A space of at most so many anime is shown from all of them, which is cheaper than asking for each part of the page by itself.
inline constexpr int small_space_anime_max = 64;

struct DashboardPage : PageQuery {
  static constexpr std::string_view pattern = "/api/watch-spaces/{watchSpace}/dashboard";
  static constexpr http::Access access = http::Access::member;
  static constexpr std::array models = {Model::spaces, Model::people, Model::tracking, Model::dashboard};

  WatchSpaceId watch_space;
  std::optional<AsOf> as_of = {};
  /// Not of the request: ask for each part by itself, and for the keys of those who have left.
  bool thorough = false;

  std::expected<Question, Problem> ask(const Visit& visit);
  std::expected<Shown, Problem> show(const PageRows& rows, const Visit& visit, Keyring& keys);
};
BOOST_DESCRIBE_STRUCT(DashboardPage, (PageQuery), (watch_space, as_of))

}  // namespace bloomwatch
