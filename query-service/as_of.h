// Pages as they were: `?asOf=` replays what happened in one space through the same folds as the projector's, and asks the
// page's own statement of the rows so made. Names and keys are today's, and so is who may see it.
// What is folded goes to Postgres with the statement, as arrays in place of tables, so a page says nothing twice to be shown as of then.
#pragma once

#include <condition_variable>
#include <deque>
#include <expected>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <variant>
#include <vector>

#include "events/position_token.h"
#include "runtime/problem.h"
#include "runtime/time.h"

namespace bloomwatch {

class KeyCache;
class OpenPage;
struct Shown;

/// Events of one space that are replayed for a page. A space with more until then answers 422.
inline constexpr std::size_t as_of_events_max = 20'000;
/// Pages that wait for their turn; more are told to come back.
inline constexpr std::size_t as_of_queue_max = 64;
/// Of one account, so that nobody's long replays are all that is done.
inline constexpr std::size_t as_of_queue_of_one_max = 16;
inline constexpr unsigned as_of_threads = 2;

/// What `?asOf=` asks for: a moment, or a position of the log.
struct AsOf {
  std::variant<PositionToken, Time> when = {};

  using Wire = std::string;
  static std::expected<AsOf, std::string> from(const Wire& text);
  Wire wire() const;
};

/// Shows pages as of then, on threads of its own: a replay takes milliseconds, which would hold up all others.
class PastPages {
 public:
  /// How a page ended; called on a thread of PastPages, or by `show` if there is no room.
  using Done = std::function<void(OpenPage&, Position, std::expected<Shown, Problem>)>;

  /// Connects when it is first needed. References outlive it.
  PastPages(std::string database_url, KeyCache& keys, Done done);
  /// Pages that still wait are refused.
  ~PastPages();
  PastPages(const PastPages&) = delete;
  PastPages& operator=(const PastPages&) = delete;

  /// For somebody who may see the space today. Does not block.
  void show(std::unique_ptr<OpenPage> page);

 private:
  class Worker;

  void work(const std::stop_token& stop);

  const std::string database_url_;
  KeyCache& keys_;
  const Done done_;
  std::mutex mutex_;
  std::condition_variable_any changed_;
  std::deque<std::unique_ptr<OpenPage>> waiting_;
  std::vector<std::jthread> threads_;
};

}  // namespace bloomwatch
