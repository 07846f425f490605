// Every refusal of accounts, audit, spaces and tracking is shown as a problem of its own.
#include "command-service/accounts/refusals.h"

#include <gtest/gtest.h>

#include <set>

#include "command-service/audit/refusals.h"
#include "command-service/spaces/refusals.h"
#include "command-service/tracking/refusals.h"
#include "runtime/problem.h"

namespace bloomwatch {
namespace {

template <class Refusal>
void expect_rows(const Problem* (*problem_of)(std::string_view), std::set<std::string>& types) {
  boost::mp11::mp_for_each<boost::describe::describe_enumerators<Refusal>>([&](auto D) {
    const Problem* problem = problem_of(D.name);
    ASSERT_NE(problem, nullptr) << D.name;
    EXPECT_GE(problem->status, 400) << D.name;
    EXPECT_LT(problem->status, 500) << D.name;
    EXPECT_FALSE(problem->title.empty()) << D.name;
    EXPECT_FALSE(problem->detail.empty()) << D.name;
    EXPECT_EQ(problem->type.find('_'), std::string::npos) << D.name;
    EXPECT_TRUE(types.insert(problem->type).second) << D.name;
  });
  EXPECT_EQ(problem_of("no refusal of ours"), nullptr);
}

TEST(Refusals, have_one_row_each_and_names_that_no_other_context_uses) {
  std::set<std::string> types;
  expect_rows<accounts::Refusal>(accounts::problem_of, types);
  expect_rows<audit::Refusal>(audit::problem_of, types);
  expect_rows<spaces::Refusal>(spaces::problem_of, types);
  expect_rows<tracking::Refusal>(tracking::problem_of, types);
}

}  // namespace
}  // namespace bloomwatch
