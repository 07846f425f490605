// Branches and rows of members.
#include "query-service/spaces/members.h"

#include <algorithm>
#include <tuple>

namespace bloomwatch {

void add_members(PageSql& sql, const std::string& joined) {
  sql.rows(row_kind::member, {{"id", "profile"}, {joined, "joined_at"}}, "FROM read_spaces.members WHERE watch_space = $1");
}

void add_members_with_keys(PageSql& sql, const std::string& joined, const std::string& account) {
  sql.rows(row_kind::member, {{"id", "m.profile"}, {joined, "m.joined_at"}, {"bytes", "k.wrapped"}, {account, "k.account"}},
           "FROM read_spaces.members AS m LEFT JOIN secrets.keys AS k ON k.account = m.profile WHERE m.watch_space = $1");
}

void take_keys(const PageRows& rows, int account, Keyring& keys) {
  for (const pg::Row row : rows.of(row_kind::member))
    if (const auto wrapped = row.get<std::optional<std::string_view>>(PageRows::bytes_column)) keys.add(row.get<UserId>(account), *wrapped);
}

std::vector<ProfileId> members_of(const PageRows& rows, int joined) {
  std::vector<std::pair<Time, ProfileId>> members;
  for (const pg::Row row : rows.of(row_kind::member)) members.emplace_back(row.get<Time>(joined), row.get<ProfileId>(PageRows::id_column));
  std::ranges::sort(members);
  std::vector<ProfileId> profiles;
  for (const auto& [time, profile] : members) profiles.push_back(profile);
  return profiles;
}

void add_members_with_names(PageSql& sql, const MemberColumnNames& columns, std::string_view from, std::string_view where) {
  PageSql::Values values = {{"id", "m.profile"},
                            {"text", "p.display_name"},
                            {"bytes", "k.wrapped"},
                            {columns.account, "p.account"},
                            {columns.role, "m.role"},
                            {columns.consent, "m.session_consent"},
                            {columns.joined, "m.joined_at"},
                            {"number", "m.recap_consent::integer::bigint"}};
  if (!columns.space.empty()) values.emplace_back(columns.space, "m.watch_space");
  // A profile or key that is gone leaves the member without a name.
  sql.rows(row_kind::member, values,
           "FROM " + std::string(from) +
               " LEFT JOIN read_people.profiles AS p ON p.profile = m.profile LEFT JOIN secrets.keys AS k ON k.account = p.account WHERE " +
               std::string(where));
}

MemberAnswer show_member(const pg::Row& row, const MemberColumns& columns, Keyring& keys) {
  if (const auto wrapped = row.get<std::optional<std::string_view>>(PageRows::bytes_column))
    keys.add(row.get<UserId>(columns.account), *wrapped);
  MemberAnswer member;
  member.user_id = row.get<ProfileId>(PageRows::id_column);
  member.display_name = keys.open(row.get<std::optional<std::string_view>>(PageRows::text_column));
  member.role = row.get<std::string_view>(columns.role);
  member.joined_at = row.get<Time>(columns.joined);
  member.session_consent = row.get<std::string_view>(columns.consent);
  member.recap_consent = row.get<std::int64_t>(PageRows::number_column) != 0;
  return member;
}

std::vector<MemberAnswer> show_members(const PageRows& rows, const MemberColumns& columns, Keyring& keys) {
  std::vector<MemberAnswer> members;
  for (const pg::Row row : rows.of(row_kind::member)) members.push_back(show_member(row, columns, keys));
  sort_by_joining(members);
  return members;
}

void sort_by_joining(std::vector<MemberAnswer>& members) {
  std::ranges::sort(members, {}, [](const MemberAnswer& member) { return std::tuple(member.joined_at, member.user_id); });
}

}  // namespace bloomwatch
