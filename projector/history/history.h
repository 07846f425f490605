// The read model `history`: every event as the change that it is, with what finds it: its space, its anime, who did it, whom it is about,
// and the thing whose value it gives. Only ever put: nothing is loaded, and what was there before is found by the page, by index. Tables:
// migrations/0025_read_history.sql. What an event touches is said in history.cpp, in words in query-service/history/words.cpp.
#pragma once

#include <array>
#include <boost/describe.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "events/codec.h"
#include "events/envelope.h"
#include "projector/rows.h"

namespace bloomwatch {

/// An event (part 0), or one more person that it is about, one more thing whose value it gives (parts 1, 2 …, of which the second half of
/// the members is empty).
struct ChangeRow {
  using Key = std::tuple<Position, std::int16_t>;
  Position position = 0;
  std::int16_t part = 0;
  std::string type;
  std::optional<ProfileId> actor = {};   ///< who did it; none: the system, or somebody who had no account yet
  std::optional<ProfileId> person = {};  ///< whom it is about
  std::optional<Uuid> sets = {};         ///< the thing whose value it gives, see thing()
  std::optional<Uuid> looks_at = {};     ///< the thing whose value before is what it changed
  std::optional<Time> at = {};
  std::optional<WatchSpaceId> watch_space = {};
  std::optional<AnimeId> anime = {};
  std::optional<TitleId> title = {};  ///< of the catalogue
  std::optional<EventId> event = {};
  std::optional<EventId> undoes = {};
  std::optional<CommandId> command = {};
  std::optional<OriginKind> origin = {};
  std::optional<std::string> provider = {};
  std::optional<std::string> reference = {};
  std::optional<std::int16_t> schema_version = {};  ///< of `data`
  std::optional<UserId> sealed_by = {};             ///< whose key opens its texts
  std::optional<std::string> data = {};             ///< as the log has it; texts stay sealed

  bool operator==(const ChangeRow&) const = default;
};
BOOST_DESCRIBE_STRUCT(ChangeRow, (),
                      (position, part, type, actor, person, sets, looks_at, at, watch_space, anime, title, event, undoes, command, origin,
                       provider, reference, schema_version, sealed_by, data))

/// An admin's look into an audit: what the link that it answered shows, and to whom.
struct AuditQueryRow {
  using Key = AuditQueryId;
  AuditQueryId query;
  std::optional<ProfileId> admin = {};
  Time asked_at = {};
  std::optional<ProfileId> person = {};
  std::optional<WatchSpaceId> watch_space = {};
  std::optional<AnimeId> anime = {};
  std::vector<std::string> types;
  std::optional<std::string> field = {};
  std::optional<Time> since = {};
  std::optional<Time> until = {};

  bool operator==(const AuditQueryRow&) const = default;
};
BOOST_DESCRIBE_STRUCT(AuditQueryRow, (), (query, admin, asked_at, person, watch_space, anime, types, field, since, until))

/// Names one thing that has a value, and one value only at any time: `what` of `subject` (an anime, a space, an account, a session), and
/// where it is a person's own, of that person.
Uuid thing(const Uuid& subject, std::string_view what, const std::optional<ProfileId>& person = {});

/// The types of events that may be about several people: only their parts have persons, so pages look for them there alone.
inline constexpr std::array<std::string_view, 2> types_about_several = {type_name<OwnershipTransferred>(),
                                                                        type_name<WatchSessionRecorded>()};

struct History {
  static constexpr std::string_view name = "history";
  static constexpr int version = 2;  ///< raise it when a fold changes

  projection::Puts<ChangeRow> changes;
  projection::Puts<AuditQueryRow> queries;

  /// Every event that there is.
  template <class E>
    requires boost::mp11::mp_contains<AllEvents, E>::value
  void apply(const E& e, const Meta& meta) {
    apply_at(index_of_event<E>, &e, meta);
  }

 private:
  /// `event` points to the struct at `index` of AllEvents. One that events/fields.h does not know does not compile there.
  void apply_at(std::size_t index, const void* event, const Meta& meta);
};
BOOST_DESCRIBE_STRUCT(History, (), (changes, queries))

}  // namespace bloomwatch
