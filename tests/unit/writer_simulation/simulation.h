// One simulated history of the writer: two of them over one log, clients that repeat themselves, connections that break, processes that
// crash, a database that goes down with what it had not yet on disk; then everything is healed and must come to rest. All chance comes from
// the seed, so a failing history can be replayed.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace bloomwatch::simulation {

/// What a history did, to see that the simulation reaches what it is there for.
struct Coverage {
  std::uint64_t commands = 0, events = 0, accepted = 0, quiet = 0, refused = 0, repeated = 0, key_reused = 0, busy = 0, unavailable = 0,
                unknown = 0, failed = 0;
  std::uint64_t fences_lost = 0, connections_lost = 0, data_errors = 0, found_in_tail = 0, decided_again = 0, evicted = 0, loads_stale = 0;
  std::uint64_t crashes = 0, server_crashes = 0, events_lost = 0, two_leaders = 0, ghost_appends = 0, full_streams = 0, fresh_keys = 0;
  std::uint64_t snapshots_kept = 0, snapshots_passed_over = 0;

  void add(const Coverage& other);
  std::string to_string() const;
};

/// Runs the history of this seed. Returns the rule that was broken, if one was; `trace`, if given, gets one line for each thing that
/// happened.
std::optional<std::string> run_history(std::uint64_t seed, Coverage& coverage, std::string* trace = nullptr);

}  // namespace bloomwatch::simulation
