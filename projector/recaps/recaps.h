// The read model `recaps`: what the recaps of a month or a year are made of, per space, person and day, and the links to their cards.
// Totals of a space and of its members by month are in `analytics`, and are not summed here again; names, titles and who is a member now
// are joined by the page. Partition key of all its events: the space; of links: the account of who shared.
// What belongs where: a session to the day it took place, in its own time zone, whenever it is recorded, answered or taken back. A score to
// the month in which it was given, by the space's time zone; what an undo brings back was given when it was given, and what an import
// brings nobody knows when. A title is rated in a period if a score given in it stood at its end, and is shown with all scores that stood
// then. Tables: migrations/0026_read_recaps.sql, 0042_what_undo_brings_back.sql, 0046_sessions_of_a_day_in_order.sql.
#pragma once

#include <boost/describe.hpp>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "events/envelope.h"
#include "events/recaps.h"
#include "events/spaces.h"
#include "events/tracking.h"
#include "projector/rows.h"

namespace bloomwatch {

/// By whose calendar scores belong to months.
struct RecapSpaceRow {
  using Key = WatchSpaceId;
  WatchSpaceId watch_space;
  std::string time_zone;

  bool operator==(const RecapSpaceRow&) const = default;
};
BOOST_DESCRIBE_STRUCT(RecapSpaceRow, (), (watch_space, time_zone))

/// Somebody was once a member: where a person's recap looks. Stays when they go.
struct MemberSpaceRow {
  using Key = std::tuple<ProfileId, WatchSpaceId>;
  ProfileId profile;
  WatchSpaceId watch_space;

  bool operator==(const MemberSpaceRow&) const = default;
};
BOOST_DESCRIBE_STRUCT(MemberSpaceRow, (), (profile, watch_space))

/// A score that stands, and the month (202611) in which it was given; 0 where that is not known: an import brought it.
struct GivenScore {
  std::int16_t tenths = 0;
  std::int32_t month = 0;

  bool operator==(const GivenScore&) const = default;
};
BOOST_DESCRIBE_STRUCT(GivenScore, (), (tenths, month))

/// A score that is cleared or replaced, by the event that did so: an undo of that brings it back as given when it was given.
struct FormerScore {
  EventId ended_by;
  std::int32_t month = 0;

  bool operator==(const FormerScore&) const = default;
};
BOOST_DESCRIBE_STRUCT(FormerScore, (), (ended_by, month))

inline constexpr std::size_t former_scores_max = 16;  ///< of one person and anime, the last

/// What the rows of one anime follow from. At most people_max scores, those of former members too.
struct RecapAnimeRow {
  using Key = AnimeId;
  AnimeId anime;
  std::optional<WatchSpaceId> watch_space = {};  ///< none: removed
  TitleId title;
  std::optional<std::int32_t> episode_minutes = {};
  std::map<ProfileId, GivenScore> scores;
  std::map<ProfileId, std::vector<FormerScore>> former_scores;

  bool operator==(const RecapAnimeRow&) const = default;
};
BOOST_DESCRIBE_STRUCT(RecapAnimeRow, (), (anime, watch_space, title, episode_minutes, scores, former_scores))

/// What one evening adds to the sums. Pages find the evenings of a day by it.
struct RecapEveningRow {
  using Key = WatchSessionId;
  WatchSessionId session;
  std::optional<WatchSpaceId> watch_space = {};  ///< none: taken back, and in no sum
  std::int32_t day = 0;                          ///< its date in its own time zone, in days from 1970-01-01
  Time session_date = {};
  AnimeId anime;
  TitleId title;
  std::int32_t episodes = 0;
  std::optional<std::int32_t> episode_minutes = {};
  std::vector<ProfileId> present;

  bool operator==(const RecapEveningRow&) const = default;
};
BOOST_DESCRIBE_STRUCT(RecapEveningRow, (), (session, watch_space, day, session_date, anime, title, episodes, episode_minutes, present))

/// A person's day in one space. Minutes are of titles whose minutes are known; the episodes of others are `untimed`.
struct MemberDaySum {
  using Key = std::tuple<ProfileId, std::int32_t, WatchSpaceId>;
  ProfileId profile;
  std::int32_t day = 0;
  WatchSpaceId watch_space;
  std::int64_t sessions = 0;
  std::int64_t episodes = 0;
  std::int64_t minutes = 0;
  std::int64_t untimed = 0;

  bool operator==(const MemberDaySum&) const = default;
};
BOOST_DESCRIBE_STRUCT(MemberDaySum, (), (profile, day, watch_space, sessions, episodes, minutes, untimed))

/// Episodes of a space's day; each session has one at least.
struct RecapDaySum {
  using Key = std::tuple<WatchSpaceId, std::int32_t>;
  WatchSpaceId watch_space;
  std::int32_t day = 0;
  std::int64_t episodes = 0;

  bool operator==(const RecapDaySum&) const = default;
};
BOOST_DESCRIBE_STRUCT(RecapDaySum, (), (watch_space, day, episodes))

/// What a person watched of a title in a month (202611), in the space of that anime. What is known of titles is joined by their ids.
struct MemberTitleSum {
  using Key = std::tuple<ProfileId, std::int32_t, TitleId, AnimeId>;
  ProfileId profile;
  std::int32_t month = 0;
  TitleId title;
  AnimeId anime;
  std::int64_t episodes = 0;

  bool operator==(const MemberTitleSum&) const = default;
};
BOOST_DESCRIBE_STRUCT(MemberTitleSum, (), (profile, month, title, anime, episodes))

/// The same of a space.
struct SpaceTitleSum {
  using Key = std::tuple<WatchSpaceId, std::int32_t, TitleId, AnimeId>;
  WatchSpaceId watch_space;
  std::int32_t month = 0;
  TitleId title;
  AnimeId anime;
  std::int64_t episodes = 0;

