// GET /api/titles/{title}: the living title that the id leads to, its votes under all of its ids, its relations as far as we have them.
#include <algorithm>

#include "query-service/catalog/answer.h"
#include "query-service/catalog/pages.h"
#include "query-service/media_answer.h"

namespace bloomwatch {
namespace {

namespace column = catalog_column;

struct RelatedTitle {
  TitleId id;
  std::string_view name;
  std::optional<std::string_view> format = {};
  std::optional<std::string_view> season = {};
  std::optional<std::int32_t> season_year = {};
};
BOOST_DESCRIBE_STRUCT(RelatedTitle, (), (id, name, format, season, season_year))

struct TitleAnswer : TitleSummary {
  std::optional<std::string_view> synopsis = {};
  std::optional<std::string_view> content_rating = {};
  json::Raw starts_on;
  json::Raw ends_on;
  json::Raw tags;
  std::vector<MediaAnswer> external_ids;
  json::Raw availability;
  std::vector<RelatedTitle> related;
  CommunityScore community_score;
  std::vector<Attribution> attribution;
  Time added_at = {};
  Time updated_at = {};
  Version version = 0;
};
BOOST_DESCRIBE_STRUCT(TitleAnswer, (TitleSummary),
                      (synopsis, content_rating, starts_on, ends_on, tags, external_ids, availability, related, community_score,
                       attribution, added_at, updated_at, version))

/// $1 is the id.
const pg::Statement& title_statement() {
  static const pg::Statement statement([] {
    PageSql sql({Model::catalog, Model::analytics}, "$1", catalog_columns());
    sql.with("chosen AS MATERIALIZED (SELECT t.* FROM (SELECT " + living_title("$1") +
             " AS title) AS c, LATERAL (SELECT * FROM read_catalog.titles AS x WHERE x.title = c.title OFFSET 0) AS t)");
    sql.rows(catalog_kind::title, title_values(true), "FROM chosen AS t");
    sql.rows(catalog_kind::vote, {{"number", "v.votes"}, {"n1", "v.score_tenths::integer"}},
             "FROM chosen AS c, LATERAL " + ids_of_title("c.title") +
                 " AS a, LATERAL (SELECT x.votes, x.score_tenths FROM read_analytics.votes AS x WHERE x.title = a.alias OFFSET 0) AS v");
    sql.rows(catalog_kind::related,
             {{"id", "t.title"}, {"text", "t.name"}, {"t1", "t.format"}, {"t3", "t.season"}, {"n1", "t.season_year"}},
             "FROM chosen AS c, LATERAL (SELECT " + living_title("(r.value ->> 'alias')::uuid") +
                 " AS title FROM jsonb_array_elements(c.related) AS r OFFSET 0) AS r, LATERAL (SELECT * FROM read_catalog.titles AS x WHERE"
                 " x.title = r.title OFFSET 0) AS t");
    return sql.text();
  }());
  return statement;
}

std::vector<RelatedTitle> show_related(const PageRows::Range& rows, TitleId self) {
  std::vector<RelatedTitle> related;
  for (const pg::Row row : rows) {
    const auto id = row.get<TitleId>(PageRows::id_column);
    if (id == self || std::ranges::find(related, id, &RelatedTitle::id) != related.end()) continue;
    related.push_back({id, row.get<std::string_view>(PageRows::text_column), row.get<std::optional<std::string_view>>(column::t1),
                       row.get<std::optional<std::string_view>>(column::t3), row.get<std::optional<std::int32_t>>(column::n1)});
  }
  return related;
}

}  // namespace

std::expected<Question, Problem> TitlePage::ask(const Visit&) const { return Question{&title_statement(), pg::Params(title)}; }

std::expected<Shown, Problem> TitlePage::show(const PageRows& rows, const Visit&, Keyring&) const {
  const PageRows::Range found = rows.of(catalog_kind::title);
  if (found.empty()) {
    Problem problem = problems::not_found("The catalogue has no title with this id.");
    problem.type = "no-such-title";
    problem.title = "There is no such title";
    return std::unexpected(std::move(problem));
  }
  const pg::Row row = found.front();
  const auto raw = [&](int at) { return row.null(at) ? json::Raw{} : json::Raw{std::string(row.get<std::string_view>(at))}; };
  TitleAnswer answer;
  static_cast<TitleSummary&>(answer) = show_title(row);
  answer.synopsis = row.get<std::optional<std::string_view>>(column::t6);
  answer.content_rating = row.get<std::optional<std::string_view>>(column::t7);
  answer.starts_on = raw(column::j8);
  answer.ends_on = raw(column::j9);
  answer.tags = raw(column::j3);
  const auto references = json::read<std::vector<MediaReference>>(row.get<std::string_view>(column::j5)).value();
  answer.external_ids = media_answers(references);
  answer.availability = raw(column::j6);
  answer.related = show_related(rows.of(catalog_kind::related), answer.id);
  std::vector<std::pair<std::int32_t, std::int64_t>> votes;
  for (const pg::Row vote : rows.of(catalog_kind::vote))
    votes.emplace_back(vote.get<std::int32_t>(column::n1), vote.get<std::int64_t>(PageRows::number_column));
  answer.community_score = community_score(votes);
  answer.attribution = attribution_of({answer});
  answer.added_at = row.get<Time>(column::at1);
  answer.updated_at = row.get<Time>(column::at2);
  answer.version = row.get<Version>(PageRows::number_column);
  return Shown{json::to_string(answer)};
}

}  // namespace bloomwatch
