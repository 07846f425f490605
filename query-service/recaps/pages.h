// The pages of recaps: of oneself, of a space, and the links that one has shared. What belongs to which period is said in
// projector/recaps/recaps.h.
#pragma once

#include <array>
#include <string_view>

#include "events/recap_period.h"
#include "query-service/pages.h"

namespace bloomwatch {

/// GET /api/me/recaps/{period}: over all spaces that one ever was a member of; of others only those are named that one shares a space with.
struct MyRecapPage : PageQuery {
  static constexpr std::string_view pattern = "/api/me/recaps/{period}";
  static constexpr http::Access access = http::Access::signed_in;
  static constexpr std::array models = {Model::people, Model::spaces, Model::tracking, Model::recaps, Model::catalog};

  RecapPeriod period = {};

  std::expected<Question, Problem> ask(const Visit& visit) const;
  std::expected<Shown, Problem> show(const PageRows& rows, const Visit& visit, Keyring& keys) const;
};
BOOST_DESCRIBE_STRUCT(MyRecapPage, (PageQuery), (period))

/// GET …/recaps/{period}.
struct SpaceRecapPage : PageQuery {
  static constexpr std::string_view pattern = "/api/watch-spaces/{watchSpace}/recaps/{period}";
  static constexpr http::Access access = http::Access::member;
  static constexpr std::array models = {Model::people, Model::spaces, Model::tracking, Model::analytics, Model::recaps, Model::catalog};

  WatchSpaceId watch_space;
  RecapPeriod period = {};

  std::expected<Question, Problem> ask(const Visit& visit) const;
  std::expected<Shown, Problem> show(const PageRows& rows, const Visit& visit, Keyring& keys) const;
};
BOOST_DESCRIBE_STRUCT(SpaceRecapPage, (PageQuery), (watch_space, period))

struct RecapSharePlace {
  RecapShareId share;
};
BOOST_DESCRIBE_STRUCT(RecapSharePlace, (), (share))

/// GET /api/me/recap-shares: one's links that were not revoked, the newest first. `leads` is false where one is no member of the space any
/// more, or came back since. Tokens were shown once and are kept nowhere.
struct RecapShareListPage : ListQuery {
  static constexpr std::string_view pattern = "/api/me/recap-shares";
  static constexpr http::Access access = http::Access::signed_in;
  static constexpr std::array models = {Model::spaces, Model::recaps};

  std::expected<Question, Problem> ask(const Visit& visit) const;
  std::expected<Shown, Problem> show(const PageRows& rows, const Visit& visit, Keyring& keys) const;
};
BOOST_DESCRIBE_STRUCT(RecapShareListPage, (ListQuery), ())

}  // namespace bloomwatch
