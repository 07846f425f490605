// Problems: what RFC 9457 wants, with every wrong field and the trace id; an ill-formed id in the path is no wrong field but a 404.
#include "runtime/problem.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace bloomwatch {
namespace {

const Uuid trace = *Uuid::parse("0190a5c8-1111-7222-8333-444455556666");

TEST(Problem, is_rendered_with_type_status_errors_and_trace_id) {
  const auto response =
      to_response(problems::validation({{"/a~1b", "is unknown"}, {"/limit", "must be a whole number", json::In::query}}), trace);
  EXPECT_EQ(response.status, 400);
  EXPECT_EQ(response.content_type, "application/problem+json");
  EXPECT_EQ(
      response.body,
      R"({"type":"/problems/validation","title":"Some fields are wrong","status":400,"errors":[{"pointer":"/a~1b","detail":"is unknown","in":"body"},)"
      R"({"pointer":"/limit","detail":"must be a whole number","in":"query"}],"trace_id":"0190a5c8-1111-7222-8333-444455556666"})");
}

TEST(Problem, carries_its_headers) {
  using testing::Contains;
  using testing::Pair;
  EXPECT_THAT(to_response(problems::method_not_allowed("GET, HEAD"), trace).headers, Contains(Pair("Allow", "GET, HEAD")));
  EXPECT_THAT(to_response(problems::unauthorized(), trace).headers, Contains(Pair("WWW-Authenticate", "Bearer")));
  EXPECT_THAT(to_response(problems::read_model_behind(std::chrono::seconds(2)), trace).headers, Contains(Pair("Retry-After", "2")));
}

TEST(Problem, names_an_incident_and_keeps_its_cause_for_the_log) {
  for (const Problem& problem : {problems::unavailable(trace, "a secret host"), problems::internal(trace, "a secret host")}) {
    const auto response = to_response(problem, trace);
    EXPECT_THAT(response.body, testing::HasSubstr("incident 0190a5c8"));
    EXPECT_THAT(response.body, testing::Not(testing::HasSubstr("secret")));
    EXPECT_EQ(response.cause, "a secret host");
  }
}

TEST(Problem, of_an_ill_formed_path_is_not_found) {
  EXPECT_EQ(problems::wrong_fields({{"/watchSpace", "must be a UUID", json::In::path}, {"/score", "is missing"}}).status, 404);
  EXPECT_EQ(problems::wrong_fields({{"/score", "is missing"}}).status, 400);
}

}  // namespace
}  // namespace bloomwatch
