// What pages and commands both refuse is one problem: clients tell problems by their type, people by their title.
#include <gtest/gtest.h>

#include "command-service/audit/refusals.h"
#include "command-service/spaces/refusals.h"
#include "command-service/tracking/refusals.h"
#include "query-service/pages.h"

namespace bloomwatch {
namespace {

void expect_one_problem(const Problem& of_pages, const Problem* of_commands) {
  ASSERT_NE(of_commands, nullptr) << of_pages.type;
  EXPECT_EQ(of_pages.type, of_commands->type);
  EXPECT_EQ(of_pages.status, of_commands->status);
  EXPECT_EQ(of_pages.title, of_commands->title);
  EXPECT_EQ(of_pages.detail, of_commands->detail);
}

TEST(Problems, are_told_alike_by_pages_and_commands) {
  expect_one_problem(no_such_space(), spaces::problem_of("no_such_space"));
  expect_one_problem(no_such_anime(), tracking::problem_of("no_such_anime"));
  expect_one_problem(admins_only(), audit::problem_of("admins_only"));
}

}  // namespace
}  // namespace bloomwatch
