// The lists of history: what is asked, where a page begins and where the next one does.
#include "query-service/history/pages.h"

#include <algorithm>
#include <limits>

namespace bloomwatch {
namespace {

constexpr Position newest = std::numeric_limits<Position>::max();

Problem wrong_query(std::string pointer, std::string detail) {
  return problems::validation({{std::move(pointer), std::move(detail), json::In::query}});
}

/// The types that are looked for; none: any.
std::vector<std::string> types_of(const HistoryFilter& filter) {
  if (!filter.field) return filter.types;
  std::vector<std::string> types = types_of_field(*filter.field);
  if (!filter.types.empty())
    std::erase_if(types, [&](const std::string& type) { return std::ranges::find(filter.types, type) == filter.types.end(); });
  if (types.empty()) types.emplace_back();  // no event has both: there is no type without a name
  return types;
}

HistoryFilter filter_of(const FilteredHistoryList& page, std::optional<ProfileId> person) {
  HistoryFilter filter{.person = person, .from = page.from, .until = page.until};
  for (const EventTypeName& type : page.types) filter.types.push_back(type.name);
  if (page.field) filter.field = page.field->name;
  return filter;
}

/// A cursor brings its filters; what is given beside it must be the same.
std::expected<HistoryPlace, Problem> place_of(const ListQuery& page, HistoryFilter filter, const Visit& visit, std::string_view list) {
  if (filter.types.size() > event_types_max)
    return std::unexpected(wrong_query("/types", "must be at most " + std::to_string(event_types_max) + " types"));
  if (filter.from && filter.until && *filter.from >= *filter.until)
    return std::unexpected(wrong_query("/until", "must be later than `from`"));
  if (!page.cursor) return HistoryPlace{newest, std::move(filter)};
  auto place = visit.cursors->open<HistoryPlace>(*page.cursor, visit.epoch, list);
  if (!place) return place;
  if (filter != HistoryFilter{} && filter != place->filter) return std::unexpected(Cursors::unknown());
  return place;
}

/// `walker`: what `$1` and `$4` of the statement are.
struct Walker {
  HistoryWalk walk;
  Uuid who;
  Uuid key;
};

Question question(const Walker& walker, const HistoryPlace& place, std::int64_t items_max, std::optional<WatchSpaceId> space = {}) {
  const HistoryFilter& filter = place.filter;
  const bool filtered = filter != HistoryFilter{} || space;
  pg::Params params(walker.who, items_max + 1, place.before, walker.key);
  if (filtered) {
    params.add_array(types_of(filter)).add(filter.person).add(filter.from).add(filter.until).add(space);
  }
  return {&history_statement(walker.walk, filtered), std::move(params)};
}

/// What a page shows, and before which position the next one begins, if there is one.
struct HistoryPart {
  std::vector<HistoryItem> items;
  std::optional<Position> next_before;
};

HistoryPart part_of(const PageRows& rows, std::int64_t items_max, Keyring& keys) {
  const Position reached = rows.state(Model::history).reached();
  HistoryPart part{history_items(rows, reached, static_cast<std::size_t>(items_max), keys), {}};
  const bool more = rows.of(history_kind::change).size() > static_cast<std::size_t>(items_max);
  if (more) {
    part.next_before = part.items.empty() ? reached + 1 : part.items.back().position;
  } else if (const PageRows::Range floor = rows.of(history_kind::floor); !floor.empty()) {
    part.next_before = std::min(floor.front().get<Position>(PageRows::number_column), reached + 1);
  }
  return part;
}

/// `next` makes the link of the next page.
Shown shown_as(const HistoryList& page, const HistoryPart& part, const auto& next) {
  const HistoryFormat format = page.format.value_or(HistoryFormat::json);
  std::optional<std::string> link;
  if (part.next_before) link = next(*part.next_before);
  if (link && format != HistoryFormat::json) *link += "&format=" + std::string(json::name_of(format));
  if (format == HistoryFormat::json) return show_list(part.items, std::move(link));
  Shown shown;
  shown.body = format == HistoryFormat::ndjson ? ndjson(part.items) : csv(part.items, !page.cursor);
  shown.next = std::move(link);
  shown.content_type = content_type_of(format);
  return shown;
}

Shown show_filtered(const FilteredHistoryList& page, const HistoryPlace& place, const PageRows& rows, const Visit& visit, Keyring& keys) {
  return shown_as(page, part_of(rows, page.items_max(), keys),
                  [&](Position before) { return visit.next(page, HistoryPlace{before, place.filter}); });
}

Problem no_such_audit_query() {
  Problem problem = problems::not_found("You have asked no such question. Ask with POST /api/admin/audit/queries.");
  problem.type = "no-such-audit-query";
  problem.title = "No such audit query";
  return problem;
}

Problem audit_query_expired() {
  Problem problem = problems::gone("An audit can be looked at for an hour after it was asked for. Ask again.");
  problem.type = "audit-query-expired";
  problem.title = "The audit query has expired";
  return problem;
}

}  // namespace

std::expected<Question, Problem> SpaceHistoryPage::ask(const Visit& visit) {
  auto place = place_of(*this, filter_of(*this, person), visit, visit.path);
  if (!place) return std::unexpected(std::move(place.error()));
  place_ = std::move(*place);
  return question({HistoryWalk::space, watch_space.uuid, watch_space.uuid}, place_, items_max());
}

std::expected<Shown, Problem> SpaceHistoryPage::show(const PageRows& rows, const Visit& visit, Keyring& keys) const {
  return show_filtered(*this, place_, rows, visit, keys);
}

std::expected<Question, Problem> AnimeHistoryPage::ask(const Visit& visit) {
  auto place = place_of(*this, filter_of(*this, person), visit, visit.path);
  if (!place) return std::unexpected(std::move(place.error()));
  place_ = std::move(*place);
  return question({HistoryWalk::anime, watch_space.uuid, anime.uuid}, place_, items_max());
}

std::expected<Shown, Problem> AnimeHistoryPage::show(const PageRows& rows, const Visit& visit, Keyring& keys) const {
  if (rows.of(history_kind::anime).empty()) return std::unexpected(no_such_anime());
  return show_filtered(*this, place_, rows, visit, keys);
}

std::expected<Question, Problem> MyHistoryPage::ask(const Visit& visit) {
  auto place = place_of(*this, filter_of(*this, std::nullopt), visit, visit.path);
  if (!place) return std::unexpected(std::move(place.error()));
  place_ = std::move(*place);
  return question({HistoryWalk::own, visit.by.account.uuid, visit.by.profile.uuid}, place_, items_max());
}

std::expected<Shown, Problem> MyHistoryPage::show(const PageRows& rows, const Visit& visit, Keyring& keys) const {
  return show_filtered(*this, place_, rows, visit, keys);
}

// ------------------------------------------------------------------------------------------------------------------------------ audit

std::string AuditPage::list(const Visit& visit) const { return visit.path + "?query=" + query.to_string(); }

std::expected<Question, Problem> AuditPage::ask(const Visit& visit) {
  const Uuid account = visit.by.account.uuid;
  if (!asked_) return Question{&audit_query_statement(), pg::Params(account, query)};
  if (cursor) {
    const auto place = visit.cursors->open<HistoryPlace>(*cursor, visit.epoch, list(visit));
    if (!place) return std::unexpected(place.error());
    place_.before = place->before;
  }
  const auto& filter = place_.filter;
  if (asked_->anime) return question({HistoryWalk::any_anime, account, asked_->anime->uuid}, place_, items_max(), asked_->watch_space);
  if (asked_->watch_space) return question({HistoryWalk::any_space, account, asked_->watch_space->uuid}, place_, items_max());
  if (filter.person) {
    HistoryPlace place = place_;
    place.filter.person.reset();  // whom the walk is about
    return question({HistoryWalk::any_person, account, filter.person->uuid}, place, items_max());
  }
  return question({HistoryWalk::everything, account, {}}, place_, items_max());
}

std::expected<Shown, Problem> AuditPage::take_question(const PageRows& rows, const Visit& visit) {
  namespace column = history_column;
  const PageRows::Range found = rows.of(history_kind::query);
  // Another admin's question is not theirs to look through: they leave a trace of their own.
  if (found.empty() || found.front().get<std::optional<ProfileId>>(column::id2) != visit.by.profile)
    return std::unexpected(no_such_audit_query());
  const pg::Row row = found.front();
  if (visit.now >= row.get<Time>(column::at1) + audit_link_life) return std::unexpected(audit_query_expired());
  asked_ = Asked{row.get<std::optional<WatchSpaceId>>(PageRows::id_column), row.get<std::optional<AnimeId>>(column::anime)};
  place_ = {newest,
            {.person = row.get<std::optional<ProfileId>>(column::person),
             .types = json::read<std::vector<std::string>>(row.get<std::string_view>(column::types)).value(),
             .field = row.get<std::optional<std::string>>(column::before_type),
             .from = row.get<std::optional<Time>>(column::at2),
             .until = row.get<std::optional<Time>>(column::at3)}};
  return Shown::again();
}

std::expected<Shown, Problem> AuditPage::show(const PageRows& rows, const Visit& visit, Keyring& keys) {
  if (!asked_) return take_question(rows, visit);
  return shown_as(*this, part_of(rows, items_max(), keys), [&](Position before) {
    return list(visit) + "&limit=" + std::to_string(items_max()) +
           "&cursor=" + visit.cursors->make(visit.epoch, list(visit), HistoryPlace{before, {}});
  });
}

}  // namespace bloomwatch
