// How many recap cards one core draws a second, as PNG and as SVG. Prints one line of JSON. Usage: card_bench SECONDS
#include <fmt/core.h>

#include <chrono>
#include <cstdlib>

#include "query-service/recaps/card.h"

namespace bloomwatch {
namespace {

RecapCard a_card() {
  RecapCard card{.name = "Ada & Ben",
                 .caption = "Our recap",
                 .period = "November 2026",
                 .numbers = {{"episodes", "212"}, {"hours", "84.6"}, {"sessions", "61"}},
                 .titles_label = "Best rated",
                 .titles = {{"葬送のフリーレン", "9.5"}, {"Vinland Saga", "9"}, {"مغامرات عدنان", "8.67"}},
                 .facts = {},
                 .members = {{"Ada", "118 episodes"}, {"Ben", "94 episodes"}}};
  card.facts = {{"Longest streak", "12 days", "3 Nov – 14 Nov"}, {"Biggest binge", "13 episodes", "14 Nov"}};
  return card;
}

double pictures_per_second(CardFormat format, std::chrono::duration<double> time) {
  using Clock = std::chrono::steady_clock;
  RecapCard card = a_card();
  draw_card(card, CardTheme::pastel, format);  // fonts are found once
  const auto began = Clock::now();
  int count = 0;
  while (Clock::now() - began < time) {
    card.numbers[0].value = std::to_string(++count);
    draw_card(card, count % 2 == 0 ? CardTheme::pastel : CardTheme::dark, format);
  }
  return count / std::chrono::duration<double>(Clock::now() - began).count();
}

}  // namespace
}  // namespace bloomwatch

int main(int argc, char** argv) {
  const std::chrono::duration<double> time(argc > 1 ? std::atof(argv[1]) : 5);
  fmt::print("{{\"png\": {:.1f}, \"svg\": {:.1f}}}\n", bloomwatch::pictures_per_second(bloomwatch::CardFormat::png, time),
             bloomwatch::pictures_per_second(bloomwatch::CardFormat::svg, time));
}
