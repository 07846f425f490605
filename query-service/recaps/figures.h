// The figures of a recap that need more than a sum: streaks, binges, hours, what members rated best and disagreed on most, who is close in
// taste. Pure arithmetic on days, scores and gaps.
#pragma once

#include <boost/describe.hpp>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "events/ids.h"

namespace bloomwatch {

/// What was watched on a day, numbered from 1970-01-01.
struct RecapDay {
  std::int32_t day = 0;
  std::int64_t episodes = 0;
};

struct RecapStreak {
  std::int64_t days = 0;
  std::string from;  ///< 2026-11-03
  std::string to;
};
BOOST_DESCRIBE_STRUCT(RecapStreak, (), (days, from, to))

/// The longest run of days in a row, the first of equal ones; nothing without days. `days` in order, each once.
std::optional<RecapStreak> longest_streak(std::span<const RecapDay> days);

/// The day with the most episodes, the first of equal ones; null without days.
const RecapDay* biggest_binge(std::span<const RecapDay> days);

/// Hours to one decimal, halves up; nothing where no minute is known.
std::optional<double> hours_of(const std::optional<std::int64_t>& minutes);

using Scores = std::map<ProfileId, std::int16_t>;

/// The mean of the scores in points of the ten-scale, to two decimals, halves up.
double mean_score(const Scores& scores);

/// Between the highest and the lowest, in tenths; 0 for fewer than two.
std::int16_t spread_of(const Scores& scores);

/// Two who have rated something in common.
struct TastePair {
  ProfileId one;
  ProfileId other;
  std::int64_t rated = 0;  ///< > 0
  std::int64_t gap_tenths = 0;
};

/// The closest first: by their exact mean gap, then those who have more in common, then by their ids.
void sort_by_taste(std::vector<TastePair>& pairs);

}  // namespace bloomwatch
