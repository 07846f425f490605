// The arithmetic of analytics, in whole numbers until a figure is shown.
#include "query-service/analytics/figures.h"

#include <algorithm>
#include <array>

#include "query-service/tracking/answer.h"
#include "runtime/ascii.h"

namespace bloomwatch {
namespace {

constexpr std::size_t halves = 20;  // 0.5 to 10

template <class Figure>
void call(Figure& figure, std::string_view key, std::string_view label) {
  figure.label_key = key;
  figure.label = label;
}

}  // namespace

WatchTime watch_time(std::int64_t episodes, std::int64_t minutes, std::int64_t untimed) {
  WatchTime time{.minutes = minutes, .episodes_timed = episodes - untimed, .episodes_untimed = untimed};
  if (episodes == 0) {
    call(time, "nothing-watched", "Nothing watched yet");
  } else if (untimed == episodes) {
    time.minutes.reset();
    call(time, "none-known", "Nobody knows how long these episodes are");
  } else if (untimed > 0) {
    call(time, "some-unknown", "At least; the length of some episodes is not known");
  } else {
    call(time, "all-known", "From the length of every episode");
  }
  return time;
}

Streak streak_of(std::span<const std::int32_t> days, std::int32_t today) {
  Streak streak;
  if (days.empty()) {
    call(streak, "no-sessions", "No watch session yet");
    return streak;
  }
  std::int64_t run = 0;
  std::int64_t first_run = 0;  // the newest
  for (std::size_t i = 0; i < days.size(); ++i) {
    run = i > 0 && days[i - 1] - days[i] == 1 ? run + 1 : 1;
    if (run == static_cast<std::int64_t>(i) + 1) first_run = run;
    streak.longest = std::max(streak.longest, run);
  }
  const std::int32_t last = days.front();
  if (last >= today) {
    call(streak, "watched-today", "Watched today");
  } else if (last == today - 1) {
    call(streak, "watch-today", "Watch today to keep it going");
  } else {
    call(streak, "over", "The next one begins with the next session");
    return streak;
  }
  streak.current = first_run;
  return streak;
}

Completion completion_of(Completion counts) {
  const std::int64_t started = counts.watching + counts.finished + counts.paused + counts.dropped;
  counts.total_shows = started + counts.backlog;
  if (started > 0) counts.rate = static_cast<double>(counts.finished) / static_cast<double>(started);
  if (counts.total_shows == 0)
    call(counts, "no-shows", "Nothing here yet: add what you want to watch");
  else if (started == 0)
    call(counts, "nothing-started", "Nothing started yet");
  else if (counts.finished == started)
    call(counts, "all-finished", "All that was started is finished");
  else
    call(counts, "under-way", "Of what was started");
  return counts;
}

Distribution distribution_of(std::span<const std::pair<std::int16_t, std::int64_t>> counts) {
  std::array<std::int64_t, halves> by_half = {};
  std::int64_t sum_tenths = 0;
  Distribution distribution;
  for (const auto& [tenths, count] : counts) {
    const int half = std::clamp((2 * tenths + 5) / 10, 1, static_cast<int>(halves));
    by_half[static_cast<std::size_t>(half - 1)] += count;
    distribution.rated_count += count;
    sum_tenths += count * tenths;
  }
  for (std::size_t i = 0; i < halves; ++i) distribution.scores.push_back({static_cast<double>(i + 1) / 2.0, by_half[i]});
  if (distribution.rated_count == 0) {
    call(distribution, "not-enough-data", "No ratings yet");
    return distribution;
  }
  distribution.average_score = mean_points(sum_tenths, distribution.rated_count);
  call(distribution, "rated", "How often each score was given");
  return distribution;
}

bool speaks_of(std::string_view text, std::string_view words) {
  return !std::ranges::search(text, words, {}, ascii::lower, ascii::lower).empty() || words.empty();
}

}  // namespace bloomwatch
