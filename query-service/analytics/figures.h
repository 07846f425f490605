// The figures of analytics that need more than a sum: watch time, streaks, distributions. Pure arithmetic; what the data cannot say is null
// with a label that says so, never a number. Labels are for people and may be reworded; label keys are stable.
#pragma once

#include <boost/describe.hpp>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

namespace bloomwatch {

/// How long episodes took, as far as that is known.
struct WatchTime {
  std::optional<std::int64_t> minutes = {};  ///< of those whose length is known; null if that is none of them
  std::int64_t episodes_timed = 0;
  std::int64_t episodes_untimed = 0;  ///< of titles whose episodes have no known length: in no minute
  std::string_view label = {};
  std::string_view label_key = {};  ///< nothing-watched, none-known, some-unknown, all-known
};
BOOST_DESCRIBE_STRUCT(WatchTime, (), (minutes, episodes_timed, episodes_untimed, label, label_key))

/// `untimed` are those of `episodes` that are in no minute.
WatchTime watch_time(std::int64_t episodes, std::int64_t minutes, std::int64_t untimed);

/// Days in a row with a watch session. A streak goes on until a whole day has passed without one.
struct Streak {
  std::int64_t current = 0;
  std::int64_t longest = 0;
  std::string_view label = {};
  std::string_view label_key = {};  ///< no-sessions, watched-today, watch-today (or it ends), over
};
BOOST_DESCRIBE_STRUCT(Streak, (), (current, longest, label, label_key))

/// `days` are day numbers, newest first, each once. A session's date may lie ahead of `today`, in a zone further east.
Streak streak_of(std::span<const std::int32_t> days, std::int32_t today);

/// How far what was begun has come.
struct Completion {
  std::int64_t total_shows = 0;
  std::int64_t backlog = 0;
  std::int64_t watching = 0;
  std::int64_t finished = 0;
  std::int64_t paused = 0;
  std::int64_t dropped = 0;
  std::optional<double> rate = {};  ///< 0–1: the finished ones of those that are not backlog; null if there are none
  std::string_view label = {};
  std::string_view label_key = {};  ///< no-shows, nothing-started, under-way, all-finished
};
BOOST_DESCRIBE_STRUCT(Completion, (), (total_shows, backlog, watching, finished, paused, dropped, rate, label, label_key))

/// Fills in what follows from the counts by status.
Completion completion_of(Completion counts);

struct ScoreCount {
  double score = 0;
  std::int64_t count = 0;
};
BOOST_DESCRIBE_STRUCT(ScoreCount, (), (score, count))

/// How often which score was given: always the twenty halves of the ten-scale, 0.5 first.
struct Distribution {
  std::int64_t rated_count = 0;
  std::optional<double> average_score = {};  ///< to two decimals, halves up; null without ratings
  std::vector<ScoreCount> scores = {};
  std::string_view label = {};
  std::string_view label_key = {};  ///< not-enough-data, rated
};
BOOST_DESCRIBE_STRUCT(Distribution, (), (rated_count, average_score, scores, label, label_key))

/// Of scores in tenths and how many there are of each. What is no half (from an import) counts as the nearest, the higher of two.
Distribution distribution_of(std::span<const std::pair<std::int16_t, std::int64_t>> counts);

/// The text contains the words that are looked for, A–Z as a–z.
bool speaks_of(std::string_view text, std::string_view words);

}  // namespace bloomwatch
