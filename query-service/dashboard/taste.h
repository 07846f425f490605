// The taste of a space's present members in read_dashboard: the parts of statements that choose it and their rows read back. The dashboard
// and the analytics pages show the same numbers, so they ask and read them here. The space is $1.
#pragma once

#include <boost/describe.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "events/ids.h"
#include "query-service/dashboard/compatibility.h"
#include "query-service/page_rows.h"

namespace bloomwatch {

/// A CTE with the profiles of the members; statements that use what follows begin with it.
inline constexpr std::string_view present_members =
    "present AS MATERIALIZED (SELECT array_agg(profile) AS ids FROM read_spaces.members WHERE watch_space = $1)";
/// Those profiles, as an array.
inline constexpr std::string_view present_ids = "(SELECT ids FROM present)::uuid[]";

/// Whether the pair of a row, `low` and `high`, are both members.
std::string both_present();
/// Whether at least two of those who rated `d` are members: for two members whether both have, for more whether any pair has a gap.
std::string rated_by_two();

/// Adds a row for each pair of members that have rated something in common: `id`, `id2` the two, `number` gap_tenths, `n1` rated.
void add_pairs(PageSql& sql, std::int16_t kind);
/// Adds a row for each set of people that have rated anime together: `bytes` their ids, `number` how many anime. Only where more than two
/// are members: a pair's own row says it for two.
void add_rated_together(PageSql& sql, std::int16_t kind);

/// Where a page has the columns that pairs are in.
struct PairColumns {
  int id2;
  int n1;
};
/// The compatibility that rows of those two kinds say, pairs in the order of the members' joining.
Compatibility compatibility_of(const PageRows::Range& pairs, const PageRows::Range& together, PairColumns columns,
                               const std::vector<ProfileId>& members);

struct ScoreAnswer {
  ProfileId user_id;
  double score = 0;
};
BOOST_DESCRIBE_STRUCT(ScoreAnswer, (), (user_id, score))

/// An anime that members disagree on.
struct GapAnswer {
  AnimeId anime_id;
  std::string_view preferred_title;
  double gap = 0;  ///< between the highest and the lowest of the members' scores
  std::vector<ScoreAnswer> scores;
};
BOOST_DESCRIBE_STRUCT(GapAnswer, (), (anime_id, preferred_title, gap, scores))

/// What each member gave one anime, in the members' order.
using MemberTenths = std::vector<std::optional<std::int16_t>>;

/// Reads what the present members gave from `score_tenths` of rows of read_dashboard.anime. One a page, whose members it refers to.
class MemberScores {
 public:
  explicit MemberScores(const std::vector<ProfileId>& members);
  /// Throws std::runtime_error for a score that is no whole number.
  MemberTenths tenths(std::string_view score_tenths) const;
  /// Of those who gave one.
  std::vector<ScoreAnswer> shown(const MemberTenths& tenths) const;
  /// The same of a row in that column, which is not null.
  std::vector<ScoreAnswer> shown(const pg::Row& row, int column) const { return shown(tenths(row.get<std::string_view>(column))); }

 private:
  const std::vector<ProfileId>& members_;
  std::vector<std::string> keys_;  ///< what each is called there
};

}  // namespace bloomwatch
