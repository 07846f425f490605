// `bloomwatch`: the program that runs and looks after an instance. `serve` is all services in one process; the others are for operators.
// Wiring only: each subcommand is a file of its own.
#include <fmt/core.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <exception>
#include <string>
#include <vector>

#include "ops/operator/subcommands.h"

namespace {

/// Does what the arguments say and returns the exit status.
int run(int argc, char** argv) {
  CLI::App program("BloomWatch: a shared anime and media tracker. Every change is an event; every page is folded from them.", "bloomwatch");
  program.require_subcommand(1);
  program.get_formatter()->column_width(36);
  bloomwatch::ops::Action action;
  bloomwatch::ops::add_serve(program, action);
  bloomwatch::ops::add_relay(program, action);
  bloomwatch::ops::add_migrate(program, action);
  bloomwatch::ops::add_begin_epoch(program, action);
  bloomwatch::ops::add_verify(program, action);
  bloomwatch::ops::add_rebuild(program, action);
  bloomwatch::ops::add_import(program, action);
  bloomwatch::ops::add_catalog(program, action);
  bloomwatch::ops::add_log(program, action);
  bloomwatch::ops::add_replay(program, action);
  bloomwatch::ops::add_parked(program, action);
  bloomwatch::ops::add_lag(program, action);
  bloomwatch::ops::add_token(program, action);
  bloomwatch::ops::add_role(program, action);
  bloomwatch::ops::add_routes(program, action);
  try {
    program.parse(argc, argv);
    return action();
  } catch (const CLI::RequiredError& error) {
    // What is missing is seldom what is wrong where there is a word that nobody knows.
    const std::vector<std::string> unknown = program.remaining(true);
    return unknown.empty() ? program.exit(error) : program.exit(CLI::ExtrasError(unknown));
  } catch (const CLI::ParseError& error) {
    return program.exit(error);
  } catch (const std::exception& error) {
    fmt::print(stderr, "bloomwatch: {}\n", error.what());
    return 1;
  }
}

}  // namespace

int main(int argc, char** argv) {
  const int status = run(argc, argv);
  if (std::fflush(stdout) == 0 && std::ferror(stdout) == 0) return status;
  fmt::print(stderr, "bloomwatch: standard output cannot be written: not all was shown\n");
  return 1;
}
