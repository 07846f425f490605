// The pool refuses what does not fit, and loses nobody's answer.
#include "runtime/work_pool.h"

#include <gtest/gtest.h>

#include <future>
#include <stdexcept>

#include "command-service/accounts/login_limit.h"

namespace bloomwatch {
namespace {

using namespace std::chrono_literals;

TEST(WorkPool, refuses_what_does_not_fit) {
  WorkPool pool("test", 1, 1);
  std::promise<void> started, go;
  WorkPool::Job first = [&] {
    started.set_value();
    go.get_future().wait();
  };
  ASSERT_TRUE(pool.submit(first));
  started.get_future().wait();
  std::promise<void> ran;
  WorkPool::Job second = [&] { ran.set_value(); };
  WorkPool::Job third = [] {};
  EXPECT_TRUE(pool.submit(second));
  EXPECT_FALSE(pool.submit(third)) << "one runs, one waits";
  EXPECT_TRUE(third) << "what was refused is still the caller's";
  go.set_value();
  ran.get_future().wait();
}

TEST(WorkPool, goes_on_after_a_job_that_throws) {
  WorkPool pool("test", 1, 8);
  WorkPool::Job bad = [] { throw std::runtime_error("bad"); };
  std::promise<void> ran;
  WorkPool::Job good = [&] { ran.set_value(); };
  pool.submit(bad);
  pool.submit(good);
  ran.get_future().wait();
}

TEST(WorkPool, lets_go_of_waiting_jobs_when_it_stops_and_takes_no_more) {
  WorkPool pool("test", 1, 8);
  std::promise<void> started;
  WorkPool::Job running = [&] {
    started.set_value();
    while (!pool.stopping()) std::this_thread::sleep_for(1ms);
  };
  pool.submit(running);
  started.get_future().wait();
  const auto kept = std::make_shared<int>(0);
  WorkPool::Job waiting = [kept] { ADD_FAILURE(); };
  pool.submit(waiting);
  pool.stop();
  EXPECT_EQ(kept.use_count(), 1);
  WorkPool::Job late = [] {};
  EXPECT_FALSE(pool.submit(late));
}

TEST(LoginLimit, slows_down_one_address_and_not_the_others) {
  accounts::LoginLimit limit;
  const auto start = accounts::LoginLimit::Clock::now();
  for (int i = 0; i < accounts::LoginLimit::attempts_per_pair_max; ++i) EXPECT_FALSE(limit.take("mira", "here", start)) << i;
  const auto wait = limit.take("mira", "here", start);
  ASSERT_TRUE(wait);
  EXPECT_FALSE(limit.take("ken", "here", start));
  EXPECT_FALSE(limit.take("mira", "at home", start)) << "who is elsewhere can still log in";
  EXPECT_FALSE(limit.take("mira", "here", start + *wait)) << "after the time told it may go on";
}

TEST(LoginLimit, slows_down_many_who_try_one_address) {
  accounts::LoginLimit limit;
  const auto start = accounts::LoginLimit::Clock::now();
  for (int i = 0; i < accounts::LoginLimit::attempts_per_email_max; ++i)
    EXPECT_FALSE(limit.take("mira", "host " + std::to_string(i), start)) << i;
  EXPECT_TRUE(limit.take("mira", "another", start));
}

TEST(LoginLimit, slows_down_one_host_that_tries_many_addresses) {
  accounts::LoginLimit limit;
  const auto start = accounts::LoginLimit::Clock::now();
  for (int i = 0; i < accounts::LoginLimit::attempts_per_peer_max; ++i)
    EXPECT_FALSE(limit.take("person " + std::to_string(i), "here", start)) << i;
  EXPECT_TRUE(limit.take("another", "here", start));
  EXPECT_FALSE(limit.take("another", "there", start));
}

}  // namespace
}  // namespace bloomwatch
