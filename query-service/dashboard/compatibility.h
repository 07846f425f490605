// How close members are in taste: 100 less ten for each point of their mean gap, over what both rated. Pure arithmetic on sums of gaps,
// exact until it is rounded once. Gaps are in tenths of the ten-scale, as events and rows have them.
#pragma once

#include <array>
#include <boost/describe.hpp>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "events/ids.h"

namespace bloomwatch {

/// What two members have both rated: how many anime, and the sum of their absolute differences.
struct PairGaps {
  std::array<ProfileId, 2> profiles;
  std::int64_t rated = 0;       ///< anime that both rated; a pair with 0 says nothing
  std::int64_t gap_tenths = 0;  ///< sum over those
};

/// One pair as the dashboard shows it.
struct PairCompatibility {
  std::array<ProfileId, 2> user_ids;
  std::int64_t score = 0;
  double average_gap = 0;
  std::int64_t rated_together_count = 0;
};
BOOST_DESCRIBE_STRUCT(PairCompatibility, (), (user_ids, score, average_gap, rated_together_count))

/// The dashboard's `compatibility`. Without an anime rated by two, `score` and `average_gap` are null and the label says so.
struct Compatibility {
  std::optional<std::int64_t> score = {};  ///< max(0, round(100 − average gap × 10)), from the exact mean, halves away from zero
  std::optional<double> average_gap = {};  ///< in points of the ten-scale, to one decimal, halves away from zero
  std::int64_t rated_together_count = 0;   ///< anime rated by at least two members
  std::string_view label = {};             ///< for people; may be reworded
  std::string_view label_key = {};         ///< for programs and translations; stable
  std::vector<PairCompatibility> pairs = {};
};
BOOST_DESCRIBE_STRUCT(Compatibility, (), (score, average_gap, rated_together_count, label, label_key, pairs))

/// The compatibility of a space: for two members that of the pair; for more the unweighted mean of the pairs' exact mean gaps, from which
/// the score is computed once. Pairs that share no anime are left out; the others keep their order.
Compatibility compatibility_of(std::span<const PairGaps> pairs, std::int64_t rated_together_count);

}  // namespace bloomwatch
