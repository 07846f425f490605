// How close members are in taste: compatibility, the gaps between their ratings, and what each gives at all.
#include <algorithm>
#include <map>

#include "projector/dashboard/dashboard.h"
#include "query-service/analytics/figures.h"
#include "query-service/analytics/pages.h"
#include "query-service/dashboard/taste.h"
#include "query-service/spaces/members.h"
#include "query-service/tracking/answer.h"

namespace bloomwatch {
namespace {

namespace kind {
constexpr std::int16_t pair = row_kind::own;             // id, id2: the two; number: gap_tenths; n1: rated
constexpr std::int16_t together = row_kind::own + 1;     // bytes: a set of raters; number: its anime; where more than two are members
constexpr std::int16_t gap = row_kind::own + 2;          // id: anime; number: gap_tenths; id2, id3: of these two; text: title; j1: scores
constexpr std::int16_t stopped_at = row_kind::own + 3;   // id, number, id2, id3 as in gap: the last that was looked at
constexpr std::int16_t score_count = row_kind::own + 4;  // id: profile; n1: tenths; number: how many
}  // namespace kind

namespace taste_column {
constexpr int id2 = PageRows::own_column;
constexpr int id3 = id2 + 1;
constexpr int at1 = id3 + 1;  // member: joined_at
constexpr int n1 = at1 + 1;
constexpr int j1 = n1 + 1;
}  // namespace taste_column

PageSql::Columns taste_columns() { return {{"id2", "uuid"}, {"id3", "uuid"}, {"at1", "timestamptz"}, {"n1", "integer"}, {"j1", "jsonb"}}; }

// ---------------------------------------------------------------------------------------------------------------------- compatibility

struct CompatibilityAnswer : Compatibility {
  WatchSpaceId watch_space_id = {};
};
BOOST_DESCRIBE_STRUCT(CompatibilityAnswer, (Compatibility), (watch_space_id))

std::string compatibility_text() {
  PageSql sql({Model::spaces, Model::dashboard}, "$1", taste_columns());
  sql.with(present_members);
  add_members(sql, "at1");
  add_pairs(sql, kind::pair);
  add_rated_together(sql, kind::together);
  return sql.text();
}

}  // namespace

std::expected<Question, Problem> CompatibilityPage::ask(const Visit&) const {
  static const pg::Statement statement(compatibility_text());
  return Question{&statement, pg::Params(watch_space)};
}

std::expected<Shown, Problem> CompatibilityPage::show(const PageRows& rows, const Visit&, Keyring&) const {
  const std::vector<ProfileId> members = members_of(rows, taste_column::at1);
  CompatibilityAnswer answer;
  static_cast<Compatibility&>(answer) =
      compatibility_of(rows.of(kind::pair), rows.of(kind::together), {.id2 = taste_column::id2, .n1 = taste_column::n1}, members);
  answer.watch_space_id = watch_space;
  return Shown{json::to_string(answer)};
}

// ------------------------------------------------------------------------------------------------------------------------ rating gaps

namespace {

/// $1 space, $2 how many, then of a place: gap, anime and the two. One index walked one way, from band to band (migration 0038): an anime
/// counts where the gap of a pair is the gap of all its present raters, and there at the first such pair of present ones, which is once; a
/// pair that is closer than others of that anime is passed over.
std::string gaps_text(GapOrder order, bool after) {
  const bool down = order == GapOrder::biggest;
  const std::string direction = down ? " DESC" : "";
  const std::string sorted = "gap_tenths" + direction + ", anime" + direction + ", low" + direction + ", high" + direction;
  const std::string walk = "FROM read_dashboard.gaps WHERE watch_space = $1" +
                           (after ? " AND (band, gap_tenths, anime, low, high) " + std::string(down ? "<" : ">") + " (" +
                                        gap_band("$3::smallint") + ", $3::smallint, $4::uuid, $5::uuid, $6::uuid)"
                                  : std::string()) +
                           " ORDER BY band" + direction + ", " + sorted;
  // The rows of the anime that a page before this one stopped in: it may have counted there.
  const std::string counted_before =
      " AND NOT (g.gap_tenths = $3 AND g.anime = $4 AND EXISTS (SELECT FROM read_dashboard.gaps WHERE anime ="
      " $4 AND gap_tenths = $3 AND (low, high) " +
      std::string(down ? ">=" : "<=") + " ($5, $6) AND " + both_present() + " OFFSET 0))";
  const std::string examined = std::to_string(gaps_examined_max);
  PageSql sql({Model::spaces, Model::tracking, Model::dashboard}, "$1", taste_columns());
  sql.with(std::string(present_members) +
           ", found AS MATERIALIZED (SELECT g.*, d.score_tenths FROM (SELECT DISTINCT ON (gap_tenths, anime) gap_tenths, anime, low, high"
           " FROM (SELECT gap_tenths, anime, low, high " +
           walk + " LIMIT " + examined + ") AS examined WHERE " + both_present() + " ORDER BY " + sorted +
           ") AS g LEFT JOIN read_dashboard.anime AS d ON d.anime = g.anime CROSS JOIN LATERAL (SELECT max(s.value::integer) - "
           "min(s.value::integer) AS spread FROM jsonb_each_text(d.score_tenths) AS s WHERE s.key = ANY(" +
           std::string(present_ids) + "::text[]) OFFSET 0) AS s WHERE s.spread = g.gap_tenths" + (after ? counted_before : "") +
           " LIMIT $2)");
  add_members(sql, "at1");
  sql.rows(kind::gap,
           {{"id", "f.anime"},
            {"number", "f.gap_tenths::bigint"},
            {"id2", "f.low"},
            {"id3", "f.high"},
            {"text", "a.preferred_title"},
            {"j1", "f.score_tenths"}},
           "FROM found AS f LEFT JOIN read_tracking.anime AS a ON a.anime = f.anime");
  sql.rows(kind::stopped_at, {{"id", "anime"}, {"number", "gap_tenths::bigint"}, {"id2", "low"}, {"id3", "high"}},
           "FROM (SELECT gap_tenths, anime, low, high " + walk + " OFFSET " + examined +
               " - 1 LIMIT 1) AS last WHERE (SELECT count(*) FROM found) < $2");
  return sql.text();
}

const pg::Statement& gaps_statement(GapOrder order, bool after) {
  static const pg::Statement biggest(gaps_text(GapOrder::biggest, false));
  static const pg::Statement biggest_after(gaps_text(GapOrder::biggest, true));
  static const pg::Statement aligned(gaps_text(GapOrder::most_aligned, false));
  static const pg::Statement aligned_after(gaps_text(GapOrder::most_aligned, true));
  if (order == GapOrder::biggest) return after ? biggest_after : biggest;
  return after ? aligned_after : aligned;
}

GapPlace place_of(GapOrder order, const pg::Row& row) {
  return {order, static_cast<std::int16_t>(row.get<std::int64_t>(PageRows::number_column)), row.get<AnimeId>(PageRows::id_column),
          row.get<ProfileId>(taste_column::id2), row.get<ProfileId>(taste_column::id3)};
}

}  // namespace

std::expected<Question, Problem> RatingGapsPage::ask(const Visit& visit) {
  pg::Params params(watch_space, items_max() + 1);
  if (!cursor) return Question{&gaps_statement(order.value_or(GapOrder::biggest), false), std::move(params)};
  const auto place = visit.cursors->open<GapPlace>(*cursor, visit.epoch, visit.path);
  if (!place) return std::unexpected(place.error());
  if (order && *order != place->order) return std::unexpected(Cursors::unknown());
  order = place->order;
  params.add(place->gap_tenths).add(place->anime).add(place->low).add(place->high);
  return Question{&gaps_statement(*order, true), std::move(params)};
}

std::expected<Shown, Problem> RatingGapsPage::show(const PageRows& rows, const Visit& visit, Keyring&) const {
  const GapOrder by = order.value_or(GapOrder::biggest);
  const std::vector<ProfileId> members = members_of(rows, taste_column::at1);
  const MemberScores scores(members);
  const PageRows::Range found = rows.of(kind::gap);
  std::vector<GapAnswer> items;
  std::optional<std::string> next;
  for (const pg::Row row : found) {
    if (static_cast<std::int64_t>(items.size()) == items_max()) break;
    items.push_back({row.get<AnimeId>(PageRows::id_column),
                     row.get<std::optional<std::string_view>>(PageRows::text_column).value_or(std::string_view()),
                     points(row.get<std::int64_t>(PageRows::number_column)), scores.shown(row, taste_column::j1)});
    if (static_cast<std::int64_t>(items.size()) == items_max() && found.size() > items.size()) next = visit.next(*this, place_of(by, row));
  }
  for (const pg::Row row : rows.of(kind::stopped_at)) next = visit.next(*this, place_of(by, row));
  return show_list(items, std::move(next));
}

// ----------------------------------------------------------------------------------------------------------------------- distribution

namespace {

struct MemberDistribution : Distribution {
  ProfileId user_id = {};
};
BOOST_DESCRIBE_STRUCT(MemberDistribution, (Distribution), (user_id))

struct DistributionAnswer {
  WatchSpaceId watch_space_id;
  Distribution together;
  std::vector<MemberDistribution> members;
};
BOOST_DESCRIBE_STRUCT(DistributionAnswer, (), (watch_space_id, together, members))

std::string distribution_text() {
  PageSql sql({Model::spaces, Model::analytics}, "$1", taste_columns());
  sql.with(present_members);
  add_members(sql, "at1");
  sql.rows(kind::score_count, {{"id", "profile"}, {"n1", "score_tenths::integer"}, {"number", "anime"}},
           "FROM read_analytics.scores WHERE watch_space = $1 AND profile = ANY(" + std::string(present_ids) + ") AND anime > 0");
  return sql.text();
}

}  // namespace

std::expected<Question, Problem> RatingDistributionPage::ask(const Visit&) const {
  static const pg::Statement statement(distribution_text());
  return Question{&statement, pg::Params(watch_space)};
}

std::expected<Shown, Problem> RatingDistributionPage::show(const PageRows& rows, const Visit&, Keyring&) const {
  using Counts = std::vector<std::pair<std::int16_t, std::int64_t>>;
  Counts all;
  std::map<ProfileId, Counts> by_member;
  for (const pg::Row row : rows.of(kind::score_count)) {
    all.emplace_back(static_cast<std::int16_t>(row.get<std::int32_t>(taste_column::n1)), row.get<std::int64_t>(PageRows::number_column));
    by_member[row.get<ProfileId>(PageRows::id_column)].push_back(all.back());
  }
  DistributionAnswer answer{watch_space, distribution_of(all), {}};
  for (const ProfileId member : members_of(rows, taste_column::at1)) {
    MemberDistribution& shown = answer.members.emplace_back();
    static_cast<Distribution&>(shown) = distribution_of(by_member[member]);
    shown.user_id = member;
  }
  return Shown{json::to_string(answer)};
}

}  // namespace bloomwatch
