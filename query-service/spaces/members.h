// The current members of a space as pages read them: who may see it, and in what order they are listed.
#pragma once

#include <vector>

#include "query-service/keyring.h"
#include "query-service/page_rows.h"
#include "query-service/spaces/answer.h"

namespace bloomwatch {

/// Adds the branch of row_kind::member where only membership counts, for the space of parameter $1: `id` is the profile, the timestamptz
/// column `joined` the time of joining.
void add_members(PageSql& sql, const std::string& joined);

/// The same with the keys of members whose profile has their account's id, as first profiles have: `bytes` the wrapped key, the uuid column
/// `account` whose it is. Lean: one join instead of two; what stays closed with these is asked for thoroughly.
void add_members_with_keys(PageSql& sql, const std::string& joined, const std::string& account);
/// Takes those keys.
void take_keys(const PageRows& rows, int account, Keyring& keys);

/// Profiles of the members in the order of their joining; `joined` is that column's number.
std::vector<ProfileId> members_of(const PageRows& rows, int joined);

/// Adds the branch with everything that is said of a member: `text` is the display name's box, `bytes` the wrapped key,
/// `number` 1 with recap consent; the others are in
/// the columns of these names.
struct MemberColumnNames {
  std::string space;    ///< uuid
  std::string account;  ///< uuid
  std::string role;     ///< text
  std::string consent;  ///< text
  std::string joined;   ///< timestamptz
};
/// `from` is what comes after FROM and gives `m`, rows of read_spaces.members.
void add_members_with_names(PageSql& sql, const MemberColumnNames& columns, std::string_view from = "read_spaces.members AS m",
                            std::string_view where = "m.watch_space = $1");

/// The numbers of those columns.
struct MemberColumns {
  int account;
  int role;
  int consent;
  int joined;
};
/// Takes the key that comes with a member, and shows the member.
MemberAnswer show_member(const pg::Row& row, const MemberColumns& columns, Keyring& keys);
/// All of them, in the order of their joining.
std::vector<MemberAnswer> show_members(const PageRows& rows, const MemberColumns& columns, Keyring& keys);
void sort_by_joining(std::vector<MemberAnswer>& members);

}  // namespace bloomwatch
