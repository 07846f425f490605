// The pages of history, newest change first: of a space and of an anime for their members, of oneself, and for admins of anything. Filters
// are in the query, and for admins in the question that they asked before (POST /api/admin/audit/queries), which leaves a trace.
#pragma once

#include <array>
#include <chrono>
#include <string_view>
#include <vector>

#include "query-service/history/export.h"
#include "query-service/history/statements.h"
#include "query-service/pages.h"

namespace bloomwatch {

/// What is looked for; all that is given must hold.
struct HistoryFilter {
  std::optional<ProfileId> person = {};  ///< did it, or is whom it is about
  std::vector<std::string> types = {};   ///< of events; none: any
  std::optional<std::string> field = {};
  std::optional<Time> from = {};
  std::optional<Time> until = {};  ///< not included

  bool operator==(const HistoryFilter&) const = default;
};
BOOST_DESCRIBE_STRUCT(HistoryFilter, (), (person, types, field, from, until))

/// Where a list goes on: below a position, with the filters that it had.
struct HistoryPlace {
  Position before = 0;
  HistoryFilter filter;
};
BOOST_DESCRIBE_STRUCT(HistoryPlace, (), (before, filter))

/// What every list of history takes. The format may be in the Accept header instead.
struct HistoryList : ListQuery {
  std::optional<HistoryFormat> format = {};

  void take_accept(std::string_view accept) {
    if (!format) format = format_of_accept(accept);
  }
};
BOOST_DESCRIBE_STRUCT(HistoryList, (ListQuery), (format))

/// A list with filters in its query. `types` may be given several times.
struct FilteredHistoryList : HistoryList {
  std::vector<EventTypeName> types = {};
  std::optional<FieldName> field = {};
  std::optional<Time> from = {};
  std::optional<Time> until = {};
};
BOOST_DESCRIBE_STRUCT(FilteredHistoryList, (HistoryList), (types, field, from, until))

/// GET …/history: what members changed in a space, and in its anime.
struct SpaceHistoryPage : FilteredHistoryList {
  static constexpr std::string_view pattern = "/api/watch-spaces/{watchSpace}/history";
  static constexpr http::Access access = http::Access::member;
  static constexpr std::array models = {Model::history, Model::spaces, Model::people, Model::tracking, Model::catalog};

  WatchSpaceId watch_space;
  std::optional<ProfileId> person = {};

  std::expected<Question, Problem> ask(const Visit& visit);
  std::expected<Shown, Problem> show(const PageRows& rows, const Visit& visit, Keyring& keys) const;

 private:
  HistoryPlace place_;
};
BOOST_DESCRIBE_STRUCT(SpaceHistoryPage, (FilteredHistoryList), (watch_space, person))

/// GET …/anime/{anime}/history, also of an anime that was removed.
struct AnimeHistoryPage : FilteredHistoryList {
  static constexpr std::string_view pattern = "/api/watch-spaces/{watchSpace}/anime/{anime}/history";
  static constexpr http::Access access = http::Access::member;
  static constexpr std::array models = {Model::history, Model::spaces, Model::people, Model::tracking, Model::catalog};

  WatchSpaceId watch_space;
  AnimeId anime;
  std::optional<ProfileId> person = {};

  std::expected<Question, Problem> ask(const Visit& visit);
  std::expected<Shown, Problem> show(const PageRows& rows, const Visit& visit, Keyring& keys) const;

 private:
  HistoryPlace place_;
};
BOOST_DESCRIBE_STRUCT(AnimeHistoryPage, (FilteredHistoryList), (watch_space, anime, person))

/// GET /api/me/history: what one did, and what others or the system did about one: in one's account, its log-in sessions, and spaces. In
/// spaces that one is no member of now, others are not named, nor is the space.
struct MyHistoryPage : FilteredHistoryList {
  static constexpr std::string_view pattern = "/api/me/history";
  static constexpr http::Access access = http::Access::signed_in;
  static constexpr std::array models = {Model::history, Model::spaces, Model::people, Model::tracking, Model::catalog};

  std::expected<Question, Problem> ask(const Visit& visit);
  std::expected<Shown, Problem> show(const PageRows& rows, const Visit& visit, Keyring& keys) const;

 private:
  HistoryPlace place_;
};
BOOST_DESCRIBE_STRUCT(MyHistoryPage, (FilteredHistoryList), ())

/// How long the link is good that an admin's question answers.
inline constexpr std::chrono::hours audit_link_life{1};

/// GET /api/admin/audit?query=…: what the admin who asks has asked for. The first statement finds the question, the second its answer.
struct AuditPage : HistoryList {
  static constexpr std::string_view pattern = "/api/admin/audit";
  static constexpr http::Access access = http::Access::admin;
  static constexpr std::array models = {Model::history, Model::spaces, Model::people, Model::tracking, Model::catalog};

  AuditQueryId query;

  std::expected<Question, Problem> ask(const Visit& visit);
  std::expected<Shown, Problem> show(const PageRows& rows, const Visit& visit, Keyring& keys);

 private:
  struct Asked {
    std::optional<WatchSpaceId> watch_space;
    std::optional<AnimeId> anime;
  };
  std::expected<Shown, Problem> take_question(const PageRows& rows, const Visit& visit);
  std::string list(const Visit& visit) const;

  std::optional<Asked> asked_;
  HistoryPlace place_;
};
BOOST_DESCRIBE_STRUCT(AuditPage, (HistoryList), (query))

}  // namespace bloomwatch
