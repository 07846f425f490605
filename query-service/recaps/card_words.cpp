// Numbers, dates and names as words. English, like all labels of the service.
#include "query-service/recaps/card_words.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "query-service/recaps/card_text.h"

namespace bloomwatch {
namespace {

constexpr std::array<std::string_view, 12> month_names = {"January", "February", "March",     "April",   "May",      "June",
                                                          "July",    "August",   "September", "October", "November", "December"};

std::string thousands(std::int64_t number) {
  std::string digits = std::to_string(number);
  for (auto at = static_cast<std::ptrdiff_t>(digits.size()) - 3; at > 0; at -= 3) digits.insert(static_cast<std::size_t>(at), ",");
  return digits;
}

std::string counted(std::int64_t number, std::string_view one, std::string_view many) {
  return thousands(number) + ' ' + std::string(number == 1 ? one : many);
}

std::string episodes(std::int64_t number) { return counted(number, "episode", "episodes"); }

/// 9, 8.5, 8.67.
std::string score_text(double score) { return fmt::format("{:g}", score); }

std::string hours_text(double hours) {
  if (hours >= 100) return thousands(std::llround(hours));
  return fmt::format("{:g}", hours);
}

std::string month_text(std::string_view number) {
  return std::string(month_names.at(static_cast<std::size_t>((number[0] - '0') * 10 + (number[1] - '0') - 1)));
}

/// `2026-11` as November 2026.
std::string period_text(std::string_view period) {
  return period.size() == 4 ? std::string(period) : month_text(period.substr(5)) + ' ' + std::string(period.substr(0, 4));
}

/// `2026-11-03` as 3 Nov.
std::string day_text(std::string_view date) {
  const std::string day(date.substr(date[8] == '0' ? 9 : 8));
  return day + ' ' + month_text(date.substr(5, 2)).substr(0, 3);
}

std::string foreign(std::string_view text) { return isolated(fit_for_card(text)); }

void add_numbers(RecapCard& card, const Recap& recap) {
  card.numbers.push_back({recap.episodes == 1 ? "episode" : "episodes", thousands(recap.episodes)});
  if (recap.hours && *recap.hours > 0) card.numbers.push_back({"hours", hours_text(*recap.hours)});
  card.numbers.push_back({recap.sessions == 1 ? "session" : "sessions", thousands(recap.sessions)});
}

/// The best rated titles, or else the most watched.
void add_titles(RecapCard& card, const Recap& recap) {
  card.titles_label = recap.best_rated.empty() ? "Most watched" : "Best rated";
  for (const RatedTitle& title : recap.best_rated) card.titles.push_back({title.preferred_title, score_text(title.score)});
  if (recap.best_rated.empty())
    for (const WatchedTitle& title : recap.titles) card.titles.push_back({title.preferred_title, thousands(title.episodes)});
  if (card.titles.size() > card_titles_max) card.titles.resize(card_titles_max);
}

void add_days(RecapCard& card, const Recap& recap) {
  if (recap.longest_streak) {
    const RecapStreak& streak = *recap.longest_streak;
    card.facts.push_back({"Longest streak", counted(streak.days, "day", "days"),
                          streak.days == 1 ? day_text(streak.from) : day_text(streak.from) + " – " + day_text(streak.to)});
  }
  if (recap.binge) {
    const std::string title = recap.binge->titles.empty() ? "" : " · " + foreign(recap.binge->titles.front().preferred_title);
    card.facts.push_back({"Biggest binge", episodes(recap.binge->episodes), day_text(recap.binge->day) + title});
  }
}

void add_most_watched(RecapCard& card, const Recap& recap) {
  if (recap.titles.empty() || recap.best_rated.empty()) return;  // then the list says it
  card.facts.push_back({"Most watched", foreign(recap.titles.front().preferred_title), episodes(recap.titles.front().episodes)});
}

void add_beginning(RecapCard& card, const Recap& recap) {
  if (recap.first) card.facts.push_back({"It began with", foreign(recap.first->preferred_title), day_text(recap.first->day)});
}

RecapCard begin(const Recap& recap, std::string_view name, std::string_view caption) {
  RecapCard card;
  card.name = name;
  card.caption = caption;
  card.period = period_text(recap.period);
  add_numbers(card, recap);
  if (recap.sessions == 0 && recap.best_rated.empty()) card.empty_note = "Nothing has bloomed here yet.";
  add_titles(card, recap);
  add_days(card, recap);
  return card;
}

/// In an even number, so that they stand in pairs.
void even_out(RecapCard& card) {
  constexpr std::size_t facts_max = 4;
  if (card.facts.size() > facts_max) card.facts.resize(facts_max);
  if (card.facts.size() == 3) card.facts.pop_back();
}

}  // namespace

RecapCard card_of(const MyRecap& recap) {
  RecapCard card = begin(recap, recap.display_name.value_or(""), "My recap");
  add_most_watched(card, recap);
  if (recap.average_score)
    card.facts.push_back({"Scores given", thousands(recap.rated_count), score_text(*recap.average_score) + " on average"});
  add_beginning(card, recap);
  even_out(card);
  return card;
}

RecapCard card_of(const SpaceRecap& recap) {
  RecapCard card = begin(recap, recap.name, "Our recap");
  const auto name_of = [&](ProfileId profile) {
    const auto found = std::ranges::find(recap.members, profile, &RecapMember::user_id);
    return foreign(found == recap.members.end() ? "" : found->display_name.value_or("Somebody"));
  };
  if (!recap.taste_twins.empty()) {
    const TasteTwins& twins = recap.taste_twins.front();
    card.facts.push_back({recap.members.size() > 2 ? "Taste twins" : "In tune",
                          name_of(twins.user_ids[0]) + " & " + name_of(twins.user_ids[1]), std::to_string(twins.score) + " % alike"});
  }
  if (recap.biggest_disagreement) {
    const Disagreement& gap = *recap.biggest_disagreement;
    const auto [least, most] = std::ranges::minmax(gap.scores, {}, &ScoreAnswer::score);
    card.facts.push_back({"Biggest disagreement", score_text(least.score) + " vs " + score_text(most.score), foreign(gap.preferred_title)});
  }
  add_most_watched(card, recap);
  add_beginning(card, recap);
  even_out(card);
  // Who watched most comes first; of equals, who joined first.
  std::vector<std::pair<std::int64_t, std::size_t>> order;
  for (std::size_t i = 0; i < recap.members.size(); ++i) order.emplace_back(-recap.members[i].episodes, i);
  std::ranges::sort(order);
  if (order.size() > card_members_max) order.resize(card_members_max);
  for (const auto& [less, i] : order)
    card.members.push_back({recap.members[i].display_name.value_or("Somebody"), episodes(recap.members[i].episodes)});
  return card;
}

}  // namespace bloomwatch
