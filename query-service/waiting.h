// Pages that wait for a read model to catch up (read your writes). They are asked again when the hub says that the model has
// got there; the checkpoints are looked at while anybody waits when it says that partitions have moved, and, as a hint may be lost, every
// few milliseconds. Nobody waits beyond their deadline.
#pragma once

#include <array>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <thread>
#include <unordered_map>
#include <vector>

#include "query-service/page_rows.h"
#include "runtime/hub.h"

namespace bloomwatch {

class OpenPage;

/// Safe from all threads.
class Waiting {
 public:
  static constexpr std::chrono::milliseconds look_every{20};
  /// A page that was asked again so often waits for a look at the checkpoints: the hub is ahead of the database, as after a restore.
  static constexpr int hinted_runs_max = 8;
  static constexpr std::size_t waiting_max = 16'384;      ///< pages; more are too late at once
  static constexpr std::size_t waiting_of_one_max = 256;  ///< of one account, so that who asks for a position to come leaves others room

  struct Actions {
    std::function<void(std::unique_ptr<OpenPage>)> again;     ///< ask it again; must not block
    std::function<void(std::unique_ptr<OpenPage>)> too_late;  ///< its deadline has passed
    std::function<void()> look;                               ///< look at the checkpoints and tell `reached`; must not block
  };

  Waiting(Hub& hub, Actions actions);
  ~Waiting() { close(); }
  Waiting(const Waiting&) = delete;
  Waiting& operator=(const Waiting&) = delete;

  /// Waits until `model` has reached `position`, or until the page's deadline; not at all where too many wait, or too many of the account.
  void add(std::unique_ptr<OpenPage> page, Model model, Position position);
  /// The database says that a model has reached `position`.
  void reached(Model model, Position position);
  std::size_t size() const;
  /// Those that still wait, and those that come later, are too late; no action is called after it. Before what the actions use goes.
  void close();

 private:
  using Waiters = std::multimap<Position, std::unique_ptr<OpenPage>>;

  std::size_t count() const;
  bool has_room_for(const OpenPage& page) const;
  /// Out of the map, and `waiter` on to the next.
  std::unique_ptr<OpenPage> take(Waiters& waiters, Waiters::iterator& waiter);
  void wake(Model model, Position position, int runs_max);
  void run(const std::stop_token& stop);

  Hub& hub_;
  Actions actions_;
  mutable std::mutex mutex_;
  std::condition_variable_any changed_;
  std::array<Waiters, model_count> waiters_;
  std::unordered_map<UserId, std::size_t> waiting_of_;  ///< how many pages of each account wait; of whom there are any
  bool closed_ = false;
  std::vector<Hub::Subscription> subscriptions_;
  std::jthread thread_;
};

}  // namespace bloomwatch
