// The subcommands of `bloomwatch`, one file each. main.cpp makes the program of them; each adds its options and help and, when it is the
// one chosen, sets what is to be done.
#pragma once

#include <functional>

namespace CLI {
class App;
}

namespace bloomwatch::ops {

/// What the chosen subcommand does; returns the exit status. What it throws is printed, and the status is 1.
using Action = std::function<int()>;

void add_serve(CLI::App& program, Action& action);
void add_relay(CLI::App& program, Action& action);
void add_migrate(CLI::App& program, Action& action);
void add_begin_epoch(CLI::App& program, Action& action);
void add_verify(CLI::App& program, Action& action);
void add_rebuild(CLI::App& program, Action& action);
void add_import(CLI::App& program, Action& action);
void add_catalog(CLI::App& program, Action& action);
void add_log(CLI::App& program, Action& action);
void add_replay(CLI::App& program, Action& action);
void add_parked(CLI::App& program, Action& action);
void add_lag(CLI::App& program, Action& action);
void add_token(CLI::App& program, Action& action);
void add_role(CLI::App& program, Action& action);
void add_routes(CLI::App& program, Action& action);

}  // namespace bloomwatch::ops
