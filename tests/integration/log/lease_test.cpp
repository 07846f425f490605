// One holds, the others stand by; whoever is stopped, killed or cut off loses it within 5 s.
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <functional>
#include <string>
#include <thread>

#include "events/lease.h"
#include "tests/postgres_cluster.h"

namespace bloomwatch::test {
namespace {

using namespace std::chrono_literals;

bool within(std::chrono::milliseconds time, const std::function<bool()>& condition) {
  for (const auto end = std::chrono::steady_clock::now() + time; std::chrono::steady_clock::now() < end;) {
    if (condition()) return true;
    std::this_thread::sleep_for(10ms);
  }
  return condition();
}

/// A process of its own that holds the lease: another copy of this program, because a fork of a threaded one may do little.
pid_t start_holder(const std::string& url) {
  const pid_t child = ::fork();
  if (child == 0) {
    ::setenv("BLOOMWATCH_LEASE_HOLDER", url.c_str(), 1);
    ::execl("/proc/self/exe", "holder", "--gtest_filter=LeaseHolder.*", "--gtest_also_run_disabled_tests", static_cast<char*>(nullptr));
    ::_exit(127);
  }
  return child;
}

TEST(LeaseHolder, DISABLED_holds_until_killed) {
  const char* url = std::getenv("BLOOMWATCH_LEASE_HOLDER");
  if (url == nullptr) GTEST_SKIP() << "only for the process that the other tests start";
  const Lease lease(url, LeaseName::writer);
  for (;;) std::this_thread::sleep_for(1s);
}

bool is_held_by_somebody(const std::string& url) {
  pg::Connection connection({.url = url});
  return connection
             .query(
                 "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objid = 1 AND granted "
                 "AND database = (SELECT oid FROM pg_database WHERE datname = current_database())")[0]
             .get<int>(0) == 1;
}

void end_session(const std::string& url) {
  pg::Connection({.url = url})
      .script(
          "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'bloomwatch "
          "writer lease'");
}

class LeaseTakeover : public testing::TestWithParam<int> {};

TEST_P(LeaseTakeover, is_within_5_s_of_the_signal) {
  const std::string url = fresh_database();
  const pid_t holder = start_holder(url);
  ASSERT_TRUE(within(10s, [&] { return is_held_by_somebody(url); }));
  std::atomic<bool> gained = false;
  Lease standby(url, LeaseName::writer, {.gained = [&] { gained = true; }});
  std::this_thread::sleep_for(1500ms);
  EXPECT_FALSE(standby.held()) << "a holder that beats keeps it";
  ::kill(holder, GetParam());
  const auto signalled = std::chrono::steady_clock::now();
  EXPECT_TRUE(within(5s, [&] { return standby.held(); }));
  RecordProperty("takeover_ms",
                 static_cast<int>(std::chrono::ceil<std::chrono::milliseconds>(std::chrono::steady_clock::now() - signalled).count()));
  EXPECT_TRUE(gained);
  ::kill(holder, SIGKILL);
  ::waitpid(holder, nullptr, 0);
}

INSTANTIATE_TEST_SUITE_P(Signals, LeaseTakeover, testing::Values(SIGSTOP, SIGKILL),
                         [](const auto& param) { return param.param == SIGSTOP ? "stopped" : "killed"; });

TEST(Lease, goes_to_the_next_at_once_when_stopped) {
  const std::string url = fresh_database();
  std::atomic<int> lost = 0;
  Lease first(url, LeaseName::writer, {.lost = [&] { ++lost; }});
  ASSERT_TRUE(within(5s, [&] { return first.held(); }));
  const Lease second(url, LeaseName::writer);
  const Lease other(url, LeaseName::relay);
  EXPECT_TRUE(within(5s, [&] { return other.held(); })) << "another name is another lease";
  EXPECT_FALSE(second.held());
  first.stop();
  EXPECT_EQ(lost, 1);
  EXPECT_FALSE(first.held());
  EXPECT_TRUE(within(2s, [&] { return second.held(); }));
}

TEST(Lease, is_lost_when_its_session_is_ended_and_taken_again) {
  const std::string url = fresh_database();
  std::atomic<int> gained = 0, lost = 0;
  const Lease lease(url, LeaseName::writer, {.gained = [&] { ++gained; }, .lost = [&] { ++lost; }});
  ASSERT_TRUE(within(5s, [&] { return lease.held(); }));
  end_session(url);
  EXPECT_TRUE(within(5s, [&] { return gained == 2 && lost == 1 && lease.held(); }));
}

TEST(Lease, that_was_let_go_stays_out_for_a_while_also_when_its_session_is_ended) {
  const std::string url = fresh_database();
  std::atomic<int> gained = 0, lost = 0;
  Lease lease(url, LeaseName::writer, {.gained = [&] { ++gained; }, .lost = [&] { ++lost; }});
  ASSERT_TRUE(within(5s, [&] { return lease.held(); }));
  const auto let_go_at = std::chrono::steady_clock::now();
  lease.let_go();
  EXPECT_FALSE(lease.held());
  end_session(url);
  ASSERT_TRUE(within(5s, [&] { return lost == 1; }));
  Lease other(url, LeaseName::writer);
  EXPECT_TRUE(within(5s, [&] { return other.held(); }));
  other.stop();
  EXPECT_TRUE(within(10s, [&] { return gained == 2; }));
  EXPECT_GE(std::chrono::steady_clock::now() - let_go_at, Lease::rest);
  EXPECT_TRUE(within(1s, [&] { return lease.held(); }));
}

}  // namespace
}  // namespace bloomwatch::test
