// Both pages read one account by its key, and open its own texts with the key that comes along.
#include "query-service/people/pages.h"

#include <vector>

#include "events/accounts.h"

namespace bloomwatch {
namespace {

constexpr std::int16_t kind_me = row_kind::own;
constexpr std::int16_t kind_session = row_kind::own + 1;

namespace column {
constexpr int at1 = PageRows::own_column;  // me: created_at; session: started_at
constexpr int at2 = at1 + 1;               // session: last used
constexpr int t1 = at2 + 1;                // me: handle
constexpr int t2 = t1 + 1;                 // me: display name
constexpr int t3 = t2 + 1;                 // me: avatar
constexpr int t4 = t3 + 1;                 // me: time zone
constexpr int t5 = t4 + 1;                 // me: language
constexpr int t6 = t5 + 1;                 // me: privacy
constexpr int t7 = t6 + 1;                 // me: role
}  // namespace column

struct MeAnswer {
  ProfileId id;
  std::optional<std::string> email;
  std::optional<std::string> handle;
  std::optional<std::string> display_name;
  std::optional<std::string> avatar_url;
  std::string_view time_zone;
  std::string_view language;
  std::string_view privacy;
  std::vector<AccountRole> roles;
  Time created_at;
};
BOOST_DESCRIBE_STRUCT(MeAnswer, (), (id, email, handle, display_name, avatar_url, time_zone, language, privacy, roles, created_at))

struct LoginSessionAnswer {
  SessionId id;
  std::optional<std::string> device;  ///< the User-Agent, as sent
  Time started_at;
  Time last_used_at;
  bool current = false;
};
BOOST_DESCRIBE_STRUCT(LoginSessionAnswer, (), (id, device, started_at, last_used_at, current))

/// With the account's key; $1 is the account.
PageSql people_sql() {
  PageSql sql({Model::people}, "$1",
              {{"at1", "timestamptz"},
               {"at2", "timestamptz"},
               {"t1", "text"},
               {"t2", "text"},
               {"t3", "text"},
               {"t4", "text"},
               {"t5", "text"},
               {"t6", "text"},
               {"t7", "text"}});
  sql.rows(row_kind::key, {{"id", "account"}, {"bytes", "wrapped"}}, "FROM secrets.keys WHERE account = $1");
  return sql;
}

const pg::Statement& me_statement() {
  static const pg::Statement statement(people_sql()
                                           .rows(kind_me,
                                                 {{"id", "p.profile"},
                                                  {"text", "a.email"},
                                                  {"at1", "a.created_at"},
                                                  {"t1", "p.handle"},
                                                  {"t2", "p.display_name"},
                                                  {"t3", "p.avatar_url"},
                                                  {"t4", "p.time_zone"},
                                                  {"t5", "p.language"},
                                                  {"t6", "p.privacy"},
                                                  {"t7", "a.role"}},
                                                 "FROM read_people.accounts AS a JOIN read_people.profiles AS p ON p.profile = $2"
                                                 " WHERE a.account = $1 AND p.account = $1")
                                           .text());
  return statement;
}

/// $2 how many, $3 since when used, $4 and $5 the last one shown. Live: used not too long ago, proved with the present password or told to
/// go on when it was changed.
std::string sessions_text(std::string_view after) {
  return people_sql()
      .rows(kind_session,
            {{"id", "s.session"}, {"text", "s.device"}, {"at1", "s.started_at"}, {"at2", "COALESCE(s.last_refreshed_at, s.started_at)"}},
            "FROM read_people.accounts AS a JOIN read_people.login_sessions AS s ON s.account = a.account WHERE a.account = $1 AND"
            " s.account = $1 AND s.ended_at IS NULL AND (s.password = a.password OR s.session = a.continuing_session) AND "
            "COALESCE(s.last_refreshed_at, s.started_at) > $3" +
                std::string(after) + " ORDER BY s.started_at DESC, s.session DESC LIMIT $2")
      .text();
}

const pg::Statement& sessions_statement(bool after) {
  static const pg::Statement from_start(sessions_text(""));
  static const pg::Statement from_place(sessions_text(" AND (s.started_at, s.session) < ($4, $5)"));
  return after ? from_place : from_start;
}

}  // namespace

std::expected<Question, Problem> MePage::ask(const Visit& visit) const {
  return Question{&me_statement(), pg::Params(visit.by.account, visit.by.profile)};
}

std::expected<Shown, Problem> MePage::show(const PageRows& rows, const Visit&, Keyring& keys) const {
  const PageRows::Range found = rows.of(kind_me);
  if (found.empty()) return std::unexpected(problems::read_model_behind());  // whoever holds a token has registered
  const pg::Row row = found.front();
  const auto opened = [&](int at) { return keys.open(row.get<std::optional<std::string_view>>(at)); };
  MeAnswer me;
  me.id = row.get<ProfileId>(PageRows::id_column);
  me.email = opened(PageRows::text_column);
  me.handle = opened(column::t1);
  me.display_name = opened(column::t2);
  me.avatar_url = opened(column::t3);
  me.time_zone = row.get<std::string_view>(column::t4);
  me.language = row.get<std::string_view>(column::t5);
  me.privacy = row.get<std::string_view>(column::t6);
  me.roles = roles_of(json::enum_of<AccountRole>(row.get<std::string_view>(column::t7)).value_or(AccountRole::user));
  me.created_at = row.get<Time>(column::at1);
  return Shown{json::to_string(me)};
}

std::expected<Question, Problem> LoginSessionListPage::ask(const Visit& visit) const {
  pg::Params params(visit.by.account, items_max() + 1, visit.now - login_session_idle_max);
  if (!cursor) return Question{&sessions_statement(false), std::move(params)};
  const auto place = visit.cursors->open<LoginSessionPlace>(*cursor, visit.epoch, visit.path);
  if (!place) return std::unexpected(place.error());
  params.add(place->started_at).add(place->session);
  return Question{&sessions_statement(true), std::move(params)};
}

std::expected<Shown, Problem> LoginSessionListPage::show(const PageRows& rows, const Visit& visit, Keyring& keys) const {
  const PageRows::Range found = rows.of(kind_session);
  std::vector<LoginSessionAnswer> items;
  std::optional<std::string> next;
  for (const pg::Row row : found) {
    LoginSessionAnswer session;
    session.id = row.get<SessionId>(PageRows::id_column);
    session.device = keys.open(row.get<std::optional<std::string_view>>(PageRows::text_column));
    session.started_at = row.get<Time>(column::at1);
    session.last_used_at = row.get<Time>(column::at2);
    session.current = session.id == visit.by.session;
    items.push_back(std::move(session));
    if (static_cast<std::int64_t>(items.size()) < items_max()) continue;
    if (found.size() > items.size()) next = visit.next(*this, LoginSessionPlace{items.back().started_at, items.back().id});
    break;
  }
  return show_list(items, std::move(next));
}

}  // namespace bloomwatch
