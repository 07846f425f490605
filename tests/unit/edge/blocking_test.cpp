// What waits on a pool for too long is answered and not begun.
#include "command-service/blocking.h"

#include <gtest/gtest.h>

#include <future>

namespace bloomwatch {
namespace {

using namespace std::chrono_literals;

std::future<int> run(WorkPool& pool, std::move_only_function<void(Call&)> flow) {
  std::promise<int> status;
  std::future<int> answered = status.get_future();
  Call call{.request = {},
            .respond = http::Responder(
                [status = std::move(status)](const http::Response& response) mutable { status.set_value(response.status); }),
            .principal = {},
            .now = now(),
            .frame = {}};
  run_on(pool, std::move(call), std::move(flow));
  return answered;
}

void succeed(Call& call) { call.respond(http::json_response("{}")); }

/// How a call ends that waits until those before it are through.
int ends_behind_another(WorkPool& pool) {
  std::promise<void> go;
  auto first = run(pool, [&](Call& call) {
    go.get_future().wait();
    succeed(call);
  });
  auto second = run(pool, succeed);
  go.set_value();
  EXPECT_EQ(first.get(), 200);
  return second.get();
}

TEST(RunOn, answers_503_to_what_has_waited_too_long) {
  WorkPool impatient("test", 1, 8, -1s);
  auto answered = run(impatient, [](Call&) { ADD_FAILURE() << "it is not begun"; });
  EXPECT_EQ(answered.get(), 503);
}

TEST(RunOn, lets_others_wait_their_turn) {
  WorkPool patient("test", 1, 8, 60s), for_ever("test", 1, 8);
  EXPECT_EQ(ends_behind_another(patient), 200);
  EXPECT_EQ(ends_behind_another(for_ever), 200);
}

}  // namespace
}  // namespace bloomwatch
