// GET …/anime and …/anime/{anime}: one index range for each sort, filters checked on the way, entries of the anime found.
#include <algorithm>
#include <map>
#include <memory>
#include <mutex>

#include "query-service/boxes.h"
#include "query-service/catalog/rows.h"
#include "query-service/spaces/members.h"
#include "query-service/tracking/pages.h"

namespace bloomwatch {
namespace {

namespace column = tracking_column;

/// What tells two of the list's statements apart.
struct Shape {
  AnimeSort sort;
  bool status;
  bool mine;
  bool after;
  bool thorough;
  auto operator<=>(const Shape&) const = default;
};

struct SortColumn {
  std::string_view name;
  std::string_view type;
  bool descending;
};

SortColumn column_of(AnimeSort sort) {
  switch (sort) {
    case AnimeSort::title:
      return {"sort_title", "text", false};
    case AnimeSort::updated:
      return {"updated_at", "timestamptz", true};
    case AnimeSort::added:
      break;
  }
  return {"added_at", "timestamptz", true};
}

/// What comes after FROM to choose the anime `a` of the page. $1 space, $2 how many, $3 who asks, then those that the shape has: status,
/// mine, the place's key and id.
std::string chosen(const Shape& shape) {
  const SortColumn key = column_of(shape.sort);
  const std::string order(key.descending ? " DESC" : "");
  int parameter = 3;
  const auto next = [&] { return "$" + std::to_string(++parameter); };
  std::string where = "a.watch_space = $1";
  if (shape.status) where += " AND a.shared_status = " + next();
  if (shape.mine)
    where += " AND COALESCE((SELECT o.status FROM read_tracking.entries AS o WHERE o.anime = a.anime AND o.profile = $3), 'backlog') = " +
             next();
  if (shape.after) {
    const std::string at = next() + "::" + std::string(key.type);
    where += " AND (a." + std::string(key.name) + ", a.anime) " + (key.descending ? '<' : '>') + " (" + at + ", " + next() + "::uuid)";
  }
  return "read_tracking.anime AS a WHERE " + where + " ORDER BY a." + std::string(key.name) + order + ", a.anime" + order + " LIMIT $2";
}

/// The anime `a` and their entries `e` (a row without a profile where there is none), in the same order; versions of the entries are
/// compared when the page is shown.
void add_anime_and_entries(PageSql& sql, const std::string& anime, const std::string& entries, const std::string& of_anime) {
  sql.rows(tracking_kind::anime, anime_values("a.version"), "FROM " + anime);
  sql.rows(tracking_kind::entry, entry_values(of_anime), "FROM " + entries);
}

/// With the keys of the members only.
std::string lean_text(const Shape& shape) {
  PageSql sql({Model::spaces, Model::tracking}, "$1", tracking_columns());
  add_members_with_keys(sql, "at1", "id2");
  add_anime_and_entries(sql, chosen(shape),
                        "(SELECT a.anime FROM " + chosen(shape) + ") AS c LEFT JOIN read_tracking.entries AS e ON e.anime = c.anime",
                        "c.anime");
  return sql.text();
}

/// Other anime of the space whose title is the chosen one's, by what the catalogue knows now.
void add_same_title(PageSql& sql) {
  sql.rows(tracking_kind::same_title, {{"id", "s.anime"}},
           "FROM (SELECT " + living_title("c.title") + " AS title FROM chosen AS c OFFSET 0) AS l, LATERAL " + ids_of_title("l.title") +
               " AS a, LATERAL (SELECT t.anime FROM read_tracking.titles AS t WHERE t.watch_space = $1 AND t.title = a.alias AND"
               " t.anime <> $2 OFFSET 0) AS s");
}

/// With the keys of everybody who wrote a text of the page. `anime` gives the CTE its rows; `one`: it is one, the page of its own.
std::string thorough_text(const std::string& anime, bool one = false) {
  PageSql sql = one ? PageSql({Model::spaces, Model::tracking, Model::catalog}, "$1", tracking_columns())
                    : PageSql({Model::spaces, Model::tracking}, "$1", tracking_columns());
  sql.with("chosen AS MATERIALIZED (SELECT a.* FROM " + anime +
           "), said AS MATERIALIZED (SELECT c.anime AS of_anime, e.* FROM chosen AS c LEFT JOIN read_tracking.entries AS e ON e.anime = "
           "c.anime)");
  add_members(sql, "at1");
  add_anime_and_entries(sql, "chosen AS a", "said AS e", "e.of_anime");
  if (one) add_same_title(sql);
  sql.rows(row_kind::key, {{"id", "authors.account"}, {"bytes", "k.wrapped"}},
           keys_of("SELECT unnest(ARRAY[mood, vibe, pitch]) AS box FROM chosen UNION ALL SELECT notes FROM said"));
  return sql.text();
}

const pg::Statement& statement_of(const Shape& shape) {
  static std::mutex mutex;
  static std::map<Shape, std::unique_ptr<pg::Statement>> statements;
  const std::lock_guard lock(mutex);
  auto& statement = statements[shape];
  if (!statement) statement = std::make_unique<pg::Statement>(shape.thorough ? thorough_text(chosen(shape)) : lean_text(shape));
  return *statement;
}

/// What was asked for must be what the cursor was made for.
template <class T>
bool agrees(const std::optional<T>& asked, const std::optional<T>& carried) {
  return !asked || asked == carried;
}

std::string key_of(AnimeSort sort, const pg::Row& row) {
  switch (sort) {
    case AnimeSort::title:
      return row.get<std::string>(column::t12);
    case AnimeSort::updated:
      return to_rfc3339(row.get<Time>(column::at2));
    case AnimeSort::added:
      break;
  }
  return to_rfc3339(row.get<Time>(column::at1));
}

/// The answer of one anime: its row, and the entries of those who are members.
AnimeAnswer show_one(const pg::Row& row, WatchSpaceId space, const PageRows::Range& entries, const std::vector<ProfileId>& members,
                     const Keyring& keys) {
  AnimeAnswer anime;
  show_anime(row, space, keys, anime);
  for (const ProfileId member : members) {
    ParticipantAnswer participant;
    participant.user_id = member;
    anime.participants.push_back(std::move(participant));
  }
  for (const pg::Row entry : entries) {
    if (entry.null(column::id2)) continue;
    anime.version = std::max(anime.version, entry.get<Version>(PageRows::number_column));
    const auto found = std::ranges::find(anime.participants, entry.get<ProfileId>(column::id2), &ParticipantAnswer::user_id);
    if (found != anime.participants.end()) *found = show_entry(entry, keys);
  }
  return anime;
}

}  // namespace

std::expected<Question, Problem> AnimeListPage::ask(const Visit& visit) {
  std::optional<AnimePlace> place;
  if (cursor) {
    auto opened = visit.cursors->open<AnimePlace>(*cursor, visit.epoch, visit.list());
    if (!opened) return std::unexpected(std::move(opened.error()));
    if (!agrees(sort, std::optional(opened->sort)) || !agrees(status, opened->status) || !agrees(mine, opened->mine))
      return std::unexpected(Cursors::unknown());
    sort = opened->sort;
    status = opened->status;
    mine = opened->mine;
    place = std::move(*opened);
  }
  const AnimeSort order = sort.value_or(AnimeSort::added);
  pg::Params params(watch_space, items_max() + 1, visit.by.profile);
  if (status) params.add(json::name_of(*status));
  if (mine) params.add(json::name_of(*mine));
  if (place && order == AnimeSort::title) params.add(place->key);
  if (place && order != AnimeSort::title) {
    const auto time = parse_rfc3339(place->key);
    if (!time) return std::unexpected(Cursors::unknown());
    params.add(*time);
  }
  if (place) params.add(place->anime);
  return Question{&statement_of({order, status.has_value(), mine.has_value(), place.has_value(), thorough}), std::move(params)};
}

std::expected<Shown, Problem> AnimeListPage::show(const PageRows& rows, const Visit& visit, Keyring& keys) {
  if (!thorough) take_keys(rows, column::id2, keys);
  const std::vector<ProfileId> members = members_of(rows, column::at1);
  const PageRows::Range entries = rows.of(tracking_kind::entry);
  std::vector<AnimeAnswer> items;
  std::optional<std::string> next;
  auto entry = entries.begin();
  for (const pg::Row row : rows.of(tracking_kind::anime)) {
    if (static_cast<std::int64_t>(items.size()) == items_max()) break;
    // Entries come in the order of their anime: those of one are neighbours.
    const auto anime = row.get<AnimeId>(PageRows::id_column);
    const auto first = entry;
    while (entry != entries.end() && (*entry).get<AnimeId>(PageRows::id_column) == anime) ++entry;
    items.push_back(show_one(row, watch_space, entries.between(first, entry), members, keys));
    if (static_cast<std::int64_t>(items.size()) == items_max() && rows.of(tracking_kind::anime).size() > items.size()) {
      const AnimeSort order = sort.value_or(AnimeSort::added);
      next = visit.next(*this, AnimePlace{order, status, mine, key_of(order, row), anime});
    }
  }
  if (!thorough && keys.missed()) {
    thorough = true;
    return Shown::again();
  }
  return show_list(items, std::move(next));
}

// ---------------------------------------------------------------------------------------------------------------------------------

namespace {

const pg::Statement& detail_statement() {
  static const pg::Statement statement(thorough_text("read_tracking.anime AS a WHERE a.anime = $2 AND a.watch_space = $1", true));
  return statement;
}

}  // namespace

std::expected<Question, Problem> AnimePage::ask(const Visit&) const {
  return Question{&detail_statement(), pg::Params(watch_space, anime)};
}

std::expected<Shown, Problem> AnimePage::show(const PageRows& rows, const Visit&, Keyring& keys) const {
  const PageRows::Range found = rows.of(tracking_kind::anime);
  if (found.empty()) return std::unexpected(no_such_anime());
  OneAnimeAnswer answer;
  static_cast<AnimeAnswer&>(answer) =
      show_one(found.front(), watch_space, rows.of(tracking_kind::entry), members_of(rows, column::at1), keys);
  for (const pg::Row row : rows.of(tracking_kind::same_title)) answer.same_title_as.push_back(row.get<AnimeId>(PageRows::id_column));
  return Shown{json::to_string(answer)};
}

}  // namespace bloomwatch
