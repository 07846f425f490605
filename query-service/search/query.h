// What is asked of the index and what it answers. A query's work is bounded whatever it says: so many words, one look through the words
// for each, one through the names. How it is done is at the top of query.cpp.
#pragma once

#include <boost/describe.hpp>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "query-service/search/facets.h"
#include "query-service/search/index.h"
#include "query-service/search/words.h"

namespace bloomwatch::search {

/// In which order. `relevance`: relevance × popularity × score; without a word to search for, by popularity.
enum class Sort { relevance, popularity, score, newest };
BOOST_DESCRIBE_ENUM(Sort, relevance, popularity, score, newest)

/// Where a list goes on: after the document of that rank and id.
struct Place {
  std::int64_t rank = 0;
  Uuid id;
};
BOOST_DESCRIBE_STRUCT(Place, (), (rank, id))

struct Query {
  static constexpr std::size_t words_max = 16;  ///< what is beyond counts only as a part of the whole

  std::string text = {};
  Filters filters = {};
  std::optional<double> score_min = {};
  Sort sort = Sort::relevance;
  std::size_t limit = 20;
  std::optional<Place> after = {};
  bool facets = false;  ///< whether they are counted
};

/// Part of a text, in characters (code points).
struct Range {
  std::int32_t begin = 0;
  std::int32_t end = 0;

  bool operator==(const Range&) const = default;
};
BOOST_DESCRIBE_STRUCT(Range, (), (begin, end))

struct Hit {
  Uuid id;
  std::shared_ptr<const void> card;
  std::string name;            ///< that which fits best, as it is written
  std::vector<Range> matched;  ///< what of the name was looked for; in order, apart
  std::int64_t rank = 0;
};

struct Found {
  std::vector<Hit> hits;
  std::int64_t total = 0;  ///< that pass the filters
  std::optional<Place> next = {};
  FacetCounts facets = {};
};

/// Room that queries work in; kept from one to the next, as it is as large as the index. For one query at a time.
class Workspace {
 public:
  Workspace();
  ~Workspace();
  struct Room;
  Room& room() { return *room_; }
  Normaliser& normaliser() { return normaliser_; }

 private:
  Normaliser normaliser_;
  std::unique_ptr<Room> room_;
};

/// Reads the index, which must not change meanwhile.
Found find(const Index& index, const Query& query, Workspace& workspace);

}  // namespace bloomwatch::search
