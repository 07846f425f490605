// The read model `analytics`: what the numbers of a space are made of, summed as events come in, so that a page reads months and members
// and never evenings. Who is a member now, names and titles are joined by the page. Partition key of all its events: the space.
// Tables: migrations/0024_read_analytics.sql, 0031_titles_in_spaces.sql, 0042_what_undo_brings_back.sql.
#pragma once

#include <boost/describe.hpp>
#include <cstdint>
#include <map>
#include <optional>
#include <string_view>
#include <vector>

#include "events/envelope.h"
#include "events/spaces.h"
#include "events/tracking.h"
#include "projector/rows.h"
#include "runtime/zones.h"

namespace bloomwatch {

/// A time that an anime was finished, and whether that stands.
struct Finish {
  Position position = 0;
  std::optional<ProfileId> by = {};
  Time at = {};
  bool stands = true;
  std::vector<EventId> said_by;  ///< that it was finished, the undo of that, the undo of the undo …; the last sayings_max

  bool operator==(const Finish&) const = default;
};
BOOST_DESCRIBE_STRUCT(Finish, (), (position, by, at, stands, said_by))

inline constexpr std::size_t finishes_max = 16;  ///< of one anime that are remembered for undos, the last
inline constexpr std::size_t sayings_max = 32;

/// What one anime adds to its space's sums. At most people_max scores, those of former members too.
struct CountedAnimeRow {
  using Key = AnimeId;
  AnimeId anime;
  std::optional<WatchSpaceId> watch_space = {};  ///< none: removed, and in no sum
  TrackingStatus shared_status = TrackingStatus::backlog;
  std::int32_t shared_episodes = 0;
  std::optional<std::int32_t> episode_minutes = {};
  std::map<ProfileId, std::int16_t> score_tenths;
  ProfileId added_by;
  Time added_at = {};
  Position added_position = 0;
  std::vector<Finish> finishes;  ///< in their order, at most finishes_max; the last that stands is told

  bool operator==(const CountedAnimeRow&) const = default;
};
BOOST_DESCRIBE_STRUCT(CountedAnimeRow, (),
                      (anime, watch_space, shared_status, shared_episodes, episode_minutes, score_tenths, added_by, added_at,
                       added_position, finishes))

/// What one evening adds to the sums.
struct EveningRow {
  using Key = WatchSessionId;
  WatchSessionId session;
  std::optional<WatchSpaceId> watch_space = {};  ///< none: taken back, and in no sum
  AnimeId anime;
  Time session_date = {};
  std::int32_t day = 0;  ///< its date in its own time zone, see day_number()
  std::int32_t episodes = 0;
  std::optional<std::int32_t> episode_minutes = {};
  std::vector<Attendee> participants;
  ProfileId recorded_by;
  Position position = 0;

  bool operator==(const EveningRow&) const = default;
};
BOOST_DESCRIBE_STRUCT(EveningRow, (),
                      (session, watch_space, anime, session_date, day, episodes, episode_minutes, participants, recorded_by, position))

/// Where a space stands. Minutes are those of titles whose minutes are known; the episodes of others are `untimed`.
struct SpaceNumbers {
  using Key = WatchSpaceId;
  WatchSpaceId watch_space;
  std::int64_t backlog = 0;  ///< anime by shared status
  std::int64_t watching = 0;
  std::int64_t finished = 0;
  std::int64_t paused = 0;
  std::int64_t dropped = 0;
  std::int64_t episodes = 0;  ///< sum of shared progress
  std::int64_t minutes = 0;
  std::int64_t untimed = 0;
  std::int64_t untimed_titles = 0;  ///< anime that have untimed episodes

  bool operator==(const SpaceNumbers&) const = default;
};
BOOST_DESCRIBE_STRUCT(SpaceNumbers, (),
                      (watch_space, backlog, watching, finished, paused, dropped, episodes, minutes, untimed, untimed_titles))

/// The evenings of a month (202611), by their days.
struct MonthSum {
  using Key = std::tuple<WatchSpaceId, std::int32_t>;
  WatchSpaceId watch_space;
  std::int32_t month = 0;
  std::int64_t sessions = 0;
  std::int64_t episodes = 0;
  std::int64_t minutes = 0;
  std::int64_t untimed = 0;

  bool operator==(const MonthSum&) const = default;
};
BOOST_DESCRIBE_STRUCT(MonthSum, (), (watch_space, month, sessions, episodes, minutes, untimed))

/// The same of one who was there; in every month, and of all months together under `all_months`.
struct MemberMonthSum {
  using Key = std::tuple<WatchSpaceId, std::int32_t, ProfileId>;
  WatchSpaceId watch_space;
  std::int32_t month = 0;
  ProfileId profile;
  std::int64_t sessions = 0;
  std::int64_t episodes = 0;
  std::int64_t minutes = 0;
  std::int64_t untimed = 0;

