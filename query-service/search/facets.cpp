// Numbering and counting facet values.
#include "query-service/search/facets.h"

#include <algorithm>
#include <bit>

namespace bloomwatch::search {
namespace {

constexpr unsigned bit_of(Facet facet) { return 1U << static_cast<unsigned>(facet); }

}  // namespace

ValueId FacetValues::number(const FacetValue& value) {
  const auto [found, fresh] = ids_.try_emplace(value, static_cast<ValueId>(values_.size()));
  if (fresh) values_.push_back(value);
  return found->second;
}

std::optional<ValueId> FacetValues::find(const FacetValue& value) const {
  const auto found = ids_.find(value);
  return found == ids_.end() ? std::nullopt : std::optional(found->second);
}

FacetCounter::FacetCounter(const FacetValues& values, const Filters& filters, std::optional<double> score_min)
    : values_(values), chosen_(values.size()), facets_(values.size()), counts_(values.size()) {
  if (score_min) score_min_ = static_cast<float>(*score_min);
  for (ValueId id = 0; id < values.size(); ++id) facets_[id] = static_cast<std::uint8_t>(values[id].facet);
  for (std::size_t i = 0; i < facet_count; ++i) {
    const auto facet = static_cast<Facet>(i);
    if (!filters[i].empty()) filtered_ |= bit_of(facet);
    for (const std::string& text : filters[i])
      if (const auto id = values.find({facet, text})) chosen_[*id] = 1;
  }
  if (score_min_) filtered_ |= bit_of(Facet::score);
}

bool FacetCounter::take(const ValueId* values, std::size_t count, float score) {
  unsigned passed = 0;
  for (std::size_t i = 0; i < count; ++i) passed |= static_cast<unsigned>(chosen_[values[i]]) << facets_[values[i]];
  if (score_min_) passed = score >= *score_min_ ? passed | bit_of(Facet::score) : passed & ~bit_of(Facet::score);
  const unsigned failed = filtered_ & ~passed;
  if (failed == 0) {
    for (std::size_t i = 0; i < count; ++i) ++counts_[values[i]];
  } else if (std::has_single_bit(failed)) {
    for (std::size_t i = 0; i < count; ++i)
      if (1U << facets_[values[i]] == failed) ++counts_[values[i]];
  }
  return failed == 0;
}

FacetCounts FacetCounter::counts() const {
  std::array<std::vector<ValueId>, facet_count> found;
  for (ValueId id = 0; id < counts_.size(); ++id)
    if (counts_[id] > 0) found[facets_[id]].push_back(id);
  FacetCounts counts;
  for (std::size_t i = 0; i < facet_count; ++i) {
    const auto shown = std::min(found[i].size(), values_shown_max);
    std::ranges::partial_sort(found[i], found[i].begin() + static_cast<std::ptrdiff_t>(shown), [this](ValueId a, ValueId b) {
      return counts_[a] != counts_[b] ? counts_[a] > counts_[b] : values_[a].text < values_[b].text;
    });
    for (std::size_t n = 0; n < shown; ++n) counts[i].push_back({values_[found[i][n]].text, counts_[found[i][n]]});
  }
  return counts;
}

}  // namespace bloomwatch::search
