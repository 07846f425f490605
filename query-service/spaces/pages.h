// The pages of spaces: one's own spaces, and one space with its members and, for owners, its invitations.
#pragma once

#include <array>
#include <string_view>

#include "query-service/pages.h"
#include "query-service/spaces/answer.h"

namespace bloomwatch {

/// Invitations of one space that are shown, those first that were neither accepted nor revoked, then the newest.
inline constexpr int invitations_shown_max = 200;

struct SpacePlace {
  WatchSpaceId watch_space;
};
BOOST_DESCRIBE_STRUCT(SpacePlace, (), (watch_space))

/// GET /api/watch-spaces: the spaces that one is a member of now, by their ids: the oldest first, to the millisecond. A space whose
/// members are not known (parked) is left out.
struct SpaceListPage : ListQuery {
  static constexpr std::string_view pattern = "/api/watch-spaces";
  static constexpr http::Access access = http::Access::signed_in;
  static constexpr std::array models = {Model::spaces, Model::people};

  std::expected<Question, Problem> ask(const Visit& visit) const;
  std::expected<Shown, Problem> show(const PageRows& rows, const Visit& visit, Keyring& keys) const;
};
BOOST_DESCRIBE_STRUCT(SpaceListPage, (ListQuery), ())

/// GET /api/watch-spaces/{watchSpace}.
struct SpacePage : PageQuery {
  static constexpr std::string_view pattern = "/api/watch-spaces/{watchSpace}";
  static constexpr http::Access access = http::Access::member;
  static constexpr std::array models = {Model::spaces, Model::people};

  WatchSpaceId watch_space;
  std::optional<AsOf> as_of = {};

  std::expected<Question, Problem> ask(const Visit& visit) const;
  std::expected<Shown, Problem> show(const PageRows& rows, const Visit& visit, Keyring& keys) const;
};
BOOST_DESCRIBE_STRUCT(SpacePage, (PageQuery), (watch_space, as_of))

}  // namespace bloomwatch
