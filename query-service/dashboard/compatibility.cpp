// The arithmetic of compatibility: fractions of whole numbers, rounded at the very end, so that no binary fraction decides a half.
#include "query-service/dashboard/compatibility.h"

#include <algorithm>
#include <boost/multiprecision/cpp_int.hpp>
#include <map>

namespace bloomwatch {
namespace {

/// A mean gap in tenths, as a fraction. Tenths of a point are hundredths of the score's scale, so `score = round(100 − mean)`.
template <class Integer>
struct Fraction {
  Integer over;
  Integer under;  // > 0
};

/// round(100 − mean), halves up (the value is never negative where scores are 0.5–10, so up is away from zero), at least 0.
template <class Integer>
std::int64_t score_of(const Fraction<Integer>& mean) {
  const Integer doubled = (2 * 100 + 1) * mean.under - 2 * mean.over;  // 2 × under × (100.5 − mean)
  if (doubled <= 0) return 0;
  return static_cast<std::int64_t>(Integer(doubled / (2 * mean.under)));
}

/// The mean in tenths, rounded to a whole number, halves up; as points of the ten-scale.
template <class Integer>
double average_of(const Fraction<Integer>& mean) {
  const Integer rounded = (2 * mean.over + mean.under) / (2 * mean.under);
  return static_cast<double>(static_cast<std::int64_t>(rounded)) / 10.0;
}

struct Label {
  std::int64_t score_min;
  std::string_view key;
  std::string_view text;
};
constexpr std::array labels = {
    Label{95, "in-perfect-bloom", "In perfect bloom"},
    Label{85, "very-synced", "Very synced, with a little spice"},
    Label{70, "mostly-synced", "Mostly in tune, with room to argue"},
    Label{50, "mixed", "Different tastes, good conversations"},
    Label{0, "opposites", "Opposites, and still watching together"},
};
constexpr Label no_data = {0, "not-enough-data", "Not enough data yet: rate the same anime to see how close you are"};

const Label& label_of(std::int64_t score) {
  return *std::ranges::find_if(labels, [&](const Label& label) { return score >= label.score_min; });
}

}  // namespace

Compatibility compatibility_of(std::span<const PairGaps> pairs, std::int64_t rated_together_count) {
  Compatibility result;
  result.rated_together_count = rated_together_count;
  std::vector<Fraction<std::int64_t>> means;
  for (const PairGaps& pair : pairs) {
    if (pair.rated <= 0) continue;
    const Fraction<std::int64_t> mean{pair.gap_tenths, pair.rated};
    means.push_back(mean);
    result.pairs.push_back({pair.profiles, score_of(mean), average_of(mean), pair.rated});
  }
  if (means.empty()) {
    result.label = no_data.text;
    result.label_key = no_data.key;
    return result;
  }
  if (means.size() == 1) {
    result.score = result.pairs.front().score;
    result.average_gap = result.pairs.front().average_gap;
  } else {
    // Common denominators of many pairs outgrow 64 bits; those that are equal are added first, for the 1,225 pairs of a full space.
    std::map<std::int64_t, std::int64_t> over_by_under;
    for (const auto& mean : means) over_by_under[mean.under] += mean.over;
    boost::multiprecision::cpp_rational sum = 0;
    for (const auto& [under, over] : over_by_under) sum += boost::multiprecision::cpp_rational(over, under);
    sum /= means.size();
    const Fraction<boost::multiprecision::cpp_int> mean{boost::multiprecision::numerator(sum), boost::multiprecision::denominator(sum)};
    result.score = score_of(mean);
    result.average_gap = average_of(mean);
  }
  const Label& label = label_of(*result.score);
  result.label = label.text;
  result.label_key = label.key;
  return result;
}

}  // namespace bloomwatch
