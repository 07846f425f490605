// Pages over random histories, to be compared with what tests/data/*_from_log.sql says of the same events: it computes every figure anew
// and knows nothing of folds.
#pragma once

#include <gmock/gmock.h>

#include "tests/integration/pages/any_history.h"

namespace bloomwatch::test {

class ToldPages : public PagesOfAnyHistory, public testing::WithParamInterface<int> {
 protected:
  ToldPages() { connection.script(text_of_file("tests/data/analytics_from_log.sql")); }

  /// The page, and all items of the list, as a member of the space sees them.
  using PagesOfAnyHistory::get;
  using PagesOfAnyHistory::items;
  std::string get(const History::Space& space, const std::string& target) { return get(*space.members.begin(), target); }
  std::string items(const History::Space& space, const std::string& target) { return items(*space.members.begin(), target); }

  /// A page without its labels, as Postgres writes it.
  std::string bare(const std::string& page) { return value("SELECT told.bare($1::text::jsonb)::text", {page}); }
  /// What the log says; `call` with the space as `$1`.
  std::string log_says(const History::Space& space, const std::string& call) {
    return value("SELECT told." + call + "::text", {space.id.to_string()});
  }
};

}  // namespace bloomwatch::test
