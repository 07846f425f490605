// The pages of people: oneself, and one's live log-in sessions.
#pragma once

#include <array>
#include <string_view>

#include "query-service/pages.h"

namespace bloomwatch {

/// GET /api/me. Texts whose key is gone are null.
struct MePage : PageQuery {
  static constexpr std::string_view pattern = "/api/me";
  static constexpr http::Access access = http::Access::signed_in;
  static constexpr std::array models = {Model::people};

  std::expected<Question, Problem> ask(const Visit& visit) const;
  std::expected<Shown, Problem> show(const PageRows& rows, const Visit& visit, Keyring& keys) const;
};
BOOST_DESCRIBE_STRUCT(MePage, (PageQuery), ())

struct LoginSessionPlace {
  Time started_at;
  SessionId session;
};
BOOST_DESCRIBE_STRUCT(LoginSessionPlace, (), (started_at, session))

/// GET /api/me/sessions: those that have not ended, the newest first. `current` is the one that asks.
struct LoginSessionListPage : ListQuery {
  static constexpr std::string_view pattern = "/api/me/sessions";
  static constexpr http::Access access = http::Access::signed_in;
  static constexpr std::array models = {Model::people};

  std::expected<Question, Problem> ask(const Visit& visit) const;
  std::expected<Shown, Problem> show(const PageRows& rows, const Visit& visit, Keyring& keys) const;
};
BOOST_DESCRIBE_STRUCT(LoginSessionListPage, (ListQuery), ())

}  // namespace bloomwatch
