// Stopping in order: SIGINT and SIGTERM end a wait of the main thread, then what was started is stopped, the last first.
// Make it first thing in main, before any thread: signals are blocked for all threads that come after. A second signal kills, and so does
// one that comes before started(): a process that starts has taken nothing in yet, and what it waits for may never come.
#pragma once

#include <functional>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

namespace bloomwatch {

class Shutdown {
 public:
  /// Blocks SIGINT and SIGTERM and ignores SIGPIPE, for the process.
  Shutdown();
  /// Runs the stops that have not run yet.
  ~Shutdown();
  Shutdown(const Shutdown&) = delete;
  Shutdown& operator=(const Shutdown&) = delete;

  /// What to do when stopping; called in the reverse order of adding, on the main thread. What it throws is logged.
  void on_stop(std::string name, std::function<void()> stop);
  /// From here on a signal is kept for the wait.
  void started() { starting_ = {}; }
  /// Blocks until a signal comes or request() is called. Started by then at the latest.
  void wait();
  /// Ends the wait, from any thread.
  void request();
  /// Runs the stops, once each.
  void stop();

 private:
  void listen_while_starting(const std::stop_token& over);

  struct Stop {
    std::string name;
    std::function<void()> run;
  };
  int signals_ = -1;
  int requests_ = -1;
  std::vector<Stop> stops_;
  std::jthread starting_;
};

}  // namespace bloomwatch
