// The arithmetic of recaps, in whole numbers until a figure is shown.
#include "query-service/recaps/figures.h"

#include <algorithm>
#include <ranges>
#include <tuple>

#include "events/recap_period.h"
#include "projector/analytics/analytics.h"
#include "query-service/tracking/answer.h"

namespace bloomwatch {

std::optional<RecapStreak> longest_streak(std::span<const RecapDay> days) {
  std::size_t best_end = 0, best = 0, run = 0;
  for (std::size_t i = 0; i < days.size(); ++i) {
    run = i > 0 && days[i].day - days[i - 1].day == 1 ? run + 1 : 1;
    if (run > best) best = run, best_end = i;
  }
  if (best == 0) return std::nullopt;
  return RecapStreak{static_cast<std::int64_t>(best), date_text(date_of_day(days[best_end + 1 - best].day)),
                     date_text(date_of_day(days[best_end].day))};
}

const RecapDay* biggest_binge(std::span<const RecapDay> days) {
  const auto found = std::ranges::max_element(days, {}, &RecapDay::episodes);
  return found == days.end() ? nullptr : &*found;
}

std::optional<double> hours_of(const std::optional<std::int64_t>& minutes) {
  if (!minutes) return std::nullopt;
  const std::int64_t tenths = (*minutes + 3) / 6;
  return static_cast<double>(tenths) / 10.0;
}

double mean_score(const Scores& scores) {
  std::int64_t sum = 0;
  for (const auto& [profile, tenths] : scores) sum += tenths;
  return scores.empty() ? 0 : mean_points(sum, static_cast<std::int64_t>(scores.size()));
}

std::int16_t spread_of(const Scores& scores) {
  if (scores.size() < 2) return 0;
  const auto [least, most] = std::ranges::minmax(scores | std::views::values);
  return static_cast<std::int16_t>(most - least);
}

void sort_by_taste(std::vector<TastePair>& pairs) {
  std::ranges::sort(pairs, [](const TastePair& a, const TastePair& b) {
    const std::int64_t left = a.gap_tenths * b.rated, right = b.gap_tenths * a.rated;
    if (left != right) return left < right;
    if (a.rated != b.rated) return a.rated > b.rated;
    return std::tie(a.one, a.other) < std::tie(b.one, b.other);
  });
}

}  // namespace bloomwatch
