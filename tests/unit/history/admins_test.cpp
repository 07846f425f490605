// Who may look into audits, and how somebody becomes one who may.
#include "command-service/accounts/change_account_role.h"
#include "command-service/audit/query_audit.h"
#include "tests/unit/accounts/accounts.h"

namespace bloomwatch::testing {
namespace {

const auto query_id = id_of<AuditQueryId>("query");

Past role_of(const Actor& who, AccountRole role) { return stream<User>(who.account, AccountRoleChanged{.role = role}); }

QueryAudit query() {
  return {.person = ken.profile,
          .types = value<EventTypeNames>({{"AnimeRated"}}),
          .field = value<FieldName>("rating"),
          .from = noon,
          .until = noon + std::chrono::hours(1),
          .reason = value<AuditReason>("A complaint."),
          .query = {query_id}};
}

ChangeAccountRole role_change(std::string_view handle, AccountRole role) {
  return {.handle = value<Handle>(std::string(handle)), .role = role, .handle_claim = {handle_key(handle)}};
}

TEST(QueryAudit, leaves_a_trace_of_what_was_asked_and_why) {
  given(mira_registered, role_of(mira, AccountRole::admin))
      .when(query(), mira)
      .then(AuditQueried{.person = ken.profile,
                         .types = {"AnimeRated"},
                         .field = "rating",
                         .from = noon,
                         .until = noon + std::chrono::hours(1),
                         .reason = mira.seal("A complaint.")})
      .answers(query_id.uuid);
}

TEST(QueryAudit, is_for_admins_only_and_for_none_who_was_one) {
  const auto refused = audit::Refusal::admins_only;
  given(mira_registered).when(query(), mira).refuses(refused);
  given(mira_registered, role_of(mira, AccountRole::moderator)).when(query(), mira).refuses(refused);
  given(mira_registered, role_of(mira, AccountRole::admin), role_of(mira, AccountRole::user)).when(query(), mira).refuses(refused);
  given().when(query(), stranger).refuses(refused);
  given(mira_registered).when(audit::ProveAdmin{}, mira).refuses(refused);
  given(mira_registered, role_of(mira, AccountRole::admin)).when(audit::ProveAdmin{}, mira).says_nothing();
}

TEST(QueryAudit, refuses_a_time_that_ends_before_it_begins) {
  QueryAudit backwards = query();
  backwards.until = noon;
  given(mira_registered, role_of(mira, AccountRole::admin)).when(backwards, mira).refuses(audit::Refusal::no_time_between);
}

TEST(ChangeAccountRole, changes_the_role_of_who_has_the_handle_once) {
  given(mira_registered)
      .holding<User>(handle_key("mira"), mira.account)
      .when(role_change("mira", AccountRole::admin), Actor{})
      .then(AccountRoleChanged{.role = AccountRole::admin})
      .once();
  given(mira_registered)
      .holding<User>(handle_key("mira"), mira.account)
      .when(role_change("mira", AccountRole::user), Actor{})
      .says_nothing();
}

TEST(ChangeAccountRole, finds_nobody_by_a_handle_that_is_free_or_was_given_up) {
  given().when(role_change("mira", AccountRole::admin), Actor{}).refuses(Refusal::no_such_account);
  given(mira_registered)
      .holding<User>(handle_key("former"), mira.account, noon)
      .when(role_change("former", AccountRole::admin), Actor{})
      .refuses(Refusal::no_such_account);
}

}  // namespace
}  // namespace bloomwatch::testing
