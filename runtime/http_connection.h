// One connection: reads requests, hands them to their handlers, and sends the answers in the order of the requests.
// Belongs to one thread, so its state needs no locks; only answer() may be called from others. Lives as long as its coroutine or a
// responder.
#pragma once

#include <cstdint>
#include <deque>
#include <exception>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/http.h"
#include "runtime/http_io.h"
#include "runtime/http_parser.h"
#include "runtime/problem.h"

namespace bloomwatch::http {

/// How often a thread looks at its connections' deadlines at least.
inline constexpr std::chrono::milliseconds tick_max{500};

inline constexpr std::uint64_t no_slot = std::numeric_limits<std::uint64_t>::max();

/// Answers of handlers that gave up without one carry this instead of a status; the connection knows the request's id and says the rest.
inline constexpr int status_abandoned = -500;
inline constexpr int status_threw = -503;

/// Reading is a machine of steps (advance()) driven by one coroutine (run()); answers come in by complete() and leave by flush().
class Connection : public std::enable_shared_from_this<Connection> {
 public:
  /// On the thread of `io`; start() makes it live until its coroutine ends.
  Connection(std::shared_ptr<IoThread> io, Socket socket) : io_(std::move(io)), socket_(std::move(socket)), wake_(io_->context) {
    wake_.expires_at(Clock::time_point::max());
    active_at_ = io_->clock;
  }

  void start();
  /// From any thread.
  void answer(std::uint64_t slot, Response response);
  /// On the connection's thread only, like all that follows.
  void complete(std::uint64_t slot, Response response);
  /// Sends what has been answered, as far as the socket takes it at once; the rest follows by itself.
  void flush();
  /// Ends what has taken too long by `clock`.
  void tick(Clock::time_point clock);
  /// No more requests: one that is being read or answered is the last.
  void drain();
  /// Closes at once; what is pending is lost.
  void abort();

  bool is_aborted() const { return aborted_; }
  /// Of answers that its client has not taken.
  std::size_t answer_bytes_held() const;
  /// Of this connection's thread. From any thread.
  IoThread& io() const { return *io_; }

  bool flush_due = false;  ///< while a mailbox is being opened

 private:
  enum class State { between, header, body };
  enum class Step { read, pause, end };

  struct Pending {
    Uuid request_id;
    Uuid correlation_id;
    Uuid space;  ///< that its path is about; nil: none
    Clock::time_point received_at;
    std::string_view pattern;
    std::size_t route = route_none;
    Method method = Method::other;
    bool keep_alive = true;
    bool http_1_0 = false;
    bool answered = false;
    std::string bytes = {};  ///< an answer that waits for those before it
  };

  Awaitable<void> run();
  Awaitable<void> finish();
  Awaitable<void> wait();

  /// Reads as many requests as are in the buffer; says what is needed to go on.
  Step advance();
  Step begin();
  std::optional<Step> parse_header();
  std::optional<Step> parse_body();
  void say(const std::exception_ptr& failure) const;
  void on_header();
  std::optional<Problem> look_at_header();
  std::optional<Problem> find_route();
  void read_target();
  void on_request();
  Step fail(const Problem& problem);
  Step fail(const boost::system::error_code& error);
  void say_continue();
  Problem why_no_body();
  std::uint64_t push_pending(bool keep_alive);
  void call(std::uint64_t slot);
  void note(const Pending& pending, const Response& response, Clock::duration took) const;

  void pop_answered();
  void write_rest();
  void notify() {
    if (waiting_) wake_.cancel();
  }
  void make_room();

  std::shared_ptr<IoThread> io_;  // first, so that it goes last
  Socket socket_;
  Timer wake_;
  std::string peer_;

  std::vector<char> in_;
  std::size_t in_begin_ = 0;
  std::size_t in_end_ = 0;
  std::unique_ptr<Parser> parser_;  ///< from the first byte of a request until it is handed on
  std::size_t header_bytes_ = 0;
  State state_ = State::between;
  Routes::Match match_;
  std::optional<Problem> refusal_;
  bool continue_due_ = false;

  std::deque<Pending> pending_;
  std::uint64_t first_slot_ = 0;
  std::uint64_t dispatching_ = no_slot;

  std::string out_;
  std::string in_flight_;
  std::size_t in_flight_sent_ = 0;
  bool writing_ = false;

  bool ending_ = false;  ///< no further request is read; what is pending is answered
  bool aborted_ = false;
  bool lingering_ = false;
  bool timed_out_ = false;
  bool reading_ = false;
  bool waiting_ = false;
  Clock::time_point active_at_;
  Clock::time_point request_deadline_;
  Clock::time_point write_deadline_;
  Clock::time_point linger_deadline_;
};

}  // namespace bloomwatch::http
