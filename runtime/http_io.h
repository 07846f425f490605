// One thread of the server: its context, its coarse clock, its request ids and its mailbox, through which other threads answer.
// Kept alive by its connections: a socket must not outlive its context. Members without a lock belong to the thread.
#pragma once

#include <array>
#include <atomic>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <vector>

#include "runtime/http.h"

namespace bloomwatch::http {

// Everything runs on an io_context and says so by type: Asio's type-erased default executor costs a tenth of a request's processor time.
using Clock = std::chrono::steady_clock;
using Executor = boost::asio::io_context::executor_type;
using Socket = boost::asio::basic_stream_socket<boost::asio::ip::tcp, Executor>;
using Acceptor = boost::asio::basic_socket_acceptor<boost::asio::ip::tcp, Executor>;
using Timer = boost::asio::basic_waitable_timer<Clock, boost::asio::wait_traits<Clock>, Executor>;
template <class T>
using Awaitable = boost::asio::awaitable<T, Executor>;
inline constexpr auto awaitably = boost::asio::as_tuple(boost::asio::use_awaitable_t<Executor>());

/// Request ids: version 7, so that they sort by time. They need to be unique, not secret, so a small generator of each thread makes them
/// (the system's would cost a call into the kernel for every request).
class RequestIds {
 public:
  RequestIds();
  Uuid next();

 private:
  std::uint64_t draw();

  std::array<std::uint64_t, 2> state_ = {};
};

/// Lines about failures that a thread logs in a second.
inline constexpr unsigned failures_said_max = 20;

struct Answer {
  std::shared_ptr<Connection> connection;
  std::uint64_t slot;
  Response response;
};

/// What all threads of a server share. Lives as long as the server; a connection that lives longer no longer looks at it.
struct ServerShare {
  const Routes& routes;
  const ServerOptions& options;
  std::atomic<std::size_t> open_connections = 0;
  std::function<void()> on_closed = {};  ///< after each connection's end
};

struct IoThread {
  explicit IoThread(ServerShare& server) : share(server) { refresh_date(); }

  boost::asio::io_context context{1};  // first, so that it goes last
  ServerShare& share;
  std::vector<std::weak_ptr<Connection>> connections = {};  ///< swept by ticks
  Clock::time_point clock = Clock::now();                   ///< coarse: moved by ticks
  std::string date_line;
  RequestIds request_ids;
  std::atomic<std::size_t> body_bytes_held = 0;  ///< of bodies being read on this thread
  bool draining = false;
  std::uint64_t failures_unsaid = 0;  ///< since the last that was logged

  /// From any thread: hands answers to their connections, which are this thread's, with one post for all that gather until they are read.
  void deliver(std::span<Answer> answers);
  /// What comes later is dropped.
  void close_mailbox();
  /// Whether one more failure is worth a line in the log: `failures_said_max` of a second are. While all requests fail for one reason, a
  /// line for each would only be more to do.
  bool may_say_failure();
  /// Moves clock and date, and looks after the connections' deadlines.
  void tick();

 private:
  void open_mailbox();
  void refresh_date();
  void hold_no_more_than_may_be();

  std::mutex mutex_;
  std::vector<Answer> mailbox_;
  bool posted_ = false;
  bool closed_ = false;
  Clock::time_point said_since_ = {};
  unsigned said_ = 0;           ///< since then
  std::vector<Answer> opened_;  ///< the mailbox being read; keeps its capacity
};

/// The one whose thread this is; null outside the server's threads.
extern thread_local IoThread* this_io_thread;

/// From any thread: hands an answer to the thread of its connection, at the end of AnswersTogether if this thread has one.
void deliver(Answer answer);

}  // namespace bloomwatch::http
