// From rows to changes: who is who, the events decoded, then their words.
#include "query-service/history/items.h"

#include <unordered_map>

#include "query-service/history/words.h"

namespace bloomwatch {
namespace {

namespace column = history_column;

NamesOfPeople names_of(const PageRows& rows, Keyring& keys) {
  NamesOfPeople names;
  for (const pg::Row row : rows.of(history_kind::person)) {
    if (const auto wrapped = row.get<std::optional<std::string_view>>(PageRows::bytes_column))
      keys.add(row.get<UserId>(column::id2), *wrapped);
    names.emplace(row.get<ProfileId>(PageRows::id_column), keys.open(row.get<std::optional<std::string_view>>(PageRows::text_column)));
  }
  return names;
}

/// Of spaces, anime and titles: views into the rows.
using NamesOfThings = std::unordered_map<Uuid, std::string_view>;

NamesOfThings names_of_things(const PageRows& rows) {
  NamesOfThings names;
  for (const pg::Row row : rows.of(history_kind::name))
    if (const auto name = row.get<std::optional<std::string_view>>(PageRows::text_column))
      names.emplace(row.get<Uuid>(PageRows::id_column), *name);
  return names;
}

/// What is undone, and where: by an undo that was not undone itself. From the newest on: whether an undo stands is known before what it
/// takes back is looked at.
using Undone = std::unordered_map<Position, Position>;

Undone undone_of(const PageRows& rows) {
  Undone undone;
  for (const pg::Row row : rows.of(history_kind::undo)) {
    const auto position = row.get<Position>(PageRows::number_column);
    if (!undone.contains(position)) undone.try_emplace(row.get<Position>(column::undoes), position);
  }
  return undone;
}

/// An event as the row has it; throws UndecodableEvent.
AnyEvent event_of(const pg::Row& row, int type, int version, int data) {
  RecordedEvent recorded;
  recorded.meta.position = row.get<Position>(PageRows::number_column);
  recorded.type = row.get<std::string>(type);
  recorded.schema_version = row.get<std::int32_t>(version);
  recorded.data = row.get<std::string>(data);
  return decode(recorded);
}

/// The watch session that an event is about. One that only moved something else is what moved it, and not meant here.
template <class E>
std::optional<WatchSessionId> session_of(const E& event) {
  if constexpr (requires {
                  { event.session } -> std::same_as<const WatchSessionId&>;
                })
    return event.session;
  else
    return std::nullopt;
}

class Items {
 public:
  Items(const NamesOfPeople& names, const NamesOfThings& things, const Undone& undone, const Keyring& keys)
      : names_(names), things_(things), undone_(undone), keys_(keys) {}

  HistoryItem item(const pg::Row& row) const {
    HistoryItem item;
    item.position = row.get<Position>(PageRows::number_column);
    item.at = row.get<Time>(column::at1);
    item.by = person(row, column::actor);
    item.origin = {row.get<std::string_view>(column::origin), row.get<std::optional<std::string_view>>(column::provider),
                   row.get<std::optional<std::string_view>>(column::reference)};
    item.type = row.get<std::string_view>(PageRows::text_column);
    item.subject.person = person(row, column::person);
    if (const auto space = row.get<std::optional<WatchSpaceId>>(column::id2)) item.subject.watch_space = HistorySpace{*space, name(*space)};
    if (const auto anime = row.get<std::optional<AnimeId>>(column::anime)) item.subject.anime = HistoryAnime{*anime, name(*anime)};
    if (const auto title = row.get<std::optional<TitleId>>(column::title_id)) item.subject.title = HistoryTitle{*title, name(*title)};
    item.change = row.get<CommandId>(column::command);
    item.undoes = row.get<std::optional<Position>>(column::undoes);
    if (const auto undo = undone_.find(item.position); undo != undone_.end()) item.undone_by = undo->second;
    tell_of(row, item);
    return item;
  }

 private:
  template <class Tag>
  std::optional<std::string_view> name(const Id<Tag>& id) const {
    const auto found = things_.find(id.uuid);
    if (found == things_.end()) return std::nullopt;
    return found->second;
  }
  /// What it is about is called, if it is an anime or a title.
  static std::optional<std::string> title_of(const HistorySubject& subject) {
    if (subject.anime && subject.anime->preferred_title) return std::string(*subject.anime->preferred_title);
    if (subject.title && subject.title->preferred_title) return std::string(*subject.title->preferred_title);
    return std::nullopt;
  }
  std::optional<HistoryPerson> person(const pg::Row& row, int at) const {
    const auto profile = row.get<std::optional<ProfileId>>(at);
    if (!profile) return std::nullopt;
    const auto found = names_.find(*profile);
    return HistoryPerson{*profile, found == names_.end() ? std::nullopt : found->second};
  }

  void tell_of(const pg::Row& row, HistoryItem& item) const {
    const AnyEvent event = event_of(row, PageRows::text_column, column::schema_version, column::data);
    std::optional<AnyEvent> before;
    if (!row.null(column::before_type)) before = event_of(row, column::before_type, column::before_version, column::before_data);
    item.field = visit_event(event, []<class E>(const E&) { return field<E>; });
    item.subject.session = visit_event(event, [](const auto& e) { return session_of(e); });
    Telling telling = tell({.event = event,
                            .before = before ? &*before : nullptr,
                            .actor = row.get<std::optional<ProfileId>>(column::actor),
                            .person = row.get<std::optional<ProfileId>>(column::person),
                            .title = title_of(item.subject),
                            .names = names_,
                            .keys = keys_});
    item.before.text = std::move(telling.before);
    item.after.text = std::move(telling.after);
    item.summary = std::move(telling.summary);
    item.forgotten = telling.forgotten;
  }

  const NamesOfPeople& names_;
  const NamesOfThings& things_;
  const Undone& undone_;
  const Keyring& keys_;
};

}  // namespace

std::vector<HistoryItem> history_items(const PageRows& rows, Position reached, std::size_t most, Keyring& keys) {
  const NamesOfPeople names = names_of(rows, keys);
  const NamesOfThings things = names_of_things(rows);
  const Undone undone = undone_of(rows);
  const Items items(names, things, undone, keys);
  std::vector<HistoryItem> shown;
  for (const pg::Row row : rows.of(history_kind::change)) {
    if (shown.size() == most) break;
    if (row.get<Position>(PageRows::number_column) <= reached) shown.push_back(items.item(row));
  }
  return shown;
}

}  // namespace bloomwatch
