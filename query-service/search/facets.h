// What titles are sorted out by beside words: values of a few kinds, numbered in one sequence, so that counting them is `++counts[value]`
// for every value of every match. Which matches count is decided facet by facet: a facet's own filter does not narrow its own counts.
#pragma once

#include <array>
#include <boost/describe.hpp>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace bloomwatch::search {

/// `score` is the whole points of a score: "8" is 8.0 to 8.9.
enum class Facet : std::uint8_t { format, season, year, genre, studio, streaming, score };
BOOST_DESCRIBE_ENUM(Facet, format, season, year, genre, studio, streaming, score)
inline constexpr std::size_t facet_count = 7;

using ValueId = std::uint32_t;

struct FacetValue {
  Facet facet;
  std::string text;

  auto operator<=>(const FacetValue&) const = default;
};

/// The values that there are.
class FacetValues {
 public:
  ValueId number(const FacetValue& value);
  std::optional<ValueId> find(const FacetValue& value) const;
  const FacetValue& operator[](ValueId id) const { return values_[id]; }
  std::size_t size() const { return values_.size(); }

 private:
  struct Hash {
    std::size_t operator()(const FacetValue& value) const {
      return std::hash<std::string>{}(value.text) * facet_count + static_cast<std::size_t>(value.facet);
    }
  };
  std::vector<FacetValue> values_;
  std::unordered_map<FacetValue, ValueId, Hash> ids_;
};

/// Of each facet the texts of which a title must have one; none: any title will do.
using Filters = std::array<std::vector<std::string>, facet_count>;

struct FacetCount {
  std::string value;
  std::int64_t count = 0;

  bool operator==(const FacetCount&) const = default;
};
BOOST_DESCRIBE_STRUCT(FacetCount, (), (value, count))

/// Of each facet the values with most titles, and how many; equal ones by name.
using FacetCounts = std::array<std::vector<FacetCount>, facet_count>;

/// Tells which titles pass the filters of one query, and counts.
class FacetCounter {
 public:
  static constexpr std::size_t values_shown_max = 100;  ///< of one facet

  FacetCounter(const FacetValues& values, const Filters& filters, std::optional<double> score_min);

  /// Whether a title with these values and this score (of ten; negative: none) passes every filter. Counts it where it does but for one.
  bool take(const ValueId* values, std::size_t count, float score);
  FacetCounts counts() const;

 private:
  const FacetValues& values_;
  std::vector<std::uint8_t> chosen_;  // by value
  std::vector<std::uint8_t> facets_;  // of each value, close together
  std::vector<std::int64_t> counts_;
  unsigned filtered_ = 0;  // facets with a filter, a bit each
  std::optional<float> score_min_;
};

}  // namespace bloomwatch::search