  bool operator==(const SpaceTitleSum&) const = default;
};
BOOST_DESCRIBE_STRUCT(SpaceTitleSum, (), (watch_space, month, title, anime, episodes))

/// An anime that was rated in a period (2026 or 202611), with all scores that stood at its end.
struct RatedRow {
  using Key = std::tuple<WatchSpaceId, std::int32_t, AnimeId>;
  WatchSpaceId watch_space;
  std::int32_t period = 0;
  AnimeId anime;
  TitleId title;
  std::int32_t mean_thousandths = 0;  ///< of a point of the ten-scale, of all scores; for the order only
  std::int16_t spread_tenths = 0;     ///< between the highest and the lowest
  std::map<ProfileId, std::int16_t> score_tenths;

  bool operator==(const RatedRow&) const = default;
};
BOOST_DESCRIBE_STRUCT(RatedRow, (), (watch_space, period, anime, title, mean_thousandths, spread_tenths, score_tenths))

/// What a person gave an anime in a period, where that stood at its end.
struct OwnScoreRow {
  using Key = std::tuple<ProfileId, std::int32_t, AnimeId>;
  ProfileId profile;
  std::int32_t period = 0;
  AnimeId anime;
  TitleId title;
  std::int16_t score_tenths = 0;

  bool operator==(const OwnScoreRow&) const = default;
};
BOOST_DESCRIBE_STRUCT(OwnScoreRow, (), (profile, period, anime, title, score_tenths))

/// By how much a month changed what two people have both rated in a space, the lower id first: all months up to one say how close they were
/// at its end.
struct TasteMonthSum {
  using Key = std::tuple<WatchSpaceId, ProfileId, ProfileId, std::int32_t>;
  WatchSpaceId watch_space;
  ProfileId low;
  ProfileId high;
  std::int32_t month = 0;
  std::int64_t rated = 0;
  std::int64_t gap_tenths = 0;  ///< sum of the absolute differences

  bool operator==(const TasteMonthSum&) const = default;
};
BOOST_DESCRIBE_STRUCT(TasteMonthSum, (), (watch_space, low, high, month, rated, gap_tenths))

/// The last event that changed what recaps of a month show of a space, or of all its months under `every_month`.
struct RecapChangeRow {
  using Key = std::tuple<WatchSpaceId, std::int32_t>;
  WatchSpaceId watch_space;
  std::int32_t month = 0;
  Position position = 0;

  bool operator==(const RecapChangeRow&) const = default;
};
BOOST_DESCRIBE_STRUCT(RecapChangeRow, (), (watch_space, month, position))

inline constexpr std::int32_t every_month = 0;

/// A link that leads somewhere, as far as who shared it says: to a recap of theirs, or of a space that they were a member of.
struct RecapShareRow {
  using Key = RecapShareId;
  RecapShareId share;
  ProfileId shared_by;
  std::optional<WatchSpaceId> watch_space = {};  ///< none: of themselves
  std::string period;                            ///< `2026` or `2026-11`
  ClaimKey token_claim;
  Time shared_at = {};

  bool operator==(const RecapShareRow&) const = default;
};
BOOST_DESCRIBE_STRUCT(RecapShareRow, (), (share, shared_by, watch_space, period, token_claim, shared_at))

struct Recaps {
  static constexpr std::string_view name = "recaps";
  static constexpr int version = 3;  ///< raise it when a fold changes

  projection::Rows<RecapSpaceRow> spaces;
  projection::Rows<RecapAnimeRow> anime;
  projection::Rows<RecapEveningRow> evenings;
  projection::Puts<MemberSpaceRow> member_spaces;
  projection::Sums<MemberDaySum> member_days;
  projection::Sums<RecapDaySum> days;
  projection::Sums<MemberTitleSum> member_titles;
  projection::Sums<SpaceTitleSum> titles;
  projection::Puts<RatedRow> rated;
  projection::Puts<OwnScoreRow> own_scores;
  projection::Sums<TasteMonthSum> taste;
  projection::Puts<RecapChangeRow> changes;
  projection::Puts<RecapShareRow> shares;

  void apply(const WatchSpaceCreated& e, const Meta& meta);
  void apply(const WatchSpaceTimeZoneChanged& e, const Meta& meta);
  void apply(const MemberJoined& e, const Meta& meta);
  void apply(const AnimeAdded& e, const Meta& meta);
  void apply(const AnimeRated& e, const Meta& meta);
  void apply(const RatingCleared& e, const Meta& meta);
  void apply(const WatchSessionRecorded& e, const Meta& meta);
  void apply(const AttendanceConfirmed& e, const Meta& meta);
  void apply(const AttendanceDeclined& e, const Meta& meta);
  void apply(const AttendanceReopened& e, const Meta& meta);
  void apply(const WatchSessionRemoved& e, const Meta& meta);
  void apply(const WatchSessionRestored& e, const Meta& meta);
  void apply(const AnimeRemoved& e, const Meta& meta);
  void apply(const AnimeRestored& e, const Meta& meta);
  void apply(const RecapShared& e, const Meta& meta);
  void apply(const RecapShareRevoked& e, const Meta& meta);
};
BOOST_DESCRIBE_STRUCT(Recaps, (),
                      (spaces, anime, evenings, member_spaces, member_days, days, member_titles, titles, rated, own_scores, taste, changes,
                       shares))

}  // namespace bloomwatch
