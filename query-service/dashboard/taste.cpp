// What the dashboard and the analytics pages ask of read_dashboard alike.
#include "query-service/dashboard/taste.h"

#include <algorithm>
#include <charconv>
#include <set>
#include <stdexcept>
#include <utility>

#include "projector/columns.h"
#include "query-service/tracking/answer.h"
#include "runtime/json.h"

namespace bloomwatch {
namespace {

std::vector<PairGaps> pairs_of(const PageRows::Range& rows, PairColumns columns, const std::vector<ProfileId>& members) {
  std::vector<PairGaps> pairs;
  const auto place = [&](ProfileId profile) { return std::ranges::find(members, profile) - members.begin(); };
  for (const pg::Row row : rows) {
    PairGaps pair{{row.get<ProfileId>(PageRows::id_column), row.get<ProfileId>(columns.id2)},
                  row.get<std::int32_t>(columns.n1),
                  row.get<std::int64_t>(PageRows::number_column)};
    if (place(pair.profiles[1]) < place(pair.profiles[0])) std::swap(pair.profiles[0], pair.profiles[1]);
    pairs.push_back(pair);
  }
  std::ranges::sort(pairs, {}, [&](const PairGaps& pair) { return std::pair(place(pair.profiles[0]), place(pair.profiles[1])); });
  return pairs;
}

/// How many anime at least two of the members have rated, from rows of sets of raters.
std::int64_t rated_by_two_of(const PageRows::Range& together, const std::vector<ProfileId>& members) {
  const std::set<ProfileId> present(members.begin(), members.end());
  std::int64_t anime = 0;
  for (const pg::Row row : together) {
    const auto raters = projection::profile_set_of(row.get<pg::Bytes>(PageRows::bytes_column));
    if (std::ranges::count_if(raters.profiles, [&](ProfileId rater) { return present.contains(rater); }) >= 2)
      anime += row.get<std::int64_t>(PageRows::number_column);
  }
  return anime;
}

}  // namespace

std::string both_present() { return "low = ANY(" + std::string(present_ids) + ") AND high = ANY(" + std::string(present_ids) + ")"; }

std::string rated_by_two() {
  return "d.raters >= 2 AND CASE WHEN cardinality(" + std::string(present_ids) + ") = 2 THEN d.score_tenths ?& " +
         std::string(present_ids) + "::text[] ELSE EXISTS (SELECT FROM read_dashboard.gaps WHERE anime = d.anime AND " + both_present() +
         " OFFSET 0) END";
}

void add_pairs(PageSql& sql, std::int16_t kind) {
  sql.rows(kind, {{"id", "low"}, {"id2", "high"}, {"number", "gap_tenths"}, {"n1", "rated::integer"}},
           "FROM read_dashboard.pairs WHERE watch_space = $1 AND rated > 0 AND " + both_present());
}

void add_rated_together(PageSql& sql, std::int16_t kind) {
  sql.rows(kind, {{"bytes", "raters"}, {"number", "anime"}},
           "FROM read_dashboard.rated_together WHERE cardinality(" + std::string(present_ids) + ") > 2 AND watch_space = $1 AND anime > 0");
}

Compatibility compatibility_of(const PageRows::Range& pairs, const PageRows::Range& together, PairColumns columns,
                               const std::vector<ProfileId>& members) {
  const std::vector<PairGaps> gaps = pairs_of(pairs, columns, members);
  std::int64_t rated = gaps.empty() ? 0 : gaps.front().rated;
  if (members.size() > 2) rated = rated_by_two_of(together, members);
  return compatibility_of(gaps, rated);
}

MemberScores::MemberScores(const std::vector<ProfileId>& members) : members_(members) {
  for (const ProfileId member : members) keys_.push_back('"' + member.to_string() + "\": ");
}

/// A flat object of numbers by profile, as jsonb writes it: each key is looked for as it stands there.
MemberTenths MemberScores::tenths(std::string_view score_tenths) const {
  MemberTenths found(keys_.size());
  const char* const end = score_tenths.data() + score_tenths.size();
  for (std::size_t i = 0; i < keys_.size(); ++i) {
    const std::size_t at = score_tenths.find(keys_[i]);
    if (at == std::string_view::npos) continue;
    const auto [after, error] = std::from_chars(score_tenths.data() + at + keys_[i].size(), end, found[i].emplace());
    if (error != std::errc() || after == end || (*after != ',' && *after != '}'))
      throw std::runtime_error("a score of a row of read_dashboard.anime is no whole number");
  }
  return found;
}

std::vector<ScoreAnswer> MemberScores::shown(const MemberTenths& tenths) const {
  std::vector<ScoreAnswer> shown;
  for (std::size_t i = 0; i < tenths.size(); ++i)
    if (tenths[i]) shown.push_back({members_[i], points(*tenths[i])});
  return shown;
}

}  // namespace bloomwatch
