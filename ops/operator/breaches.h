// What a check of `bloomwatch verify` found wrong.
#pragma once

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

namespace bloomwatch::ops {

/// All of it is counted, the first are kept in words.
struct Breaches {
  std::size_t shown_max = 50;
  std::size_t breaches = 0;
  std::vector<std::string> shown = {};

  bool holds() const { return breaches == 0; }
  void breach(std::string what) {
    if (shown.size() < shown_max) shown.push_back(std::move(what));
    ++breaches;
  }
};

}  // namespace bloomwatch::ops
