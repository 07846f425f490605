// Waiting for the end by signalfd and eventfd, so that no code of ours runs in a signal handler.
#include "runtime/shutdown.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <exception>
#include <system_error>

#include "runtime/logging.h"

namespace bloomwatch {
namespace {

sigset_t ending_signals() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGINT);
  sigaddset(&set, SIGTERM);
  return set;
}

}  // namespace

Shutdown::Shutdown() {
  const sigset_t set = ending_signals();
  ::pthread_sigmask(SIG_BLOCK, &set, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
  signals_ = ::signalfd(-1, &set, SFD_CLOEXEC);
  requests_ = ::eventfd(0, EFD_CLOEXEC);
  if (signals_ < 0 || requests_ < 0) throw std::system_error(errno, std::generic_category(), "signalfd");
  starting_ = std::jthread([this](const std::stop_token& over) { listen_while_starting(over); });
}

Shutdown::~Shutdown() {
  started();
  stop();
  ::close(signals_);
  ::close(requests_);
}

void Shutdown::listen_while_starting(const std::stop_token& over) {
  constexpr int look_every_ms = 20;
  pollfd source = {signals_, POLLIN, 0};
  while (!over.stop_requested()) {
    signalfd_siginfo signal = {};
    if (::poll(&source, 1, look_every_ms) <= 0 || ::read(signals_, &signal, sizeof signal) != static_cast<ssize_t>(sizeof signal)) continue;
    log::info("shutdown", "ended by a signal while starting", {{"signal", signal.ssi_signo}});
    const sigset_t set = ending_signals();
    ::pthread_sigmask(SIG_UNBLOCK, &set, nullptr);
    std::raise(static_cast<int>(signal.ssi_signo));
  }
}

void Shutdown::on_stop(std::string name, std::function<void()> stop) { stops_.push_back({std::move(name), std::move(stop)}); }

void Shutdown::wait() {
  started();
  std::array<pollfd, 2> sources = {pollfd{signals_, POLLIN, 0}, pollfd{requests_, POLLIN, 0}};
  while (::poll(sources.data(), sources.size(), -1) < 0 && errno == EINTR) {
  }
  if ((sources[0].revents & POLLIN) != 0) {
    signalfd_siginfo signal = {};
    if (::read(signals_, &signal, sizeof signal) == static_cast<ssize_t>(sizeof signal))
      log::info("shutdown", "stopping on a signal", {{"signal", signal.ssi_signo}});
  }
  // Who asks twice means it: from here on the signals have their usual effect.
  const sigset_t set = ending_signals();
  ::pthread_sigmask(SIG_UNBLOCK, &set, nullptr);
}

void Shutdown::request() {
  const std::uint64_t one = 1;
  if (::write(requests_, &one, sizeof one) < 0) log::error("shutdown", "could not ask for the end", {{"errno", errno}});
}

void Shutdown::stop() {
  while (!stops_.empty()) {
    Stop next = std::move(stops_.back());
    stops_.pop_back();
    try {
      log::debug("shutdown", "stopping", {{"part", next.name}});
      next.run();
    } catch (const std::exception& exception) {
      log::error("shutdown", "a part did not stop well", {{"part", next.name}, {"error", exception.what()}});
    }
  }
}

}  // namespace bloomwatch
