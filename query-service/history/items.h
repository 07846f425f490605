// A change as pages and exports show it, and the rows that it is made of. Texts are views into the rows that they came from.
#pragma once

#include <boost/describe.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "events/fields.h"
#include "query-service/keyring.h"
#include "query-service/page_rows.h"
#include "runtime/json.h"

namespace bloomwatch {

struct HistoryPerson {
  ProfileId user_id;
  std::optional<std::string> display_name;  ///< of today; null: forgotten, or not to be told
};
BOOST_DESCRIBE_STRUCT(HistoryPerson, (), (user_id, display_name))

struct HistorySpace {
  WatchSpaceId id;
  std::optional<std::string_view> name;  ///< null: who asks is not a member now
};
BOOST_DESCRIBE_STRUCT(HistorySpace, (), (id, name))

struct HistoryAnime {
  AnimeId id;
  std::optional<std::string_view> preferred_title;
};
BOOST_DESCRIBE_STRUCT(HistoryAnime, (), (id, preferred_title))

/// A title of the catalogue.
struct HistoryTitle {
  TitleId id;
  std::optional<std::string_view> preferred_title;
};
BOOST_DESCRIBE_STRUCT(HistoryTitle, (), (id, preferred_title))

struct HistorySubject {
  std::optional<HistorySpace> watch_space = {};
  std::optional<HistoryAnime> anime = {};
  std::optional<WatchSessionId> session = {};  ///< of the anime
  std::optional<HistoryTitle> title = {};
  std::optional<HistoryPerson> person = {};
};
BOOST_DESCRIBE_STRUCT(HistorySubject, (), (watch_space, anime, session, title, person))

struct HistoryOrigin {
  std::string_view kind;
  std::optional<std::string_view> provider;
  std::optional<std::string_view> reference;
};
BOOST_DESCRIBE_STRUCT(HistoryOrigin, (), (kind, provider, reference))

struct HistoryItem {
  Position position = 0;
  Time at;
  std::optional<HistoryPerson> by;  ///< null: the system, or somebody who had no account yet
  HistoryOrigin origin;
  std::string_view type;   ///< of the event
  std::string_view field;  ///< events/fields.h
  HistorySubject subject;
  json::Raw before;
  json::Raw after;
  std::string summary;
  bool forgotten = false;             ///< a text of it is gone with the person who wrote it
  CommandId change;                   ///< the command that made it: all its changes have the same
  std::optional<Position> undoes;     ///< the change that this one takes back
  std::optional<Position> undone_by;  ///< the change that took this one back, if that one stands
};
BOOST_DESCRIBE_STRUCT(HistoryItem, (),
                      (position, at, by, origin, type, field, subject, before, after, summary, forgotten, change, undoes, undone_by))

/// The columns of history's statements (statements.h), and its kinds of rows.
namespace history_kind {
inline constexpr std::int16_t change = row_kind::own;      ///< `number` its position, `text` the type
inline constexpr std::int16_t person = row_kind::own + 1;  ///< `id` a profile, `text` its name's box, `bytes` the key, id2 the account
inline constexpr std::int16_t floor = row_kind::own + 2;   ///< `number`: what is below it was not looked at
inline constexpr std::int16_t anime = row_kind::own + 3;   ///< there is one: the space has, or had, that anime
inline constexpr std::int16_t query = row_kind::own + 4;   ///< an admin's look
inline constexpr std::int16_t name = row_kind::own + 5;    ///< `id` a space, an anime or a title, `text` its name, if it may be told
inline constexpr std::int16_t undo = row_kind::own + 6;    ///< `number` a position, undoes the one that it takes back; the newest first
}  // namespace history_kind
namespace history_column {
inline constexpr int id2 = PageRows::own_column;   ///< change: the space; person: the account; query: the admin
inline constexpr int anime = id2 + 1;              ///< change, query
inline constexpr int actor = anime + 1;            ///< change
inline constexpr int person = actor + 1;           ///< change, query
inline constexpr int command = person + 1;         ///< change
inline constexpr int at1 = command + 1;            ///< change: when; member: joined; query: asked
inline constexpr int at2 = at1 + 1;                ///< query: since
inline constexpr int at3 = at2 + 1;                ///< query: until
inline constexpr int undoes = at3 + 1;             ///< change, undo: a position
inline constexpr int schema_version = undoes + 1;  ///< change
inline constexpr int before_version = schema_version + 1;
inline constexpr int data = before_version + 1;      ///< change
inline constexpr int before_type = data + 1;         ///< change; query: the field
inline constexpr int before_data = before_type + 1;  ///< change
inline constexpr int origin = before_data + 1;       ///< change
inline constexpr int provider = origin + 1;          ///< change
inline constexpr int reference = provider + 1;       ///< change
inline constexpr int types = reference + 1;          ///< query: JSON
inline constexpr int title_id = types + 1;           ///< change: of the catalogue
}  // namespace history_column

/// The changes of a page, newest first, up to `most` of them; those after `reached` are left out, since between them may be some that are
/// not folded yet. `keys` takes what the rows bring.
std::vector<HistoryItem> history_items(const PageRows& rows, Position reached, std::size_t most, Keyring& keys);

}  // namespace bloomwatch
