// Lists of titles, the most popular first. One statement a combination of filters: it walks the narrowest list there is (a studio's, a
// genre's, a season's …) in its index's order, and looks each title up; for what else is asked it looks at so many and goes on by `next`.
#include <algorithm>
#include <map>
#include <memory>
#include <mutex>

#include "projector/catalog/catalog.h"
#include "query-service/catalog/answer.h"
#include "query-service/catalog/pages.h"
#include "runtime/ascii.h"

namespace bloomwatch {
namespace {

/// What tells two of the list's statements apart.
struct Shape {
  bool year, season, genre, studio, format, after;
  auto operator<=>(const Shape&) const = default;
};

Shape shape_of(const TitleFilter& filter, bool after) {
  return {filter.year.has_value(),   filter.season.has_value(), filter.genre.has_value(),
          filter.studio.has_value(), filter.format.has_value(), after};
}

/// What one statement walks, in an index's order, and what of the shape that index does not say.
struct Walk {
  std::string from;     ///< a table as `w`, its rows in the order of popularity and title
  std::string filters;  ///< of a title `t`
};

/// $1 how many; then those that the shape has, in this order: studio, genre (their listings), year, season, format, the place.
Walk walk_of(const Shape& shape) {
  int parameter = 1;
  const auto next = [&] { return "$" + std::to_string(++parameter); };
  const std::string studio = shape.studio ? next() : "";
  const std::string genre = shape.genre ? next() : "";
  const std::string year = shape.year ? "season_year = " + next() : "";
  const std::string season = shape.season ? "season = " + next() : "";
  const std::string format = shape.format ? "format = " + next() : "";
  const bool listed = shape.studio || shape.genre;
  Walk walk;
  std::string where = listed ? "w.listing = " + (shape.studio ? studio : genre) : "w.merged_into IS NULL";
  const auto narrow = [&](const std::string& condition, bool by_index) {
    if (condition.empty()) return;
    (by_index ? where : walk.filters) += (by_index ? " AND w." : " AND t.") + condition;
  };
  narrow(year, !listed);
  narrow(season, !listed && shape.year);
  narrow(format, !listed && !shape.year);
  if (shape.studio && shape.genre)
    walk.filters += " AND (SELECT true FROM read_catalog.listings AS g WHERE g.listing = " + genre + " AND g.title = t.title)";
  if (shape.after) {
    const std::string popularity = next();
    where += " AND (w.popularity, w.title) < (" + popularity + ", " + next() + ")";
  }
  walk.from = std::string(listed ? "read_catalog.listings" : "read_catalog.titles") + " AS w WHERE " + where +
              " ORDER BY w.popularity DESC, w.title DESC";
  return walk;
}

std::string statement_text(const Shape& shape) {
  const Walk walk = walk_of(shape);
  const auto titles_of = [](const std::string& walked) {
    return "FROM (SELECT w.title FROM " + walked +
           ") AS l CROSS JOIN LATERAL (SELECT * FROM read_catalog.titles WHERE title = l.title OFFSET 0) AS t";
  };
  PageSql sql({Model::catalog}, "NULL::uuid", catalog_columns());
  if (walk.filters.empty()) {
    sql.rows(catalog_kind::title, title_values(false), titles_of(walk.from + " LIMIT $1"));
    return sql.text();
  }
  const std::string examined = std::to_string(titles_examined_max);
  sql.with("found AS MATERIALIZED (SELECT t.* " + titles_of(walk.from + " LIMIT " + examined) + " WHERE true" + walk.filters +
           " LIMIT $1)");
  sql.rows(catalog_kind::title, title_values(false), "FROM found AS t");
  sql.rows(catalog_kind::stopped_at, {{"id", "l.title"}, {"number", "l.popularity"}},
           "FROM (SELECT w.title, w.popularity FROM " + walk.from + " OFFSET " + examined +
               " - 1 LIMIT 1) AS l WHERE (SELECT count(*) FROM found) < $1");
  return sql.text();
}

const pg::Statement& statement_of(const Shape& shape) {
  static std::mutex mutex;
  static std::map<Shape, std::unique_ptr<pg::Statement>> statements;
  const std::lock_guard lock(mutex);
  auto& statement = statements[shape];
  if (!statement) statement = std::make_unique<pg::Statement>(statement_text(shape));
  return *statement;
}

/// Where the list begins, if it does not begin at its beginning. A cursor carries the filters; who repeats them repeats them as they were.
std::expected<std::optional<TitlePlace>, Problem> place_of(const ListQuery& query, const TitleFilter& filter, const Visit& visit) {
  if (!query.cursor) return std::nullopt;
  auto opened = visit.cursors->open<TitlePlace>(*query.cursor, visit.epoch, visit.list());
  if (!opened) return std::unexpected(std::move(opened.error()));
  if (filter != TitleFilter{} && filter != opened->filter) return std::unexpected(Cursors::unknown());
  return std::move(*opened);
}

std::expected<Question, Problem> ask_list(const ListQuery& query, TitleFilter& filter, const Visit& visit) {
  auto place = place_of(query, filter, visit);
  if (!place) return std::unexpected(std::move(place.error()));
  if (*place) filter = (*place)->filter;
  pg::Params params(query.items_max() + 1);
  if (filter.studio) params.add(listing_of("studio", *filter.studio));
  if (filter.genre) params.add(listing_of("genre", *filter.genre));
  if (filter.year) params.add(*filter.year);
  if (filter.season) params.add(json::name_of(*filter.season));
  if (filter.format) params.add(*filter.format);
  if (*place) params.add((*place)->popularity).add((*place)->title);
  return Question{&statement_of(shape_of(filter, place->has_value())), std::move(params)};
}

/// The items of a page, and where it goes on.
struct TitleItems {
  std::vector<TitleSummary> items;
  std::optional<std::string> next;
};

TitleItems items_of(const ListQuery& query, const TitleFilter& filter, const PageRows& rows, const Visit& visit) {
  TitleItems list;
  const PageRows::Range found = rows.of(catalog_kind::title);
  for (const pg::Row row : found) {
    list.items.push_back(show_title(row));
    if (static_cast<std::int64_t>(list.items.size()) < query.items_max()) continue;
    if (found.size() > list.items.size())
      list.next = visit.next(query, TitlePlace{filter, list.items.back().popularity, list.items.back().id});
    break;
  }
  for (const pg::Row row : rows.of(catalog_kind::stopped_at))
    list.next =
        visit.next(query, TitlePlace{filter, row.get<std::int64_t>(PageRows::number_column), row.get<TitleId>(PageRows::id_column)});
  return list;
}

struct TitleListAnswer {
  std::vector<TitleSummary> items;
  std::optional<std::string> next;
  std::vector<Attribution> attribution;
};
BOOST_DESCRIBE_STRUCT(TitleListAnswer, (), (items, next, attribution))

struct SeasonAnswer : TitleListAnswer {
  std::int32_t year = 0;
  std::string_view season;
};
BOOST_DESCRIBE_STRUCT(SeasonAnswer, (TitleListAnswer), (year, season))

struct StudioAnswer : TitleListAnswer {
  std::string_view slug;
  std::string name;
};
BOOST_DESCRIBE_STRUCT(StudioAnswer, (TitleListAnswer), (slug, name))

template <class Answer>
Shown show_titles(Answer answer, TitleItems list) {
  answer.attribution = attribution_of(list.items);
  answer.items = std::move(list.items);
  answer.next = std::move(list.next);
  return {json::to_string(answer), answer.next};
}

TitleFilter filter_of(const TitleListPage& page) {
  TitleFilter filter{page.year, page.season, page.genre, page.studio, page.format};
  if (filter.genre) filter.genre = ascii::lower_case(*filter.genre);
  if (filter.format) filter.format = ascii::upper_case(*filter.format);
  return filter;
}

/// A studio's name as a title's credits have it.
std::optional<std::string> name_of_studio(std::string_view credits, std::string_view slug) {
  const auto read = json::read<std::vector<StudioCredit>>(credits);
  if (!read) return std::nullopt;
  const auto found = std::ranges::find(*read, slug, &StudioCredit::slug);
  return found == read->end() ? std::nullopt : std::optional(found->name);
}

}  // namespace

std::expected<Question, Problem> TitleListPage::ask(const Visit& visit) {
  TitleFilter filter = filter_of(*this);
  auto question = ask_list(*this, filter, visit);
  year = filter.year;
  season = filter.season;
  genre = filter.genre;
  studio = filter.studio;
  format = filter.format;
  return question;
}

std::expected<Shown, Problem> TitleListPage::show(const PageRows& rows, const Visit& visit, Keyring&) const {
  return show_titles(TitleListAnswer{}, items_of(*this, filter_of(*this), rows, visit));
}

std::expected<Question, Problem> SeasonPage::ask(const Visit& visit) {
  TitleFilter filter{.year = year, .season = season};
  return ask_list(*this, filter, visit);
}

std::expected<Shown, Problem> SeasonPage::show(const PageRows& rows, const Visit& visit, Keyring&) const {
  SeasonAnswer answer;
  answer.year = year;
  answer.season = json::name_of(season);
  return show_titles(std::move(answer), items_of(*this, {.year = year, .season = season}, rows, visit));
}

std::expected<Question, Problem> StudioPage::ask(const Visit& visit) {
  TitleFilter filter{.studio = slug};
  return ask_list(*this, filter, visit);
}

std::expected<Shown, Problem> StudioPage::show(const PageRows& rows, const Visit& visit, Keyring&) const {
  TitleItems list = items_of(*this, {.studio = slug}, rows, visit);
  if (list.items.empty()) {
    Problem problem = problems::not_found("The catalogue knows no studio of this name.");
    problem.type = "no-such-studio";
    problem.title = "There is no such studio";
    return std::unexpected(std::move(problem));
  }
  StudioAnswer answer;
  answer.slug = slug;
  answer.name = name_of_studio(list.items.front().studios.text, slug).value_or(slug);
  return show_titles(std::move(answer), std::move(list));
}

}  // namespace bloomwatch
