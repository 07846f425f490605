// Runs many seeded histories of the writer and checks each against the rules of the log: dense positions and versions, claims, idempotency.
// BLOOMWATCH_HISTORIES=n runs n of them, from BLOOMWATCH_FIRST_SEED on; BLOOMWATCH_SEED=s runs that one and prints what happened.
#include <gtest/gtest.h>

#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <string>

#include "tests/unit/writer_simulation/simulation.h"

namespace bloomwatch::simulation {
namespace {

std::uint64_t present_seed = 0;

std::uint64_t number_from(const char* variable, std::uint64_t otherwise) {
  const char* text = std::getenv(variable);
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

std::string how_to_replay(std::uint64_t seed) {
  return "replay: BLOOMWATCH_SEED=" + std::to_string(seed) + " unit_writer_simulation --gtest_filter=WriterSimulation.*";
}

/// A failed invariant ends the process: the seed must be told before.
void tell_seed(int signal) {
  std::fprintf(stderr, "%s\n", how_to_replay(present_seed).c_str());
  std::signal(signal, SIG_DFL);
  std::raise(signal);
}

TEST(WriterSimulation, keeps_every_rule_in_every_history) {
  std::signal(SIGABRT, tell_seed);
  const bool replay = std::getenv("BLOOMWATCH_SEED") != nullptr;
  const std::uint64_t first = number_from("BLOOMWATCH_SEED", number_from("BLOOMWATCH_FIRST_SEED", 1));
  const std::uint64_t histories = replay ? 1 : number_from("BLOOMWATCH_HISTORIES", 100'000);
  const auto began = std::chrono::steady_clock::now();
  Coverage coverage;
  for (present_seed = first; present_seed < first + histories; ++present_seed) {
    std::string trace;
    const auto broken = run_history(present_seed, coverage, replay ? &trace : nullptr);
    if (replay) std::cout << trace;
    if (!broken) continue;
    Coverage ignored;
    if (!replay) run_history(present_seed, ignored, &trace);
    FAIL() << "history " << present_seed << " broke a rule: " << *broken << '\n'
           << how_to_replay(present_seed) << '\n'
           << (replay ? "" : trace);
  }
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - began;
  std::cout << histories << " histories in " << took.count() << " s: " << coverage.to_string() << '\n';
  if (histories < 1'000) return;
  for (const std::uint64_t reached : {coverage.accepted,
                                      coverage.quiet,
                                      coverage.refused,
                                      coverage.repeated,
                                      coverage.key_reused,
                                      coverage.busy,
                                      coverage.unavailable,
                                      coverage.unknown,
                                      coverage.failed,
                                      coverage.fences_lost,
                                      coverage.connections_lost,
                                      coverage.data_errors,
                                      coverage.found_in_tail,
                                      coverage.decided_again,
                                      coverage.evicted,
                                      coverage.loads_stale,
                                      coverage.crashes,
                                      coverage.server_crashes,
                                      coverage.events_lost,
                                      coverage.two_leaders,
                                      coverage.ghost_appends,
                                      coverage.full_streams,
                                      coverage.fresh_keys,
                                      coverage.snapshots_kept,
                                      coverage.snapshots_passed_over})
    EXPECT_GT(reached, 0U) << "the simulation no longer reaches what it is there for: " << coverage.to_string();
}

}  // namespace
}  // namespace bloomwatch::simulation
