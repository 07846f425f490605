// The pages of tracking: the anime of a space, one anime with its participants, its watch sessions.
#pragma once

#include <array>
#include <optional>
#include <string_view>
#include <utility>

#include "query-service/pages.h"
#include "query-service/tracking/rows.h"

namespace bloomwatch {

/// How the list is sorted: `added` newest first (the default), `title` A to Z (ASCII letters without case), `updated` by the last change of
/// what is shared, newest first. Equal ones by the anime's id, so every order is total.
enum class AnimeSort { added, title, updated };
BOOST_DESCRIBE_ENUM(AnimeSort, added, title, updated)

/// Where a list of anime goes on: after the one with these keys, under this sort and these filters.
struct AnimePlace {
  AnimeSort sort = AnimeSort::added;
  std::optional<TrackingStatus> status = {};
  std::optional<TrackingStatus> mine = {};
  std::string key;  ///< the sorted column of the last item: RFC 3339 or the sort title
  AnimeId anime;
};
BOOST_DESCRIBE_STRUCT(AnimePlace, (), (sort, status, mine, key, anime))

/// GET …/anime: `status` filters by the shared status, `mine` by one's own. A cursor carries sort and filters; who repeats them must repeat
/// them as they were.
struct AnimeListPage : ListQuery {
  static constexpr std::string_view pattern = "/api/watch-spaces/{watchSpace}/anime";
  static constexpr http::Access access = http::Access::member;
  static constexpr std::array models = {Model::spaces, Model::tracking};

  WatchSpaceId watch_space;
  std::optional<AnimeSort> sort = {};
  std::optional<TrackingStatus> status = {};
  std::optional<TrackingStatus> mine = {};
  std::optional<AsOf> as_of = {};

  /// Not of the request: also read the keys of those who have left.
  bool thorough = false;

  std::expected<Question, Problem> ask(const Visit& visit);
  std::expected<Shown, Problem> show(const PageRows& rows, const Visit& visit, Keyring& keys);
};
BOOST_DESCRIBE_STRUCT(AnimeListPage, (ListQuery), (watch_space, sort, status, mine, as_of))

/// GET …/anime/{anime}.
struct AnimePage : PageQuery {
  static constexpr std::string_view pattern = "/api/watch-spaces/{watchSpace}/anime/{anime}";
  static constexpr http::Access access = http::Access::member;
  static constexpr std::array models = {Model::spaces, Model::tracking, Model::catalog};

  WatchSpaceId watch_space;
  AnimeId anime;
  std::optional<AsOf> as_of = {};

  std::expected<Question, Problem> ask(const Visit& visit) const;
  std::expected<Shown, Problem> show(const PageRows& rows, const Visit& visit, Keyring& keys) const;
};
BOOST_DESCRIBE_STRUCT(AnimePage, (PageQuery), (watch_space, anime, as_of))

struct WatchSessionPlace {
  Time session_date;
  WatchSessionId session;
};
BOOST_DESCRIBE_STRUCT(WatchSessionPlace, (), (session_date, session))

/// GET …/anime/{anime}/sessions, newest first.
struct WatchSessionListPage : ListQuery {
  static constexpr std::string_view pattern = "/api/watch-spaces/{watchSpace}/anime/{anime}/sessions";
  static constexpr http::Access access = http::Access::member;
  static constexpr std::array models = {Model::spaces, Model::tracking};

  WatchSpaceId watch_space;
  AnimeId anime;
  std::optional<AsOf> as_of = {};

  std::expected<Question, Problem> ask(const Visit& visit) const;
  std::expected<Shown, Problem> show(const PageRows& rows, const Visit& visit, Keyring& keys) const;
};
BOOST_DESCRIBE_STRUCT(WatchSessionListPage, (ListQuery), (watch_space, anime, as_of))

}  // namespace bloomwatch
