// The server: accepts connections, gives them to its threads in turn, and stops without losing answers.
// What happens on a connection is in http_connection.cpp.
#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <condition_variable>
#include <mutex>
#include <system_error>
#include <thread>

#include "runtime/http.h"
#include "runtime/http_answer.h"
#include "runtime/http_connection.h"
#include "runtime/http_io.h"
#include "runtime/invariant.h"
#include "runtime/logging.h"
#include "runtime/problem.h"

namespace bloomwatch::http {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using Error = boost::system::error_code;

constexpr std::chrono::milliseconds accept_retry{50};
constexpr std::chrono::milliseconds tick_min{10};

}  // namespace

struct Server::State {
  Routes routes;
  ServerOptions options;
  std::vector<std::shared_ptr<IoThread>> io;
  std::vector<asio::executor_work_guard<Executor>> work;
  std::vector<std::thread> threads;
  std::unique_ptr<Acceptor> acceptor;
  std::unique_ptr<Timer> accept_pause;
  std::uint16_t port = 0;
  std::size_t next_io = 0;
  std::mutex mutex;
  std::condition_variable all_closed;
  bool started = false;
  bool stopped = false;

  ServerShare share{routes, options};

  State(Routes r, ServerOptions o) : routes(std::move(r)), options(std::move(o)) {}
  void listen();
  Awaitable<void> accept();
  void turn_away(Socket socket);
  static Awaitable<void> tick(IoThread& io, std::chrono::milliseconds every);
  bool wait_until_closed(std::chrono::milliseconds wait_max);
};

void Server::State::listen() {
  constexpr int backlog_max = 4096;
  acceptor = std::make_unique<Acceptor>(io.front()->context);
  try {
    const tcp::endpoint endpoint(asio::ip::make_address(options.bind), options.port);
    acceptor->open(endpoint.protocol());
    acceptor->set_option(Acceptor::reuse_address(true));
    acceptor->bind(endpoint);
    acceptor->listen(backlog_max);
    acceptor->non_blocking(true);
    port = acceptor->local_endpoint().port();
  } catch (const boost::system::system_error& failure) {
    throw std::system_error(failure.code(), "cannot listen on " + options.bind + ":" + std::to_string(options.port));
  }
}

/// Connections go to the threads in turn, which balances them better than the kernel's hash does.
Awaitable<void> Server::State::accept() {
  while (acceptor->is_open()) {
    const auto& target = io[next_io];
    auto [error, socket] = co_await acceptor->async_accept(target->context, awaitably);
    if (!acceptor->is_open()) break;
    if (error) {
      log::warning("http", "a connection could not be accepted", {{"error", error.message()}});
      accept_pause->expires_after(accept_retry);
      co_await accept_pause->async_wait(awaitably);
      continue;
    }
    if (share.open_connections.load() >= options.connections_max) {
      turn_away(std::move(socket));
      continue;
    }
    next_io = (next_io + 1) % io.size();
    ++share.open_connections;
    asio::post(target->context,
               [&target, s = std::move(socket)]() mutable { std::make_shared<Connection>(target, std::move(s))->start(); });
  }
}

void Server::State::turn_away(Socket socket) {
  const Uuid id = io.front()->request_ids.next();
  const Response response = to_response(problems::overloaded(), id);
  std::string text =
      "HTTP/1.1 503 Service Unavailable\r\nContent-Type: application/problem+json\r\nRetry-After: 1\r\nConnection: close\r\nX-Request-Id: ";
  text += id.to_string() + "\r\nContent-Length: " + std::to_string(response.body.size()) + "\r\n\r\n" + response.body;
  Error ignored;
  socket.non_blocking(true, ignored);
  socket.write_some(asio::buffer(text), ignored);
  socket.shutdown(Socket::shutdown_both, ignored);
}

/// One timer for all connections of a thread. Runs until its context stops.
Awaitable<void> Server::State::tick(IoThread& io, std::chrono::milliseconds every) {
  Timer timer(io.context);
  while (true) {
    timer.expires_after(every);
    co_await timer.async_wait(awaitably);
    io.tick();
  }
}

bool Server::State::wait_until_closed(std::chrono::milliseconds wait_max) {
  std::unique_lock lock(mutex);
  return all_closed.wait_for(lock, wait_max, [this] { return share.open_connections.load() == 0; });
}

Server::Server(Routes routes, ServerOptions options) : state_(std::make_unique<State>(std::move(routes), std::move(options))) {
  State& state = *state_;
  state.share.on_closed = [&state] {
    const std::lock_guard lock(state.mutex);
    if (state.share.open_connections.load() == 0) state.all_closed.notify_all();
  };
  state.options.threads = std::max(1u, state.options.threads);
  for (unsigned i = 0; i < state.options.threads; ++i) {
    auto io = std::make_shared<IoThread>(state.share);
    state.work.emplace_back(io->context.get_executor());
    state.io.push_back(std::move(io));
  }
  state.accept_pause = std::make_unique<Timer>(state.io.front()->context);
  state.listen();
}

Server::~Server() { stop(); }

std::uint16_t Server::port() const { return state_->port; }
const Routes& Server::routes() const { return state_->routes; }

void Server::start() {
  State& state = *state_;
  invariant(!state.started, "a server is started once");
  state.started = true;
  const auto shortest = std::min({state.options.idle_max, state.options.request_max, state.options.write_stall_max});
  const auto every = std::clamp(shortest / 4, tick_min, tick_max);
  for (const auto& io : state.io) asio::co_spawn(io->context, State::tick(*io, every), asio::detached);
  asio::co_spawn(state.io.front()->context, state.accept(), asio::detached);
  for (const auto& io : state.io) {
    state.threads.emplace_back([io] {
      this_io_thread = io.get();
      io->context.run();
    });
  }
}

void Server::stop() {
  State& state = *state_;
  if (std::exchange(state.stopped, true)) return;
  if (state.started) {
    asio::post(state.io.front()->context, [&state] {
      Error ignored;
      state.acceptor->close(ignored);
      state.accept_pause->cancel();
    });
    const auto each = [&state](auto action) {
      for (const auto& io : state.io) {
        asio::post(io->context, [&thread = *io, action] {
          thread.draining = true;
          for (const auto& weak : thread.connections)
            if (const auto connection = weak.lock()) action(*connection);
        });
      }
    };
    each([](Connection& connection) { connection.drain(); });
    if (!state.wait_until_closed(state.options.drain_max)) {
      log::warning("http", "connections were cut off", {{"count", state.share.open_connections.load()}});
      each([](Connection& connection) { connection.abort(); });
      state.wait_until_closed(std::chrono::seconds(1));
    }
  }
  for (const auto& io : state.io) io->close_mailbox();
  state.work.clear();
  for (const auto& io : state.io) io->context.stop();
  for (auto& thread : state.threads) thread.join();
  // What still waits in a context (a tick, a mailbox) is let go of here, on one thread, before the contexts go.
  state.acceptor.reset();
  state.accept_pause.reset();
}

}  // namespace bloomwatch::http
