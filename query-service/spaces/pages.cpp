// One statement finds the spaces that are shown, then their members with names and keys, then their invitations where one is an owner.
// The address of an invitation that was accepted is the account's, under the account's key: forgotten with it. One that was not is shown
// from beside the log, unless an account holds it whose key is gone.
#include "query-service/spaces/pages.h"

#include <algorithm>
#include <functional>
#include <tuple>

#include "events/invitation_address.h"
#include "query-service/spaces/members.h"

namespace bloomwatch {
namespace {

namespace kind {
constexpr std::int16_t space = row_kind::own;
constexpr std::int16_t invitation = row_kind::own + 1;
}  // namespace kind

namespace column {
constexpr int id2 = PageRows::own_column;  // space: created_by; member: account; invitation: invited_by
constexpr int id3 = id2 + 1;               // member, invitation: the space
constexpr int at1 = id3 + 1;               // created_at; member: joined_at
constexpr int at2 = at1 + 1;               // space: updated_at; invitation: expires_at
constexpr int at3 = at2 + 1;               // invitation: accepted_at
constexpr int at4 = at3 + 1;               // invitation: revoked_at
constexpr int t1 = at4 + 1;                // space: time_zone; member, invitation: role
constexpr int t2 = t1 + 1;                 // space: theme; member: session_consent
}  // namespace column

constexpr MemberColumns member_columns = {column::id2, column::t1, column::t2, column::at1};

/// The statement once `chosen` (rows of read_spaces.spaces) is known; `asker` is the parameter with the profile who asks.
std::string statement_text(const std::string& chosen, const std::string& asker) {
  PageSql sql({Model::spaces, Model::people}, "$1",
              {{"id2", "uuid"},
               {"id3", "uuid"},
               {"at1", "timestamptz"},
               {"at2", "timestamptz"},
               {"at3", "timestamptz"},
               {"at4", "timestamptz"},
               {"t1", "text"},
               {"t2", "text"}});
  sql.with("chosen AS MATERIALIZED (" + chosen + ")");
  sql.rows(kind::space,
           {{"id", "watch_space"},
            {"number", "version"},
            {"text", "name"},
            {"id2", "created_by"},
            {"at1", "created_at"},
            {"at2", "updated_at"},
            {"t1", "time_zone"},
            {"t2", "theme"}},
           "FROM chosen");
  add_members_with_names(
      sql, {"id3", "id2", "t1", "t2", "at1"},
      "chosen AS c CROSS JOIN LATERAL (SELECT * FROM read_spaces.members WHERE watch_space = c.watch_space OFFSET 0) AS m", "true");
  const std::string address =
      "CASE WHEN i.accepted_at IS NOT NULL THEN k.wrapped WHEN h.stream_id IS NULL OR k.account IS NOT NULL THEN i.box END";
  sql.rows(kind::invitation,
           {{"id", "i.invitation"},
            {"text", "a.email"},
            {"bytes", address},
            {"id2", "i.invited_by"},
            {"id3", "i.watch_space"},
            {"at1", "i.created_at"},
            {"at2", "i.expires_at"},
            {"at3", "i.accepted_at"},
            {"at4", "i.revoked_at"},
            {"t1", "i.role"}},
           "FROM chosen AS c JOIN read_spaces.members AS me ON me.watch_space = c.watch_space AND me.profile = " + asker +
               " AND me.role = 'owner' CROSS JOIN LATERAL (SELECT n.*, s.box FROM read_spaces.invitations AS n"
               " LEFT JOIN secrets.invitation_addresses AS s ON s.id = n.invitation WHERE n.watch_space = c.watch_space"
               " ORDER BY (n.accepted_at IS NULL AND n.revoked_at IS NULL) DESC, n.created_at DESC, n.invitation DESC LIMIT " +
               std::to_string(invitations_shown_max) +
               ") AS i LEFT JOIN read_people.profiles AS p ON p.profile = i.accepted_by LEFT JOIN read_people.accounts AS a ON a.account ="
               " p.account LEFT JOIN log.claims AS h ON h.key = i.invitee LEFT JOIN secrets.keys AS k ON k.account = COALESCE(p.account,"
               " h.stream_id)");
  return sql.text();
}

InvitationStatus status_of(const pg::Row& row, Time now) {
  if (!row.null(column::at3)) return InvitationStatus::accepted;
  if (!row.null(column::at4)) return InvitationStatus::revoked;
  return row.get<Time>(column::at2) <= now ? InvitationStatus::expired : InvitationStatus::pending;
}

/// Nothing if it is forgotten.
std::optional<std::string> address_of(const pg::Row& row, Keyring& keys) {
  const auto bytes = row.get<std::optional<std::string_view>>(PageRows::bytes_column);
  if (!bytes) return std::nullopt;
  if (!row.null(column::at3)) {
    const auto box = row.get<std::optional<std::string_view>>(PageRows::text_column);
    if (const auto account = box ? Personal{std::string(*box)}.account() : std::nullopt) keys.add(*account, *bytes);
    return keys.open(box);
  }
  const auto address = open_invitation_address(keys.master(), row.get<InvitationId>(PageRows::id_column), *bytes);
  return address ? std::optional(address->email) : std::nullopt;
}

InvitationAnswer show_invitation(const pg::Row& row, Time now, Keyring& keys) {
  InvitationAnswer invitation;
  invitation.id = row.get<InvitationId>(PageRows::id_column);
  invitation.email = address_of(row, keys);
  invitation.role = row.get<std::string_view>(column::t1);
  invitation.status = status_of(row, now);
  invitation.invited_by = row.get<ProfileId>(column::id2);
  invitation.created_at = row.get<Time>(column::at1);
  invitation.expires_at = row.get<Time>(column::at2);
  invitation.accepted_at = row.get<std::optional<Time>>(column::at3);
  return invitation;
}

SpaceAnswer show_space(const pg::Row& row) {
  SpaceAnswer space;
  space.id = row.get<WatchSpaceId>(PageRows::id_column);
  space.name = row.get<std::string_view>(PageRows::text_column);
  space.time_zone = row.get<std::string_view>(column::t1);
  space.theme = row.get<std::optional<std::string_view>>(column::t2);
  space.created_by = row.get<ProfileId>(column::id2);
  space.created_at = row.get<Time>(column::at1);
  space.updated_at = row.get<Time>(column::at2);
  space.version = row.get<Version>(PageRows::number_column);
  return space;
}

/// What makes an owner is as if revoked while who sent it is none (WatchSpace::is_void of the command service).
void show_void(SpaceAnswer& space) {
  const auto is_owner = [&](ProfileId profile) {
    return std::ranges::any_of(space.members, [&](const MemberAnswer& m) { return m.user_id == profile && m.role == "owner"; });
  };
  for (InvitationAnswer& invitation : *space.invitations)
    if (invitation.status == InvitationStatus::pending && invitation.role == "owner" && !is_owner(invitation.invited_by))
      invitation.status = InvitationStatus::revoked;
}

/// All spaces of the page, at most `count`, with what belongs to each.
std::vector<SpaceAnswer> show_spaces(const PageRows& rows, const Visit& visit, Keyring& keys, std::size_t count) {
  std::vector<SpaceAnswer> spaces;
  std::unordered_map<WatchSpaceId, std::size_t> places;
  for (const pg::Row row : rows.of(kind::space)) {
    if (spaces.size() == count) break;
    spaces.push_back(show_space(row));
    places.emplace(spaces.back().id, spaces.size() - 1);
  }
  for (const pg::Row row : rows.of(row_kind::member)) {
    const auto place = places.find(row.get<WatchSpaceId>(column::id3));
    if (place == places.end()) continue;
    SpaceAnswer& space = spaces[place->second];
    space.members.push_back(show_member(row, member_columns, keys));
    const MemberAnswer& member = space.members.back();
    const bool is_owner = member.user_id == visit.by.profile && member.role == "owner";
    if (is_owner && visit.may_see_invitations && !space.invitations) space.invitations.emplace();
  }
  for (const pg::Row row : rows.of(kind::invitation)) {
    const auto place = places.find(row.get<WatchSpaceId>(column::id3));
    if (place != places.end() && spaces[place->second].invitations)
      spaces[place->second].invitations->push_back(show_invitation(row, visit.now, keys));
  }
  for (SpaceAnswer& space : spaces) {
    sort_by_joining(space.members);
    if (!space.invitations) continue;
    show_void(space);
    std::ranges::sort(*space.invitations, std::greater(), [](const InvitationAnswer& i) { return std::tuple(i.created_at, i.id); });
  }
  return spaces;
}

/// $1 who asks, $2 how many, $3 the last one shown.
const pg::Statement& list_statement(bool after) {
  const auto text = [](const char* place) {
    return statement_text(
        "SELECT s.* FROM read_spaces.members AS m CROSS JOIN LATERAL"
        " (SELECT * FROM read_spaces.spaces WHERE watch_space = m.watch_space OFFSET 0) AS s"
        " WHERE m.profile = $1" +
            std::string(place) +
            " AND NOT EXISTS (SELECT FROM projection.parked AS p WHERE p.model = 'spaces' AND p.slot = 'live' AND"
            " p.partition_key = m.watch_space) ORDER BY m.watch_space LIMIT $2",
        "$1");
  };
  static const pg::Statement from_start(text(""));
  static const pg::Statement from_place(text(" AND m.watch_space > $3"));
  return after ? from_place : from_start;
}

}  // namespace

std::expected<Question, Problem> SpaceListPage::ask(const Visit& visit) const {
  pg::Params params(visit.by.profile, items_max() + 1);
  if (!cursor) return Question{&list_statement(false), std::move(params)};
  const auto place = visit.cursors->open<SpacePlace>(*cursor, visit.epoch, visit.path);
  if (!place) return std::unexpected(place.error());
  params.add(place->watch_space);
  return Question{&list_statement(true), std::move(params)};
}

std::expected<Shown, Problem> SpaceListPage::show(const PageRows& rows, const Visit& visit, Keyring& keys) const {
  const auto count = static_cast<std::size_t>(items_max());
  const std::vector<SpaceAnswer> items = show_spaces(rows, visit, keys, count);
  std::optional<std::string> next;
  if (rows.of(kind::space).size() > count) next = visit.next(*this, SpacePlace{items.back().id});
  return show_list(items, std::move(next));
}

std::expected<Question, Problem> SpacePage::ask(const Visit& visit) const {
  static const pg::Statement statement(statement_text("SELECT * FROM read_spaces.spaces WHERE watch_space = $1", "$2"));
  return Question{&statement, pg::Params(watch_space, visit.by.profile)};
}

std::expected<Shown, Problem> SpacePage::show(const PageRows& rows, const Visit& visit, Keyring& keys) const {
  const std::vector<SpaceAnswer> spaces = show_spaces(rows, visit, keys, 1);
  if (spaces.empty()) return std::unexpected(no_such_space());
  return Shown{json::to_string(spaces.front())};
}

}  // namespace bloomwatch