  bool operator==(const MemberMonthSum&) const = default;
};
BOOST_DESCRIBE_STRUCT(MemberMonthSum, (), (watch_space, month, profile, sessions, episodes, minutes, untimed))

/// A day on which there were evenings: streaks are made of these.
struct DaySum {
  using Key = std::tuple<WatchSpaceId, std::int32_t>;
  WatchSpaceId watch_space;
  std::int32_t day = 0;
  std::int64_t sessions = 0;

  bool operator==(const DaySum&) const = default;
};
BOOST_DESCRIBE_STRUCT(DaySum, (), (watch_space, day, sessions))

/// How many anime somebody gave a score.
struct ScoreSum {
  using Key = std::tuple<WatchSpaceId, ProfileId, std::int16_t>;
  WatchSpaceId watch_space;
  ProfileId profile;
  std::int16_t score_tenths = 0;
  std::int64_t anime = 0;

  bool operator==(const ScoreSum&) const = default;
};
BOOST_DESCRIBE_STRUCT(ScoreSum, (), (watch_space, profile, score_tenths, anime))

/// How many participants gave a title a score, in the spaces of one partition: a row is written from one partition only.
struct VoteSum {
  using Key = std::tuple<TitleId, std::int16_t, std::int16_t>;
  TitleId title;
  std::int16_t space_partition = 0;
  std::int16_t score_tenths = 0;
  std::int64_t votes = 0;

  bool operator==(const VoteSum&) const = default;
};
BOOST_DESCRIBE_STRUCT(VoteSum, (), (title, space_partition, score_tenths, votes))

enum class MomentKind { space_created, member_joined, member_left, anime_added, anime_finished, session };
BOOST_DESCRIBE_ENUM(MomentKind, space_created, member_joined, member_left, anime_added, anime_finished, session)

/// What the space did, and when that was: the timeline. `position` is of the event that says it.
struct MomentRow {
  using Key = std::tuple<WatchSpaceId, Position>;
  WatchSpaceId watch_space;
  Position position = 0;
  Time at = {};  ///< a session's date; of all others the time of recording
  MomentKind kind = MomentKind::space_created;
  std::optional<ProfileId> profile = {};  ///< who did it; of joining and leaving, who came or went
  std::optional<AnimeId> anime = {};
  std::optional<WatchSessionId> session = {};

  bool operator==(const MomentRow&) const = default;
};
BOOST_DESCRIBE_STRUCT(MomentRow, (), (watch_space, position, at, kind, profile, anime, session))

/// The month of sums over all of them.
inline constexpr std::int32_t all_months = 0;

/// Days are numbered from 1970-01-01, so that neighbours differ by one; months are year × 100 + month.
constexpr std::int32_t day_number(Date date) { return static_cast<std::int32_t>(date.time_since_epoch().count()); }
constexpr Date date_of_day(std::int32_t day) { return Date(std::chrono::days(day)); }
constexpr std::int32_t month_of_day(std::int32_t day) {
  const std::chrono::year_month_day date(date_of_day(day));
  return static_cast<std::int32_t>(static_cast<int>(date.year())) * 100 + static_cast<std::int32_t>(static_cast<unsigned>(date.month()));
}

struct Analytics {
  static constexpr std::string_view name = "analytics";
  static constexpr int version = 3;  ///< raise it when a fold changes

  projection::Rows<CountedAnimeRow> anime;
  projection::Rows<EveningRow> evenings;
  projection::Sums<SpaceNumbers> spaces;
  projection::Sums<MonthSum> months;
  projection::Sums<MemberMonthSum> member_months;
  projection::Sums<DaySum> days;
  projection::Sums<ScoreSum> scores;
  projection::Sums<VoteSum> votes;
  projection::Puts<MomentRow> moments;

  void apply(const WatchSpaceCreated& e, const Meta& meta);
  void apply(const MemberJoined& e, const Meta& meta);
  void apply(const MemberLeft& e, const Meta& meta);
  void apply(const MemberRemoved& e, const Meta& meta);
  void apply(const AnimeAdded& e, const Meta& meta);
  void apply(const SharedStatusChanged& e, const Meta& meta);
  void apply(const SharedProgressChanged& e, const Meta& meta);
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
};
BOOST_DESCRIBE_STRUCT(Analytics, (), (anime, evenings, spaces, months, member_months, days, scores, votes, moments))

}  // namespace bloomwatch
